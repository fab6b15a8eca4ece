"""What a run says of itself: whom an error is of, what libcurl said, and figures that agree with each other."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import time

import harness
from harness import check, check_equal, scratch
from peer import Peer, reply

HTTP2_SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def refusing():
    """A port that refuses: bound, but nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken, f"127.0.0.1:{taken.getsockname()[1]}"


def events(run_dir, kind=None):
    lines = [json.loads(line) for line in harness.read(run_dir + "/events.jsonl").splitlines()]
    return [line for line in lines if kind in (None, line["event"])]


def fetch(run_dir, *urls, code=0, more=("--retries", "1", "--backoff", "10ms:20ms")):
    return harness.succeed("run", "--plain", "--json", "-o", run_dir, *more, *urls, code=code)


def test_error_line__names_the_host():
    run_dir = scratch("a.run")
    peer = Peer(lambda ask: reply(status="404 Not Found"))
    taken, refused = refusing()
    ended = fetch(run_dir, peer.url + "/x", f"http://{refused}/x", code=3)
    err = ended.err.decode()
    check(f"GET /x at {peer.url[7:]} failed: HTTP 404" in err, err)
    check(f"GET /x at {refused} failed: connection refused" in err, err)
    check_equal(sorted(e["host"] for e in events(run_dir, "failed")), sorted([peer.url[7:], refused]), "hosts")
    taken.close()


def test_libcurls_sentence__stays_in_the_events():
    run_dir = scratch("a.run")
    taken, refused = refusing()
    fetch(run_dir, f"http://{refused}/x", code=3)
    for kind in "retry", "failed":
        (event,) = events(run_dir, kind)
        check(event["curl"].startswith("Failed to connect to 127.0.0.1 port"), event)
    taken.close()


def test_empty_reply__says_that_the_server_may_speak_http2_only():
    for name, answer, says in (
        ("nothing", lambda ask: None, "Empty reply from server: perhaps the server speaks only HTTP/2"),
        ("frames", lambda ask: HTTP2_SETTINGS if not setattr(ask, "keep", False) else b"",
         "the answer is not HTTP/1: perhaps the server speaks only HTTP/2"),
    ):
        ended = fetch(scratch(name), Peer(answer).url + "/x", code=3)
        check(says in ended.err.decode(), ended)


def test_output__makes_the_directories_above_it():
    peer = Peer(lambda ask: reply({"a": 1}))
    run_dir = scratch("p/q/x.run")
    fetch(run_dir, peer.url + "/[1-3]", more=("--csv", scratch("p/t/x.csv"), "--parquet", scratch("p/u/x.parquet")))
    check_equal(os.stat(run_dir).st_mode & 0o777, 0o700, "mode of the run directory")
    check_equal(harness.read(scratch("p/t/x.csv")), b"a\n1\n1\n1\n", "table")
    harness.succeed("normalise", "-o", scratch("p/v/x.csv"), run_dir)
    harness.succeed("raw", "--dir", scratch("p/w/bodies"), run_dir)
    harness.succeed("sweep", "1,2", "--svg", scratch("p/s/caps.svg"), "-o", scratch("p/s/s.run"), peer.url + "/[1-4]")
    for made in "p/u/x.parquet", "p/v/x.csv", "p/w/bodies", "p/s/caps.svg":
        check(os.path.exists(scratch(made)), made, "is missing")


