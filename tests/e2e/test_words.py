"""What a run says of itself: whom an error is of, what libcurl said, and figures that agree with each other."""

import csv
import json
import os
import socket
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


if __name__ == "__main__":
    harness.main(globals())
