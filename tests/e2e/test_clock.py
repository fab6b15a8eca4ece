"""Clocks that are set and a process that stands still: neither stalls a run, nor lets it burst, nor costs a try.

The wall clock is set by libfaketime, which leaves the monotonic one alone as the kernel does.
"""

import glob
import os
import signal
import subprocess
import threading
import time

import harness
import peer
from harness import check, check_equal, scratch

DAY_S = 86400


class Server(peer.Peer):
    """Tells `answer` of each request, as its path; that gives (status, headers), or waits before."""

    def __init__(self, answer):
        self.times = []

        def reply(ask):
            self.times.append(time.monotonic())
            status, headers = answer(ask.path, ask.number)
            return peer.reply(b'{"a": 1}', f"{status} X", headers=[f"{name}: {value}" for name, value in headers.items()])

        super().__init__(reply)


def faked(file=None, offset=None):
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library:
        raise harness.Skipped("libfaketime is missing: scripts/deps --test")
    if harness.SMALL:
        raise harness.Skipped("a sanitizer's library would have to come before libfaketime")
    env = {"LD_PRELOAD": library[0], "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
    env.update({"FAKETIME_TIMESTAMP_FILE": file} if file else {"FAKETIME": offset})
    return harness.environment(**env)


def set_clock(file, offset):
    with open(file + ".new", "w", encoding="ascii") as new:
        new.write(offset)
    os.rename(file + ".new", file)


# --- the wall clock ----------------------------------------------------------------------------------


def test_poll__keeps_its_pace__when_the_clock_is_set_ahead_and_back():
    server, clock = Server(lambda *_: (200, {})), scratch("clock")
    set_clock(clock, "+0")
    child = harness.scrapetop("run", "--plain", "-o", scratch("p.run"), "--every", "500ms", "--count", "12",
                              server.url + "/x", env=faked(file=clock), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for number, offset in ((3, "+1d"), (6, "+0"), (9, "-400d")):
        harness.wait_for(lambda n=number: server.total() >= n, "rounds")
        set_clock(clock, offset)
    ended = harness.finish(child)
    check_equal(ended.code, 0, f"exit code, {ended}")
    check_equal(server.total(), 12, "requests")
    took = server.times[-1] - server.times[0]
    check(took >= 5, "12 rounds of 500 ms within", took)


def test_poll__goes_on__when_the_clock_was_set_back_between_two_sessions():
    server, run_dir = Server(lambda *_: (200, {})), scratch("b.run")
    child = harness.scrapetop("run", "--plain", "-o", run_dir, "--every", "500ms", "--count", "6", server.url + "/x",
                              env=faked(offset="+0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    harness.wait_for(lambda: server.total() >= 3, "rounds")
    child.kill()
    child.wait()
    ended = harness.run("run", "--plain", "-o", run_dir, env=faked(offset="-400d"))
    check_equal(ended.code, 0, f"exit code, {ended}")
    check(b"6 rounds, 0 skipped" in ended.err, "not so", ended)


def test_wait__is_as_long_as_the_server_asked__whatever_the_clock_says_after_a_restart():
    for offset in ("-400d", "+400d"):
        server = Server(lambda _, number: (503, {"Retry-After": "3"}) if number == 1 else (200, {}))
        run_dir = scratch(f"w{offset}.run")
        child = harness.scrapetop("run", "--plain", "-o", run_dir, server.url + "/x", env=faked(offset="+0"),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        harness.wait_for(lambda: harness.ledger_counts(run_dir) == {3: 1} if os.path.exists(run_dir + "/ledger.db")
                         else False, "a row that waits")
        child.kill()
        child.wait()
        ended = harness.run("run", "--plain", "-o", run_dir, env=faked(offset=offset))
        check_equal(ended.code, 0, f"exit code, {offset}: {ended}")
        times = server.times
        check(len(times) == 2 and times[1] - times[0] >= 3, f"asked too early, {offset}:", times)


def test_wait__is_as_long_as_the_server_asked__when_the_clock_is_set_meanwhile():
    for offset in ("+400d", "-400d"):
        clock = scratch("clock" + offset)

        def answer(_, number, clock=clock, offset=offset):
            if number > 1:
                return 200, {}
            set_clock(clock, offset)
            return 503, {"Retry-After": "2"}

        server = Server(answer)
        set_clock(clock, "+0")
        ended = harness.run("run", "--plain", "-o", scratch(f"m{offset}.run"), server.url + "/x", env=faked(file=clock))
        check_equal(ended.code, 0, f"exit code, {offset}: {ended}")
        times = server.times
        check(len(times) == 2 and times[1] - times[0] >= 2, f"asked too early, {offset}:", times)


# --- standing still ------------------------------------------------------------------------------------


def stop(child):
    child.send_signal(signal.SIGSTOP)
    harness.wait_for(lambda: harness.state_of(child.pid) == "T", "a stopped process")


def test_stop__costs_no_try_and_no_answer__when_it_is_longer_than_the_time_limit():
    arrived, answered = threading.Semaphore(0), threading.Event()

    def answer(*_):
        arrived.release()
        answered.wait()
        return 200, {}

    server = Server(answer)
    child = harness.scrapetop("run", "--plain", "-o", scratch("s.run"), "-c", "5", "--max-time", "2s", "--retries", "0",
                              "--json", f"{server.url}/x?[1-5]", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(5):
        arrived.acquire()
    # What it is stopped in the midst of is not the matter here.
    harness.wait_for(lambda: harness.state_of(child.pid) == "S", "a loop that sleeps")
    stop(child)
    stopped = time.monotonic()
    answered.set()
    harness.wait_for(lambda: time.monotonic() - stopped > 4, "a time longer than the limit")
    child.send_signal(signal.SIGCONT)
    ended = harness.finish(child)
    check_equal(ended.code, 0, f"exit code, {ended}")
    report = ended.report()
    check_equal((report["ok"], report["retried"], server.total()), (5, 0, 5), "ok, retried, asked")
    check(report["latency_ms"]["p99"] < 4000, "the stop is told as the server's time:", report["latency_ms"])
    check(b"goes on after" in ended.err, "not told", ended)


def test_stop__ends_no_time_limit__only_moves_it():
    server = Server(lambda *_: (threading.Event().wait(), {}))
    child = harness.scrapetop("run", "--plain", "-o", scratch("l.run"), "--max-time", "2s", "--retries", "0",
                              server.url + "/x", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(2):
        harness.wait_for(lambda: server.asks, "a request")
        stop(child)
        stopped = time.monotonic()
        harness.wait_for(lambda since=stopped: time.monotonic() - since > 1.5, "a stop")
        child.send_signal(signal.SIGCONT)
    # What it was stopped in may be asked again for nothing; what follows may not.
    ended = harness.finish(child)
    check_equal(ended.code, 3, f"exit code, {ended}")
    check(server.total() <= 3, "asked", server.total(), "times")


if __name__ == "__main__":
    harness.main(globals())
