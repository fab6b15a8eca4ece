"""Sessions that ask a part of what an earlier one has left: --only-failed, --class, --only-missing.

The server's log is the witness for what was asked. A second server takes the first one's place, on its
port, once the weather is to be fine.
"""

import os
import signal
import subprocess

import harness
from harness import check, check_equal, scratch

URLS = 40


def port_of(url):
    return url.rsplit(":", 1)[1]


def paths(asked):
    return sorted({a.path for a in asked})


def failed_ids(run_dir, where="1"):
    """The failed requests' numbers, which here are what varies in their URLs."""
    return [i for (i,) in harness.ledger(run_dir, f"SELECT id FROM request WHERE state=2 AND {where}")]


def bad_run(run_dir, server):
    """A run without retries on a bad day; the numbers that failed."""
    ended = harness.succeed("run", "-o", run_dir, "-c", "20", "--retries", "0", "--json",
                            f"{server.url}/posts/[1-{URLS}]", code=3)
    failed = failed_ids(run_dir)
    check(0 < len(failed) < URLS, len(failed), "failed: this weather shows nothing")
    check_equal(ended.report()["failed"], len(failed), "failed, by the report")
    return failed


def test_only_failed__asks_these_and_no_other__until_all_is_there():
    run_dir = scratch("f.run")
    with harness.api("--fail", "30%") as server:
        failed = bad_run(run_dir, server)
        url = server.url
        server.stop()
    with harness.api("--port", port_of(url), name="fine") as server:
        ended = harness.succeed("run", "-o", run_dir, "--only-failed", "--json")
        server.stop()
        check_equal(paths(server.asked()), sorted(f"/posts/{n}" for n in failed), "asked")
        check_equal(server.count(), len(failed), "requests")
    report = ended.report()
    check_equal((report["requests"], report["ok"], report["failed"], report["pending"]),
                (URLS, URLS, 0, 0), "requests, ok, failed, pending")
    check_equal(harness.ledger_counts(run_dir), {1: URLS}, "ledger, by state")
    check(all(len(them) == 1 for them in harness.bodies(run_dir).values()), "a body is stored twice")
    with harness.api("--port", port_of(url), name="idle") as server:
        harness.succeed("run", "-o", run_dir, "--only-failed")
        check_equal(server.count(), 0, "requests when nothing had failed")


def test_class__asks_one_class_again__and_the_exit_code_tells_of_the_others():
    run_dir = scratch("c.run")
    with harness.api() as server:
        harness.succeed("run", "-o", run_dir, "--retries", "0", f"{server.url}/status/[402-404]",
                        f"{server.url}/status/[500-502]", f"{server.url}/posts/[1-5]", code=3)
        before = server.count()
        harness.succeed("run", "-o", run_dir, "--class", "5xx", code=3)
        harness.succeed("run", "-o", run_dir, "--class", "404", code=3)
        server.stop()
        check_equal([a.path for a in server.asked()[before + 3:]], ["/status/404"], "asked by 404")
        check_equal(paths(server.asked()[before:before + 3]),
                    [f"/status/{n}" for n in (500, 501, 502)], "asked by 5xx")
    check_equal(harness.ledger_counts(run_dir), {1: 5, 2: 6}, "ledger, by state")


def test_only_missing__fills_the_gaps__after_a_kill():
    run_dir = scratch("m.run")
    with harness.api("--latency", "20ms", "--fail", "10%") as server:
        child = harness.scrapetop("run", "-o", run_dir, "-c", "10", "--retries", "0",
                                  f"{server.url}/posts/[1-100000]", stderr=subprocess.DEVNULL)
        harness.wait_for(lambda: os.path.exists(os.path.join(run_dir, "ledger.db")) and
                         sum(harness.ledger_counts(run_dir).values()) > 30, "thirty ended")
        child.send_signal(signal.SIGKILL)
        child.wait()
        url = server.url
        server.stop()
    highest = harness.ledger(run_dir, "SELECT max(id) FROM request")[0][0]
    done = {i for (i,) in harness.ledger(run_dir, "SELECT id FROM request WHERE state=1")}
    missing = [n for n in range(1, highest + 1) if n not in done]
    check(missing, "nothing is missing: this shows nothing")
    with harness.api("--port", port_of(url), name="fine") as server:
        ended = harness.succeed("run", "-o", run_dir, "--only-missing", "--json", code=7)
        server.stop()
        check_equal(paths(server.asked()), sorted(f"/posts/{n}" for n in missing), "asked")
    check_equal(harness.ledger_counts(run_dir), {1: highest}, "ledger, by state")
    check_equal(ended.report()["pending"], 100000 - highest, "left to a session like any other")


def test_follow_up__is_refused__where_there_is_nothing_to_follow():
    for arguments, words in (
            (["--only-failed", "-o", scratch("no.run")], b"holds no run"),
            (["--only-missing", "-o", scratch("no.run"), "http://127.0.0.1:1/"], b"holds no run"),
            (["--class", "6xx", "-o", scratch("no.run")], b"no failures are called"),
            (["--only-missing", "--class", "5xx", "-o", scratch("no.run")], b"--only-missing"),
            (["--only-failed", "--fresh", "http://127.0.0.1:1/"], b"--fresh"),
    ):
        ended = harness.succeed("run", *arguments, code=2)
        check(words in ended.err, f"{arguments}: {ended.err}")
        check(not os.path.exists(scratch("no.run")), "a directory was made")


if __name__ == "__main__":
    harness.main(globals())
