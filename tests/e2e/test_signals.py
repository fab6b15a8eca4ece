"""Signals to a run without a terminal: drain, abort, terminate; and every one can be resumed."""

import contextlib
import os
import re
import signal
import subprocess
import time

import harness
from harness import check, check_equal, scaled, scratch, wait_for

URLS = scaled(400, 150)
CAP = 10


def start_run(*patterns):
    return harness.scrapetop("run", "-o", scratch("s.run"), "-c", str(CAP), "--json", *patterns,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def all_of(server):
    return f"{server.url}/posts/[1-{URLS}]"


def done():
    """Bodies committed so far; 0 before the ledger is there."""
    try:
        return harness.ledger_counts(scratch("s.run")).get(1, 0)
    except harness.sqlite3.OperationalError:
        return 0


def check_whole_and_resumable(ended, server):
    """What the report calls ok is what lies on the disk; and a second run ends it."""
    report = ended.report()
    stored = harness.bodies(scratch("s.run"))
    check_equal(len(stored), report["ok"], "bodies stored")
    check(all(len(them) == 1 for them in stored.values()), "a body is stored twice")
    check_equal(report["ok"] + report["failed"] + report["pending"], report["requests"], "sum")
    check(f"resume with: scrapetop run -o {scratch('s.run')}" in ended.err.decode(),
          "no word on how to resume:", ended)
    again = harness.succeed("run", "-o", scratch("s.run"), "-c", "50", "--json").report()
    check_equal((again["ok"], again["failed"]), (report["requests"], 0), "ok, failed after resuming")
    stored = harness.bodies(scratch("s.run"))
    check_equal(len(stored), report["requests"], "bodies stored after resuming")
    check(all(len(them) == 1 for them in stored.values()), "a body is stored twice")


def test_sigint__drains_and_exits_7__when_sent_once():
    with harness.api("--latency", "100ms") as server:
        child = start_run(all_of(server))
        wait_for(lambda: server.count() >= 2 * CAP, "requests under way")
        child.send_signal(signal.SIGINT)
        sent_us = time.monotonic_ns() // 1000
        ended = harness.finish(child)
        check(ended.code == 7, "want exit code 7:", ended)
        asked = server.asked()
        late = [a for a in asked if a.arrived_us > sent_us]
        # As many may be on their way when the signal is sent, and as many more until it is seen.
        check(len(late) <= 2 * CAP, len(late), "requests started after SIGINT")
        check_equal(ended.report()["ok"], sum(a.status == 200 for a in asked),
                    "bodies kept of those that the server sent before the drain was over")
        check_whole_and_resumable(ended, server)


@contextlib.contextmanager
def stuck_run():
    """A run of two servers: what the first has is committed, and the second keeps every slot hanging.
    The child, and the function that checks what it leaves once it has ended."""
    kept = 5 * CAP
    with harness.api() as quick:
        stuck = harness.Api("--hang", "100%", name="stuck")
        child = start_run(f"{quick.url}/posts/[1-{kept}]",
                          f"{stuck.url}/posts/[{kept + 1}-{URLS}]")

        def check_end(ended):
            check_equal(ended.report()["ok"], kept, "bodies kept")
            stuck.stop()
            with harness.api("--port", stuck.url.rsplit(":", 1)[1], name="again") as healthy:
                check_whole_and_resumable(ended, healthy)

        wait_for(lambda: done() == kept, "bodies committed")
        yield child, check_end


def test_sigint__aborts_and_keeps_what_is_complete__when_sent_twice():
    with stuck_run() as (child, check_end):
        child.send_signal(signal.SIGINT)
        # The sentence of the first tells that it was seen: two signals at once would count as one.
        harness.read_until(child.stderr, b"Ctrl-C again aborts")
        child.send_signal(signal.SIGINT)
        ended = harness.finish(child)
        # Not 7: it did not wait until the hung ones had failed, nor (HANG_S) for ever.
        check(ended.code == 130, "want exit code 130:", ended)
        check_end(ended)


def test_sigterm__drains_and_exits_7__when_the_rest_is_quick():
    with harness.api("--latency", "100ms") as server:
        child = start_run(all_of(server))
        wait_for(lambda: server.count() >= 2 * CAP, "requests under way")
        child.send_signal(signal.SIGTERM)
        ended = harness.finish(child)
        check(ended.code == 7, "want exit code 7:", ended)
        check_whole_and_resumable(ended, server)


def test_sigterm__exits_143__when_the_rest_hangs():
    with stuck_run() as (child, check_end):
        child.send_signal(signal.SIGTERM)
        ended = harness.finish(child)
        check(ended.code == 143, "want exit code 143:", ended)
        check_end(ended)


STEERING = (signal.SIGUSR1, signal.SIGUSR2)


def is_safe_from(pid, number):
    """It is caught or ignored there."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        masks = re.findall(r"Sig(?:Ign|Cgt):\s*([0-9a-f]+)", file.read())
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


def test_sigusr__ends_no_command():
    """Each waits for what never comes: a list on stdin, an answer, a key."""
    with harness.api("--hang", "100%") as server:
        for command in (["run", "--plain", "-o", scratch("u.run"), f"{server.url}/posts/1"],
                        ["run", "--plain", "-o", scratch("i.run"), "-i", "-"],
                        ["probe", f"{server.url}/posts/1"], ["probe", "-"],
                        ["demo", "--plain", "-o", scratch("v.run"), "--hang", "100%"],
                        ["serve", "--port", "0"], ["replay", scratch("fifo")], ["status", scratch("fifo")],
                        ["normalise", "-"]):
            if not os.path.exists(scratch("fifo")):
                os.mkfifo(scratch("fifo"))
            child = harness.scrapetop(*command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            # Until it has got to main it is no program of ours.
            wait_for(lambda: child.poll() is not None or all(is_safe_from(child.pid, n) for n in STEERING),
                     "the signals being taken")
            for number in STEERING:
                child.send_signal(number)
            child.stdin.close()
            child.send_signal(signal.SIGINT)
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
            check(child.wait() not in [-number for number in STEERING], f"{command[0]} died of a signal")


if __name__ == "__main__":
    harness.main(globals())
