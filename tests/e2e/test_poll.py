"""Runs that poll: --every, --count, --until, job files; kept apart by time, unchanged ones not kept twice.

/allData.json of the embedded API is the model: an object of objects that changes with the times it is asked,
and has an ETag. The server's log is the witness for what was asked, and when.
"""

import csv
import io
import json
import os
import signal
import subprocess

import harness
from harness import check, check_equal, scratch

EVERY_S = 0.3
MS = 0.001  # to which times in the server's log are cut


def write_job(name, job):
    path = scratch(name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(job, file)
    return path


def table(path):
    return list(csv.DictReader(io.StringIO(harness.read(path).decode())))


def rounds(run_dir):
    """What the ledger keeps of the rounds."""
    return dict(harness.ledger(run_dir, "SELECT name, value FROM meta WHERE name GLOB 'poll_*'"))


def begun(run_dir):
    return os.path.exists(os.path.join(run_dir, "ledger.db")) and rounds(run_dir).get("poll_begun", 0)


def test_poll__makes_a_table_of_trains_over_time():
    run_dir, out = scratch("trains.run"), scratch("trains.csv")
    with harness.api() as server:
        ended = harness.succeed("run", "-o", run_dir, "--every", "100ms", "--count", "8", "--records", "/*",
                                "--csv", out, "--json", f"{server.url}/allData.json")
        server.stop()
        asked = server.asked()
    report = ended.report()
    check_equal(len(asked), 8, "polls")
    unchanged = sum(a.status == 304 for a in asked)
    check(0 < unchanged < 7, unchanged, "polls answered 304: this shows nothing")
    check_equal((report["requests"], report["ok"], report["failed"], report["pending"]), (8, 8, 0, 0),
                "requests, ok, failed, pending")
    check_equal((report["unchanged"], report["rounds"]), (unchanged, 8), "unchanged, rounds")
    check(f"; 8 rounds, {report['rounds_skipped']} skipped, {unchanged} unchanged".encode() in ended.err, ended.err)
    lines = [json.loads(line) for line in harness.raw_lines(run_dir)]
    check_equal(len(lines), 8 - unchanged, "stored snapshots")
    rows = table(out)
    check_equal(len(rows), sum(len(line["body"]) for line in lines), "rows")
    check_equal(sorted({row["_fetched_at"] for row in rows}), [line["fetched_at"] for line in lines],
                "times in the table")
    check_equal([row["_key"] for row in rows], [key for line in lines for key in line["body"]],
                "trains, snapshot after snapshot")
    again = scratch("again.csv")
    harness.succeed("normalise", "-o", again, run_dir)
    check_equal(harness.read(again), harness.read(out), "the table, made again from the run")
    status = json.loads(harness.succeed("status", "--json", run_dir).out)
    check_equal((status["done"], status["unchanged"]), (8, unchanged), "done, unchanged by status")
    harness.succeed("verify", run_dir)


def test_table__has_the_last_state_of_each_train__with_keep_last():
    run_dir, out = scratch("last.run"), scratch("last.csv")
    with harness.api() as server:
        job = write_job("last.json", {"base": server.url, "endpoints": [
            {"name": "trains", "url": "/allData.json", "records": "/*"}], "every": "100ms", "count": 8,
            "tables": {"trains": {"unique": ["_key"], "keep": "last"}}})
        harness.succeed("run", job, "-o", run_dir)
        server.stop()
    lines = [json.loads(line) for line in harness.raw_lines(run_dir)]
    check(len(lines) > 1, "one snapshot shows nothing")
    last = {}
    for line in sorted(lines, key=lambda line: line["fetched_at"]):
        for key in line["body"]:
            last[key] = line["fetched_at"]
    harness.succeed("normalise", "-o", out, run_dir)
    check_equal({row["_key"]: row["_fetched_at"] for row in table(out)}, last, "when each train was last seen")
    check_equal(len(table(out)), len(last), "rows")
    harness.succeed("normalise", "-o", out, "--keep", "first", run_dir)
    check_equal(len(table(out)), len(last), "rows: the job's last stays")
    # The state at the time of each snapshot, and just before the first.
    for line in lines:
        harness.succeed("normalise", "-o", out, "--as-of", line["fetched_at"], run_dir)
        then = {key: other["fetched_at"] for other in lines if other["fetched_at"] <= line["fetched_at"] for key in other["body"]}
        check_equal({row["_key"]: row["_fetched_at"] for row in table(out)}, then, f"trains as of {line['fetched_at']}")
    ended = harness.succeed("normalise", "-o", out, "--as-of", "2001-01-01", run_dir)
    check_equal(table(out), [], "before anything came")
    check(f"{len(lines)} records left out: came after --as-of".encode() in ended.err, ended)
    for arguments, words in (["--as-of", "2001-01-01", "-"], b"--as-of wants a run"), (["--as-of", "soon", run_dir], b"is no time"):
        refused = harness.run("normalise", *arguments, stdin=b"{}")
        check(refused.code == 2 and words in refused.err, refused)
    refused = harness.run("normalise", "--keep", "last", "-o", scratch("x.csv"), "-", stdin=b"{}")
    check(refused.code == 2 and b"--keep wants --unique" in refused.err, refused)


def test_poll__keeps_to_its_times():
    run_dir = scratch("grid.run")
    with harness.api("--latency", "50ms") as server:
        harness.succeed("run", "-o", run_dir, "--every", f"{EVERY_S}s", "--count", "6",
                        f"{server.url}/posts/[1-3]")
        server.stop()
        arrived = [a.wall_s for a in server.asked()]
    check_equal(len(arrived), 18, "requests")
    kept = rounds(run_dir)
    check_equal(kept["poll_slot"], 5 + kept["poll_skipped"], "place of the last round in the grid")
    for n, slot in (*enumerate(range(5)), (5, kept["poll_slot"])):
        due_s = kept["poll_started_us"] / 1e6 + slot * EVERY_S
        check(min(arrived[n * 3:n * 3 + 3]) >= due_s - MS, f"round {n} began before its time: {due_s} {arrived}")


def test_poll__never_asks_twice_at_once__and_skips_instead():
    run_dir = scratch("slow.run")
    with harness.api() as server:
        ended = harness.succeed("run", "-o", run_dir, "--every", "100ms", "--count", "3", "--json",
                                f"{server.url}/slow?ms=250")
        server.stop()
        asked = server.asked()
    check_equal(len(asked), 3, "polls")
    check_equal([a.in_flight for a in asked], [1, 1, 1], "in flight at each")
    check(ended.report()["rounds_skipped"] >= 4, "skipped:", ended.report()["rounds_skipped"])
    check(b"skipped" in ended.err, ended.err)


def kill_in_a_round(run_dir, arguments, api_options, wanted):
    """Kills a run with requests of a further round in flight. The report of the run that goes on, all that was
    asked, and how many requests were settled at the kill."""
    with harness.api(*api_options) as server:
        child = harness.scrapetop("run", "-o", run_dir, *arguments(server.url), stderr=subprocess.DEVNULL)
        harness.wait_for(lambda: begun(run_dir) >= 2 and
                         sum(harness.ledger_counts(run_dir).values()) >= wanted, "a second round")
        child.send_signal(signal.SIGKILL)
        child.wait()
        settled = sum(harness.ledger_counts(run_dir).values())
        ended = harness.succeed("run", *arguments(server.url), "-o", run_dir, "--json")
        server.stop()
        return ended.report(), server.asked(), settled


def test_poll__neither_loses_nor_repeats_a_round__after_a_kill():
    run_dir = scratch("killed.run")
    report, asked, settled = kill_in_a_round(
        run_dir, lambda url: ["-c", "4", "--every", "500ms", "--count", "3", f"{url}/posts/[1-40]"],
        ["--latency", "20ms"], 60)
    check_equal((report["ok"], report["failed"], report["pending"], report["rounds"]), (120, 0, 0, 3),
                "ok, failed, pending, rounds")
    check_equal(harness.ledger_counts(run_dir), {1: 120}, "ledger, by state")
    check_equal(harness.ledger(run_dir, "SELECT count(*), count(DISTINCT place) FROM found"), [(80, 80)],
                "polls of further rounds, and places of theirs")
    times = sorted(sum(a.path == f"/posts/{n}" for a in asked) for n in range(1, 41))
    # Once more: what was in flight, or answered and not yet committed, when it was killed; nothing else.
    check(times[0] == 3 and times[-1] <= 4 and sum(times) <= 120 + (120 - settled), "asked", times)
    # The posts never change: what came again was not stored again.
    check_equal(len(list(harness.raw_lines(run_dir))), 40, "stored bodies")
    check_equal(report["unchanged"], 80, "unchanged")


def test_poll__follows_pages_in_each_round__with_times_in_the_table():
    job = {"name": "posts", "every": "200ms", "count": 2, "endpoints": [
        {"name": "posts", "url": "/posts", "pages": {"param": "_page", "size": 100, "size_param": "_limit",
                                                     "total": "header:X-Total-Count"}}]}
    run_dir, out = scratch("pages.run"), scratch("pages.csv")
    with harness.api() as server:
        job["base"] = server.url
        ended = harness.succeed("run", "-o", run_dir, "--csv", out, "--json", write_job("posts.json", job))
        server.stop()
        asked = server.asked()
    report = ended.report()
    check_equal(len(asked), 2 * 10, "pages asked in two rounds")
    check_equal((report["ok"], report["rounds"], report["unchanged"]), (20, 2, 10), "ok, rounds, unchanged")
    check_equal(len(table(out)), 1000, "rows of the first round; in the second all was the same")


def test_poll__ends_at_once__when_stopped_between_rounds():
    run_dir, out = scratch("rest.run"), scratch("rest.csv")
    with harness.api() as server:
        child = harness.scrapetop("run", "-o", run_dir, "--every", "1h", "--csv", out, "--json",
                                  f"{server.url}/posts/[1-5]", stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        harness.wait_for(lambda: begun(run_dir) and harness.ledger_counts(run_dir) == {1: 5}, "a round")
        cpu = harness.cpu_s(child.pid)
        child.send_signal(signal.SIGINT)
        ended = harness.finish(child)
        check_equal(server.count(), 5, "requests")
    check_equal(ended.code, 0, "exit code of what was to go on until stopped")
    check(cpu < 5, "CPU seconds while resting:", cpu)
    check_equal(len(table(out)), 5, "rows")


def test_poll__goes_on_with_its_rounds__when_resumed():
    run_dir = scratch("two.run")
    with harness.api() as server:
        child = harness.scrapetop("run", "-o", run_dir, "--every", "5s", "--count", "2", f"{server.url}/posts/1",
                                  stderr=subprocess.PIPE)
        harness.wait_for(lambda: begun(run_dir) and harness.ledger_counts(run_dir) == {1: 1}, "a round")
        started_us = rounds(run_dir)["poll_started_us"]
        child.send_signal(signal.SIGINT)
        ended = harness.finish(child)
        check_equal(ended.code, 7, "exit code when rounds were to come")
        check(b"rounds are left; resume with: scrapetop run -o" in ended.err, ended.err)
        harness.succeed("run", "-o", run_dir)
        server.stop()
        asked = server.asked()
    check_equal(len(asked), 2, "requests")
    # The restart changed nothing of the times: a whole multiple of the interval after the first.
    kept = rounds(run_dir)
    check_equal(kept["poll_started_us"], started_us, "when the first round began")
    due_s = started_us / 1e6 + 5 * kept["poll_slot"]
    check(kept["poll_slot"] > 0 and asked[1].wall_s >= due_s - MS, "due at", due_s, "asked at", asked[1].wall_s)


def test_poll__shows_when_the_next_round_begins():
    with harness.api() as server:
        with harness.terminal([harness.BINARY, "run", "-o", scratch("seen.run"), "--every", "1h", "--count", "9",
                               f"{server.url}/posts/[1-5]"], columns=120) as shown:
            shown.wait_text(r"NEXT ROUND 5\d:\d\d")
            shown.wait_text(r"limited by NEXT ROUND in 5\d:\d\d \(every 1h")
            shown.wait_text(r"round 1/9")
            shown.keys("q")
            shown.wait(lambda: not shown.alive(), "its end")
            check_equal(shown.exit_code(), 7, "exit code")


def test_poll__is_refused__with_what_makes_no_sense():
    for arguments, words in ((["--count", "3"], b"--every"), (["--until", "2026-11-21"], b"--every"),
                             (["--every", "1ms"], b"--every"), (["--every", "1s", "--until", "noon"], b"--until"),
                             (["--every", "1s", "--sweep", "1,2"], b"--sweep")):
        ended = harness.succeed("run", *arguments, "-o", scratch("no.run"), "http://127.0.0.1:1/", code=2)
        check(words in ended.err, f"{arguments}: {ended.err}")


if __name__ == "__main__":
    harness.main(globals())
