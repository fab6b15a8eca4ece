"""`"split"`: what is too much for a server is asked for in parts, and the table is that of a server that takes all.

The server has one record for each three hours of a quarter. What it refuses, and how, is in the path."""

import contextlib
import csv
import datetime
import http.server
import json
import os
import random
import signal
import subprocess
import threading
import time
import urllib.parse

import harness
from harness import check, check_equal, scratch

BEGIN = datetime.datetime(2026, 1, 1)
MOST = 100  # records that one query may have
HEAVY = range(300, 420)  # records of which one page may have 20
RECORDS = [{"id": n, "at": (BEGIN + datetime.timedelta(hours=3 * n)).isoformat()} for n in range(8 * 90)]

WINDOW = "from={day}&to={day.next}"
NUMBERED = {"param": "page", "size": 100, "size_param": "size"}
SEARCH = {"param": "page", "size": 20, "size_param": "size", "total": "/total"}
# by name: path, "pages", "split"
JOBS = {
    "422": ("/422?" + WINDOW, None, True),
    "words": ("/words?" + WINDOW, None, True),
    "last-day": ("/422?from={day}&to={day.last}&inclusive=1", None, True),
    "epoch": ("/422?begin={day.epoch}&end={day.next.epoch}", None, True),
    "slow": ("/slow?" + WINDOW, None, True),
    "over": ("/deep?" + WINDOW, SEARCH, {"over": MOST}),
    "number": ("/heavy?style=number", NUMBERED, True),
    "number-total": ("/heavy?style=number&total=1", {**NUMBERED, "total": "/total"}, True),
    "number-odd": ("/heavy?style=number&total=1", {**NUMBERED, "size": 63, "total": "/total"}, True),
    "offset": ("/heavy?style=offset", {"offset_param": "offset", "size": 111, "size_param": "size"}, True),
    "offset-total": ("/heavy?style=offset&total=1",
                     {"offset_param": "offset", "size": 111, "size_param": "size", "total": "/total"}, True),
    "cursor": ("/heavy?style=cursor", {"cursor": "/next", "param": "cursor", "size": 100, "size_param": "size"}, True),
}


def asked_for(query):
    """The records of the window, or all."""
    if "from" in query:
        begin, end = (datetime.datetime.fromisoformat(query[name]) for name in ("from", "to"))
    elif "begin" in query:
        begin, end = (datetime.datetime.fromtimestamp(int(query[name]), datetime.timezone.utc).replace(tzinfo=None)
                      for name in ("begin", "end"))
    else:
        return RECORDS
    if "inclusive" in query:
        end += datetime.timedelta(days=1)
    return [r for r in RECORDS if begin.isoformat() <= r["at"] < end.isoformat()]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, path, query):
        records, size = asked_for(query), int(query.get("size", 100))
        if path == "/422" and len(records) > MOST:
            return 422, {"message": "Only the first 100 search results are available"}
        if path == "/words" and len(records) > MOST:
            return 400, {"error": {"reason": "Result window is too large, from + size must be less than 100"}}
        if path == "/slow" and len(records) > 2 * MOST:
            time.sleep(1)
        if path == "/days":
            begin, end = (datetime.date.fromisoformat(query[name]) for name in ("from", "to"))
            if (end - begin).days > 1:
                return 422, {"message": "one day at a time"}
        if path == "/deep" and int(query["page"]) * size > MOST:
            return 422, {"message": "Only the first 100 search results are available"}
        if path not in ("/deep", "/heavy"):
            return 200, {"items": records}
        first = (int(query.get("page", 1)) - 1) * size or int(query.get("offset") or query.get("cursor") or 0)
        page = records[first:first + size]
        if path == "/heavy" and sum(r["id"] in HEAVY for r in page) > 20:
            return 413, {"error": "Payload Too Large"}
        answer = {"items": page}
        if path == "/deep" or "total" in query:
            answer["total"] = len(records)
        if query.get("style") == "cursor":
            answer["next"] = str(first + size) if first + size < len(records) else None
        return 200, answer

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        self.server.asked.append(self.path)
        status, answer = self.answer(parts.path, dict(urllib.parse.parse_qsl(parts.query)))
        data = json.dumps(answer).encode()
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.asked = True, []
    Handler.wbufsize = -1  # an answer is one write
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def job_of(server, name, **changes):
    url, pages, split = JOBS[name]
    endpoint = {"name": "t", "url": url, "records": "/items", "split": split, **changes}
    if pages:
        endpoint["pages"] = pages
    path = scratch(name + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": name, "base": f"http://127.0.0.1:{server.server_port}",
                   "vars": {"day": {"from": "2026-01-01", "to": "2026-03-31", "step": "1mo"}},
                   "endpoints": [endpoint], "pace": {"cap": 4}, "output": ["csv"]}, file)
    return path


def ids_of(run_dir):
    with open(os.path.join(run_dir, "t.csv"), encoding="utf-8", newline="") as file:
        return [int(row["id"]) for row in csv.DictReader(file)]