def test_meta__is_a_column_of_a_runs_own_tables():
    peer = Peer(lambda ask: reply({"a": 1}))
    listed = scratch("list.jsonl")
    with open(listed, "w", encoding="ascii") as file:
        for n in 1, 2:
            print(json.dumps({"name": f"n{n}", "url": f"{peer.url}/{n}"}), file=file)
    run_dir = scratch("m.run")
    harness.succeed("run", "--plain", "-o", run_dir, "--meta", "--csv", scratch("m.csv"), "-i", listed)
    with open(scratch("m.csv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    check_equal([(r["_request_key"], r["_url"], r["_status"], r["a"]) for r in rows],
                [(f"n{n}", f"{peer.url}/{n}", "200", "1") for n in (1, 2)], "rows")
    for row in rows:  # the file that has it, as it can be opened from here
        lines = [json.loads(line) for line in harness.read(row["_source_file"]).splitlines()]
        check(row["_request_key"] in [line["key"] for line in lines], row)
    harness.succeed("normalise", "-o", scratch("n.csv"), run_dir)  # the job has kept the wish
    check_equal(harness.read(scratch("n.csv")), harness.read(scratch("m.csv")), "the table made again")


def test_run__is_done_and_not_failed__with_one_404_in_eight():
    peer = Peer(lambda ask: reply(status="404 Not Found") if ask.path == "/3" else reply())
    run_dir = scratch("a.run")
    ended = fetch(run_dir, peer.url + "/[1-8]", code=3)
    check("DONE 8/8 100.0% ok 7 failed 1" in ended.err.decode(), ended)
    check("FAILED" not in ended.err.decode(), ended)
    check_equal(events(run_dir, "sample")[-1]["state"], "DONE", "state of the last sample")
    ended = fetch(scratch("b.run"), peer.url + "/{3,3}", code=3)
    check("FAILED 2/2 100.0% ok 0 failed 2" in ended.err.decode(), ended)


def test_network_down__is_not_said__while_one_of_two_hosts_is_reached():
    slow = Peer(lambda ask: time.sleep(0.05) or reply())
    taken, refused = refusing()
    run_dir = scratch("a.run")
    fetch(run_dir, slow.url + "/[1-60]", f"http://{refused}/[1-4]", code=3,
          more=("--retries", "2", "--backoff", "400ms:800ms", "--cap", "4"))
    states = {e["state"] for e in events(run_dir, "sample")}
    check("NETWORK DOWN" not in states, states)
    taken.close()


def sessions(run_dir, url):
    """A run of three sessions: stopped, killed, and to its end. One of 40 is a 404, one is tried twice."""
    more, enough = ("--cap", "2", "--backoff", "10ms:20ms"), ("--max-requests", "1000")
    fetch(run_dir, url, code=4, more=(*more, "--max-requests", "10"))
    killed = harness.scrapetop("run", "--plain", "-o", run_dir, *more, *enough, "--rate", "20/s",
                               stderr=subprocess.DEVNULL)
    harness.wait_for(lambda: harness.ledger_counts(run_dir).get(1, 0) >= 15, "15 that are stored")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    return fetch(run_dir, code=3, more=(*more, *enough)).report()


def answer_of_sessions(ask, busy):
    if ask.path == "/3":
        return reply(status="404 Not Found")
    if ask.path == "/5" and not busy:
        busy.append(ask)
        return reply(status="503 Busy")
    time.sleep(0.002)
    return reply()


def test_report__adds_up_sessions():
    run_dir = scratch("a.run")
    busy = []
    peer = Peer(lambda ask: answer_of_sessions(ask, busy))
    report = sessions(run_dir, peer.url + "/[1-40]")
    check_equal((report["requests"], report["ok"], report["failed"]), (40, 39, 1), "requests")
    check(report["status"]["200"] >= 39 and report["status"]["404"] == 1, report["status"])
    check(report["attempts"] >= 40 and report["session"]["ok"] <= 30, report)
    check(report["latency_ms"]["p50"] > 1, report["latency_ms"])

    again = fetch(run_dir, code=3, more=("--max-requests", "1000"))  # has nothing to do
    (line,) = [line for line in again.err.decode().splitlines() if "/40 ok, " in line]
    check("39/40 ok, 1 failed" in line and "in this session 0 ok, 0 failed" in line, line)
    nothing = again.report()
    check_equal(nothing["session"], {"ok": 0, "failed": 0, "retried": 0, "attempts": 0, "bytes": 0}, "session")
    for name in "status", "attempts", "retried", "bytes", "latency_ms":
        check_equal(nothing[name], report[name], name + " after a session that did nothing")

    side = {}
    for row in harness.succeed("compare", run_dir, run_dir).out.decode().splitlines():
        if match := re.match(r"(.{16}) +(\S.*?)  +\S", row):
            side[match[1].split()[-1] if match[1].strip() else ""] = match[2]
    check_equal((side["ok"], side["failed"], side["2xx"], side["4xx"]),
                ("39", "1", str(report["status"]["200"]), "1"), "compare")
    check(side["p50"] != "--" and float(side["p50"].split()[0]) > 1, side)
    check(float(side["requests"].rstrip("/s")) < 1000, "requests over the time of all sessions", side)


def test_status__says_the_present_cap_and_speaks_as_the_report_does():
    run_dir = scratch("a.run")
    peer = Peer(lambda ask: time.sleep(0.05) or reply())
    child = harness.scrapetop("run", "--plain", "-o", run_dir, "--cap", "3", peer.url + "/[1-100000]",
                              stderr=subprocess.DEVNULL)

    def status():
        ended = harness.run("status", "--json", run_dir)
        return ended.report() if ended.code == 0 else {}

    harness.wait_for(lambda: status().get("cap") == 3, "a status with the cap")
    os.kill(child.pid, signal.SIGUSR1)
    harness.wait_for(lambda: status().get("cap") == 4, "the cap that was raised")
    check(b"cap       4, " in harness.succeed("status", run_dir).out, "no cap in the text")
    child.terminate()
    child.wait(60)
    rest = status()
    check_equal((rest["cap"], rest["requests"], rest["ok"]), (None, rest["planned"], rest["done"]), "at rest")


def test_counts__have_their_plural():
    run_dir = scratch("a.run")
    peer = Peer(lambda ask: reply(status="429 Slow", headers=("Retry-After: 0",)) if ask.number == 1 else reply())
    ended = harness.succeed("run", "--plain", "-o", run_dir, "--csv", scratch("a.csv"), peer.url + "/1")
    told = ended.err.decode() + harness.succeed("normalise", run_dir).err.decode()
    check("1 row" in told and "1 429" in told, told)
    wrong = re.search(r"\b1 (rows|columns|cols|records|requests|hosts|bodies|429s|answers|tries|seconds|segments)\b", told)
    check(not wrong, wrong and wrong[0], told)


if __name__ == "__main__":
    harness.main(globals())
