"""README's examples, typed one after the other in a clean directory: each does what is said after it."""

import http.server
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import threading

import harness
from harness import check, check_equal, scratch, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = "https://api.example.org"


class Server:
    """/items/N has two elements in /items and one record in /data/items; 13 is not there, and 14 breaks at first."""

    def __init__(self):
        self.asked = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked[self.path] = outer.asked.get(self.path, 0) + 1
                status, body = 200, {"data": {"items": [{"id": self.path}]}, "items": [{"n": 1.5}, {"n": 2}]}
                if self.path == "/allData.json":
                    body = {"a": {"x": 1}, "b": {"x": 2}}
                elif self.path == "/items/13":
                    status, body = 404, {"detail": "no item 13"}
                elif self.path == "/items/14" and outer.asked[self.path] < 7:
                    status, body = 500, {"detail": "broken"}
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self.httpd.server_port}"
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.httpd.shutdown()
        self.httpd.server_close()


def in_use():
    """The lines of the first block of "In use"."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    block = re.search(r"^## In use\n+```sh\n(.*?)^```", text, re.M | re.S)[1]
    return [line.split("  # ")[0].split(" # ")[0].strip() for line in block.splitlines()]


def test_in_use__each_line_works__in_order_in_a_clean_directory():
    lines, place = in_use(), scratch("place")
    check(len(lines) > 8 and all(line.startswith("scrapetop ") for line in lines), "the readme's lines:", lines)
    os.makedirs(place)
    tools = scratch("bin")
    os.makedirs(tools)
    os.symlink(harness.BINARY, os.path.join(tools, "scrapetop"))
    with Server() as server:
        def mine(line):
            return line.replace(HOST, "http://" + server.name).replace("api.example.org", "127.0.0.1")

        with open(os.path.join(place, "urls.txt"), "w", encoding="ascii") as file:
            file.writelines(f"http://{server.name}/items/{n}\n" for n in range(20, 25))
        with open(os.path.join(place, "ids.csv"), "w", encoding="ascii") as file:
            file.write("name,id\n" + "".join(f"n{n},{n}\n" for n in range(30, 33)))
        env = harness.environment(PATH=tools + ":" + os.environ["PATH"])
        for line in map(mine, lines):
            if "jq" in line and not shutil.which("jq"):
                continue
            words = shlex.split(line)
            if "--every" in words:  # until it is stopped
                child = harness.start(["/bin/sh", "-c", "exec " + line], cwd=place, env=env, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE)
                wait_for(lambda: server.asked.get("/allData.json"), "the first round")
                wait_for(lambda: any(harness.bodies(os.path.join(place, run)).get("/allData.json")
                                     for run in os.listdir(place) if run.endswith(".run")), "its answer")
                child.send_signal(signal.SIGINT)
                ended = harness.finish(child)
                check_equal(ended.code, 0, f"{line}: {ended}")
                check_equal(harness.read(os.path.join(place, "trains.csv")).count(b"\n"), 3, "lines of trains.csv")
                continue
            if words[1] == "replay":
                with harness.terminal([os.path.join(tools, "scrapetop"), words[1], os.path.join(place, words[2]),
                                       *words[3:]]) as shown:
                    shown.wait_text("replay x60")
                    shown.keys("q")
                    check_equal(shown.exit_code(), 0, "exit code of the replay")
                continue
            ended = harness.finish(harness.start(["/bin/sh", "-c", line], cwd=place, env=env, stdout=subprocess.PIPE,
                                                 stderr=subprocess.PIPE))
            # 13 is not there, which is told by the exit code as long as the run has it.
            want = 3 if words[1] == "run" and not {"-i", "--rows"} & set(words) else 0
            check_equal(ended.code, want, f"{line}: {ended}")
            check(b"error[" not in ended.err, ended)
            if "raw" in words and "--failed" in words:
                check(b"no item 13" in ended.out, ended)
    check_equal(server.asked["/items/13"], 1, "asked for what is not there")
    check_equal(server.asked["/items/14"], 7, "asked for what was broken: six times, and once more by --class 5xx")
    check_equal(server.asked["/items/15"], 1, "asked for what went well")
    check(all(server.asked[f"/items/{n}"] == 2 for n in range(30, 33)), "asked by pattern and by row:", server.asked)
    check_equal(harness.read(os.path.join(place, "items.csv")).count(b"\n"), 6, "lines of items.csv")
    check_equal(harness.read(os.path.join(place, "lots.parquet"))[:4], b"PAR1", "lots.parquet")


def tutorial(ports):
    """The lines of docs/tutorial.md as one script, which waits for each server that it starts."""
    with open(os.path.join(ROOT, "docs", "tutorial.md"), encoding="utf-8") as file:
        lines = [line for block in re.findall(r"^```sh\n(.*?)^```", file.read(), re.M | re.S)
                 for line in block.splitlines()]
    script = ["set -em", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for line in lines:
        for told, free in ports.items():
            line = line.replace(told, free)
        script.append(line)
        if port := re.search(r"serve --port (\d+)", line):
            script.append(f"until (echo > /dev/tcp/127.0.0.1/{port[1]}) 2>/dev/null; do sleep 0.05; done")
    return lines, "\n".join(script)


def test_tutorial__each_line_works__in_order():
    place, tools = scratch("tutorial"), scratch("tools")
    os.makedirs(place)
    os.makedirs(tools)
    os.symlink(harness.BINARY, os.path.join(tools, "scrapetop"))
    with socket.socket() as one, socket.socket() as other:
        for taken in (one, other):
            taken.bind(("127.0.0.1", 0))
        ports = {"8080": str(one.getsockname()[1]), "8081": str(other.getsockname()[1])}
    lines, script = tutorial(ports)
    check(len(lines) > 15, "the tutorial's lines:", lines)
    ended = harness.finish(harness.start(["/bin/bash", "-c", script], cwd=place, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE,
                                         env=harness.environment(PATH=tools + ":" + os.environ["PATH"])))
    check_equal(ended.code, 0, f"the tutorial: {ended}")
    for said in (b"stopped midway", b"the run is sound", b"PID "):
        check(said in ended.out, "never said", said, ended)
    for said in (b"5 of 5 pages: 220 records", b"150/150 ok", b"runs in the background"):
        check(said in ended.err, "never said", said, ended)
    with open(os.path.join(place, "items.csv"), encoding="utf-8") as file:
        check_equal(sum(1 for _ in file), 221, "lines of items.csv")


if __name__ == "__main__":
    harness.main(globals())
