"""What failed can be read: what the server said, kept and told, and every retry a line of events.jsonl."""

import json
import os

import harness
import peer
from harness import check, check_equal, scratch

SECRET = "sesame-4711-open"
EVIL = b'{"error":"\x1b[31mkey ' + SECRET.encode() + b' is unknown","limit":0500}'  # no JSON, however it is read


class Server(peer.Peer):
    """/N: 2 is 422, 3 is 503 (HTML) twice and then well, 4 is 500 for good and echoes the key."""

    def __init__(self):
        self.mended = False
        super().__init__(self.reply)

    def reply(self, ask):
        n = int(ask.path.rsplit("/", 1)[1])
        status, body, kind = "200 OK", b'{"a":1}', "application/json"
        if n == 2 and not self.mended:
            status, body = "422 No", '{"detail":"limit must be ≤ 500"}'.encode()
        if n == 3 and self.asked[ask.path] < 3:
            status, kind = "503 Busy", "text/html"
            body = b"<!doctype html><html><head><title>Overloaded</title></head></html>"
        if n == 4 and not self.mended:
            status, body = "500 Broken", EVIL
        return peer.reply(body, status, kind, [f"X-Request-Id: id-{n}", f"X-Echo: {SECRET}", "Set-Cookie: session=abcdef"])


def fetch(run_dir, server, *more, code=3):
    return harness.succeed("run", "--plain", "-o", run_dir, "--retries", "2", "--backoff", "10ms:20ms",
                           "-H", "X-Key: ${KEY}", "--json", *more, f"{server.url}/x/[1-5]", code=code,
                           env=harness.environment(KEY=SECRET))


def events(run_dir):
    return [json.loads(line) for line in harness.read(run_dir + "/events.jsonl").splitlines()]


def lines(ended):
    return [json.loads(line) for line in ended.out.splitlines()]


def test_failed__is_told_with_what_the_server_said():
    run_dir = scratch("a.run")
    server = Server()
    ended = fetch(run_dir, server)
    check('HTTP 422: {"detail":"limit must be ≤ 500"}'.encode() in ended.err, ended.err)
    check(b"all tries used: {" in ended.err, ended.err)
    check(b"\x1b" not in ended.err, "an escape reached the terminal")
    failures = {f["class"]: f for f in ended.report()["failures"]}
    check_equal(sorted(failures), ["422", "500"], "classes")
    check_equal(failures["422"]["said"], '{"detail":"limit must be ≤ 500"}', "said, by the report")
    kept = harness.everything_in(run_dir)
    check(SECRET.encode() not in kept, "the key stands in the run's directory")
    check(b"session=abcdef" not in kept, "a cookie stands in the run's directory")


def test_raw_failed__prints_headers_and_body():
    run_dir = scratch("b.run")
    server = Server()
    fetch(run_dir, server)
    said = {o["key"]: o for o in lines(harness.succeed("raw", "--failed", "--json", run_dir))}
    check_equal(sorted(said), ["2", "4"], "keys")
    check_equal(json.loads(said["2"]["body"]), {"detail": "limit must be ≤ 500"}, "body")
    headers = dict(said["2"]["headers"])
    check_equal((headers["x-request-id"], headers["x-echo"], headers["set-cookie"]),
                ("id-2", "***", "***"), "headers")
    check_equal((said["4"]["class"], said["4"]["attempts"], said["4"]["status"]), ("500", 3, 500),
                "class, attempts, status")
    check_equal(said["4"]["url"], f"{server.url}/x/4", "url")
    text = harness.succeed("raw", "--failed", run_dir, "2").out
    check(b"x-request-id: id-2\n" in text and '≤ 500"}'.encode() in text, text)
    check(b"/x/4" not in text, "another one was printed")
    ended = harness.run("raw", "--failed", run_dir, "9")
    check_equal((ended.code, b"E-KEY1" in ended.err), (3, True), "code, E-KEY1")
    with harness.terminal([harness.BINARY, "raw", "--failed", run_dir]) as shown:
        shown.wait_text(r"\\x1b\[31mkey \*\*\*")
        check(b"\x1b[31m" not in shown.raw, "an escape reached the terminal")
    # What has come since is no failure any more, and what was said of it is gone.
    server.mended = True
    harness.succeed("run", "-o", run_dir, "--only-failed", env=harness.environment(KEY=SECRET))
    check_equal(harness.succeed("raw", "--failed", "--json", run_dir).out, b"", "said, afterwards")
    check_equal(harness.ledger(run_dir, "SELECT count(*) FROM said"), [(0,)], "rows kept")


