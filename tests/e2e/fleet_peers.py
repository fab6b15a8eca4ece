"""What the tests of fleets share: a shop that is scraped, a redis-server on a Unix socket, and workers."""

import collections
import http.server
import json
import os
import shutil
import subprocess
import threading
import time

import harness
from harness import check, scratch, wait_for


class Shop(http.server.ThreadingHTTPServer):
    """/list/N?page=P has items, some of which stand in several lists; /item/N is one. It counts who is there at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, lists, delay_s=0.004):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lists, self.delay_s = lists, delay_s
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.starts, self.asked = [], collections.Counter()
        self.hold_until, self.early = 0, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path):
        name, number = path.split("?")[0].strip("/").split("/")
        if name == "list":
            page = int(path.split("page=")[1].split("&")[0])
            items = [(int(number) * 3 + n) % (2 * self.lists) for n in range(1 + int(number) % 5)]
            return {"total": len(items), "items": [{"id": i, "of": int(number)} for i in items[2 * page - 2:2 * page]]}
        return {"id": int(number), "name": f"item {number}"}

    def is_quiet_for(self, seconds):
        """Nothing is there, and nothing has come for so long."""
        with self.lock:
            return not self.now and (not self.starts or time.monotonic() - self.starts[-1] > seconds)

    def most_in_a_second(self):
        times, most, first = sorted(self.starts), 0, 0
        for at, moment in enumerate(times):
            while moment - times[first] > 1:
                first += 1
            most = max(most, at - first + 1)
        return most


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        shop, status = self.server, 200
        with shop.lock:
            shop.now += 1
            shop.most = max(shop.most, shop.now)
            shop.starts.append(time.monotonic())
            shop.asked[self.path] += 1
        time.sleep(shop.delay_s)
        body = json.dumps(shop.answer(self.path)).encode()
        with shop.lock:
            shop.now -= 1
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, BrokenPipeError):
            pass


class Redis:
    def __init__(self, *options, name="r"):
        if not shutil.which("redis-server"):
            raise harness.Skipped("redis-server is missing: scripts/deps --test")
        if b"no fleet" in subprocess.run([harness.BINARY, "--version"], capture_output=True, check=False).stdout:
            raise harness.Skipped("this build has no fleet (SCRAPETOP_FLEET)")
        self.socket, self.options = scratch(f"{name}.sock"), options
        self.start()

    def start(self):
        self.child = harness.start(["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly",
                                    "no", "--dir", os.path.dirname(self.socket), *self.options],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: b"PONG" in self.say("ping") or b"NOAUTH" in self.say("ping"), "redis-server")

    def say(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True, check=False).stdout

    def kill(self):
        self.child.kill()
        self.child.wait()

    def url(self, job, lease="2s"):
        return f"unix://{self.socket}#{job}?lease={lease}"


def write_job(shop, name="shop"):
    path = scratch(f"{name}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": name, "base": shop.url, "vars": {"n": f"[0-{shop.lists - 1}]"},
                   "endpoints": [{"name": "listed", "url": "/list/{n}", "records": "/items",
                                  "pages": {"param": "page", "total": "/total", "size": 2}},
                                 {"name": "items", "url": "/item/{listed.id}"}]}, file)
    return path


def worker(url, run, *arguments, **options):
    return harness.scrapetop("run", "--plain", "--fleet", url, "-o", scratch(run), *arguments,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def check_tables(solo, runs, endpoints=("listed", "items")):
    for endpoint in endpoints:
        want, got = scratch(f"solo.{endpoint}.csv"), scratch(f"all.{endpoint}.csv")
        harness.succeed("normalise", "--endpoint", endpoint, "-o", want, scratch(solo))
        ended = harness.succeed("normalise", "--endpoint", endpoint, "-o", got, *(scratch(run) for run in runs))
        a, b = harness.read(want), harness.read(got)
        lost, more = set(a.split(b"\n")) - set(b.split(b"\n")), len(b.split(b"\n")) - len(a.split(b"\n"))
        check(a == b, endpoint, "of the fleet differs from that of one run:", len(lost), "rows lost", more, "more", ended)


def name_of(run):
    """A worker's name in its fleet."""
    with open(os.path.join(run, "job.json"), encoding="utf-8") as file:
        return json.load(file)["worker"]