def test_split__makes_the_table_of_the_whole__in_its_order():
    with serve() as server:
        for name in JOBS:
            server.asked.clear()
            run_dir = scratch(name + ".run")
            ended = harness.succeed("run", "-o", run_dir, "--json", "--max-time", "400ms" if name == "slow" else "30s",
                                    "--backoff", "1ms:2ms", job_of(server, name))
            check_equal(ids_of(run_dir), list(range(len(RECORDS))), f"{name}: ids, in their order")
            check_equal(ended.report()["failed"], 0, f"{name}: failed")
            split = ended.report()["session_split"]
            check(split > 0 and f"{split} too much for the server".encode() in ended.err, f"{name}: split", ended)
            check(len(server.asked) == len(set(server.asked)) or name == "slow", f"{name}: asked twice", server.asked)
            harness.succeed("verify", run_dir)
            # The next night all is asked anew, and split anew.
            if name in ("422", "over", "number-total"):
                harness.succeed("run", "--again", "-o", run_dir)
                check_equal(ids_of(run_dir), list(range(len(RECORDS))), f"{name}: ids of the second night")


def test_split__goes_on_level_by_level__though_no_answer_counts_before_the_last():
    with serve() as server:
        path = job_of(server, "422", url="/days?" + WINDOW)
        with open(path, encoding="utf-8") as file:
            job = json.load(file)
        job["vars"]["day"] = {"from": "2026-01-01", "to": "2026-12-31", "step": "1y"}
        with open(path, "w", encoding="utf-8") as file:
            json.dump(job, file)
        run_dir = scratch("days.run")
        ended = harness.succeed("run", "-o", run_dir, "--json", path)
        check_equal(ended.report()["session_split"], 364, "splits of a year")
        check_equal(len(server.asked), 364 + 365, "requests")
        check_equal(ids_of(run_dir), list(range(len(RECORDS))), "ids")


def test_split__loses_nothing__when_it_is_killed_again_and_again():
    chance = random.Random(18)
    with serve() as server:
        for name in "over", "number-total":
            run_dir, path, kills = scratch(name + "-killed.run"), job_of(server, name), 0
            for _ in range(12):
                child = harness.scrapetop("run", "--plain", "-c", "1", "-o", run_dir, path, stderr=subprocess.DEVNULL)
                wanted = len(server.asked) + chance.randrange(1, 9)
                harness.wait_for(lambda: len(server.asked) >= wanted or child.poll() is not None, "requests")
                child.kill()
                kills += child.wait() == -signal.SIGKILL
            check(kills > 1, "it ended before it was killed: this shows nothing")
            harness.succeed("run", "-o", run_dir, path)
            check_equal(ids_of(run_dir), list(range(len(RECORDS))), f"{name}: ids")


def test_split__that_ends_at_what_cannot_be_halved__fails_and_says_so():
    with serve() as server:
        url = "/422?from={day}&to={day.next}&x={day}"
        path = job_of(server, "422", url=url)
        with open(path, encoding="utf-8") as file:
            job = json.load(file)
        job["vars"]["day"]["format"] = "%Y-%m-01"  # cannot tell days apart
        with open(path, "w", encoding="utf-8") as file:
            json.dump(job, file)
        ended = harness.run("run", "--plain", "-o", scratch("floor.run"), path)
        check(ended.code == 3 and b"its window cannot be halved any more" in ended.err, "a floor:", ended)
        check_equal(len(server.asked), 3, "requests: nothing is asked twice")


def test_split__of_a_server_that_refuses_all__ends():
    with serve() as server:
        path = job_of(server, "422", url="/422?from={day}&to={day.next}&begin=x")
        Handler.answer, answer = lambda *_: (422, {"error": "never"}), Handler.answer
        try:
            ended = harness.run("run", "--plain", "-o", scratch("never.run"), path)
        finally:
            Handler.answer = answer
        check(ended.code in (3, 4), "exit code:", ended)
        check(len(server.asked) <= 250, "requests", len(server.asked))


def test_mistakes__are_told_with_their_place():
    with serve() as server:
        for name, changes, words in (
                ("422", {"split": 1}, b"want true, or"),
                ("422", {"split": {"over": 0}}, b"want true, or"),
                ("422", {"split": {"above": 5}}, b"want true, or"),
                ("422", {"url": "/422?from={day}"}, b"wants a window"),
                ("422", {"split": {"over": 5}}, b'wants "total"'),
                ("422", {"url": None, "sources": [{"url": "http://a.test/"}]}, b"no window of time")):
            changes = dict(changes)
            path = job_of(server, name, **changes)
            with open(path, encoding="utf-8") as file:
                job = json.load(file)
            if job["endpoints"][0]["url"] is None:
                del job["endpoints"][0]["url"]
            with open(path, "w", encoding="utf-8") as file:
                json.dump(job, file)
            ended = harness.succeed("run", "-o", scratch("mistake.run"), path, code=2)
            check(words in ended.err, words, ended)
            check_equal(server.asked, [], "requests")


if __name__ == "__main__":
    harness.main(globals())