def test_status_failed__lists_each():
    run_dir = scratch("c.run")
    server = Server()
    fetch(run_dir, server)
    listed = lines(harness.succeed("status", "--failed", "--json", run_dir))
    check_equal([(o["id"], o["key"], o["class"], o["status"], o["attempts"], o["reason"]) for o in listed],
                [(2, "2", "422", 422, 1, "HTTP 422"), (4, "4", "500", 500, 3, "HTTP 500")], "listed")
    check_equal(listed[0]["said"], '{"detail":"limit must be ≤ 500"}', "said")
    text = harness.succeed("status", "--failed", run_dir).out
    check(b"\x1b" not in text and b"HTTP 422: {" in text, text)
    check_equal(len(text.splitlines()), 3, "lines")


def test_retries__are_lines_of_the_events():
    run_dir = scratch("d.run")
    server = Server()
    fetch(run_dir, server)
    retries = [e for e in events(run_dir) if e["event"] == "retry"]
    check_equal(sorted((e["id"], e["key"], e["attempt"], e["attempts_max"], e["status"], e["class"])
                       for e in retries),
                [(3, "3", 1, 3, 503, "503"), (3, "3", 2, 3, 503, "503"), (4, "4", 1, 3, 500, "500"),
                 (4, "4", 2, 3, 500, "500")], "retries")
    for e in retries:
        check_equal((e["outcome"], e["set_by"], e["wait_ms"] <= 20), ("status", "backoff", True), e)
    failed = [e for e in events(run_dir) if e["event"] == "failed"]
    check_equal(sorted((e["id"], e["key"], e["class"], e["attempt"]) for e in failed),
                [(2, "2", "422", 1), (4, "4", "500", 3)], "failed")


def test_failed_jsonl__lists_all_of_them__and_goes_when_none_is_left():
    run_dir = scratch("all.run")
    server = Server()
    server.mended = False
    fetch(run_dir, server)
    path = scratch("all.run/failed.jsonl")
    listed = harness.read(path)
    check_equal(listed, harness.succeed("status", "--failed", "--json", run_dir).out, "failed.jsonl")
    check_equal([json.loads(line)["key"] for line in listed.splitlines()], ["2", "4"], "keys")
    check(SECRET.encode() not in listed, "a secret:", listed)
    server.mended = True
    ended = harness.run("run", "--plain", "-o", run_dir, "--only-failed")
    check(b"KEY is not set" in ended.err and b"remove this file" not in ended.err, ended)
    harness.succeed("run", "--plain", "-o", run_dir, "--only-failed", env=harness.environment(KEY=SECRET))
    check(not os.path.exists(path), "it lists what has not failed any more")


def test_failed__are_listed_by_one_key__and_enter_shows_one():
    run_dir = scratch("many.run")
    with harness.api() as server:
        url = f"{server.url}/{{posts,nothing}}/[1-150]"
        arguments = [harness.BINARY, "run", "--retries", "0", "-o", run_dir, url]
        for session in (1, 2):  # of this session, and of an earlier one
            with harness.terminal(arguments) as shown:
                shown.wait_text("150 failed: F lists them")
                shown.keys("F\x0c")  # painted anew: the model of the terminal lacks a sequence that real ones have
                shown.wait_text(r"Failed requests 150 .*1-15 of 150")
                shown.wait_text(r"[0-9]s +HTTP 404.*GET /nothing/1[345]" if session == 1 else r"-- +HTTP 404.*GET /nothing/1[345]")
                shown.keys("/nothing/77\r\x0c")
                shown.wait_text(r"HTTP 404.*GET /nothing/77\b")
                shown.keys("j\r\x0c")
                shown.wait_text(r"9 Detail")
                shown.wait_text(r"/nothing/77\b(.|\n)*no such endpoint")
                shown.keys("\x1b")
                shown.wait_text(r"Failed requests")
                shown.keys("F\x0c")
                shown.wait_text(r"1 In flight")
                shown.keys("q")
                shown.exit_code()
        check_equal(len(harness.read(scratch("many.run/failed.jsonl")).splitlines()), 150, "lines")


def test_hold__names_the_host_and_who_set_it():
    run_dir = scratch("h.run")
    with harness.api("--limit", "5/s:2") as server:
        harness.succeed("run", "--plain", "-o", run_dir, f"{server.url}/posts/[1-8]")
        port = server.url.rsplit(":", 1)[1]
    holds = [e for e in events(run_dir) if e["event"] == "hold"]
    check(holds, "nothing was held: this weather shows nothing")
    for e in holds:
        check_equal((e["host"], e["status"], e["set_by"], e["hold_ms"] > 0),
                    (f"127.0.0.1:{port}", 429, "retry-after", True), e)


if __name__ == "__main__":
    harness.main(globals())
