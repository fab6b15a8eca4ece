"""The power fails under the program itself: it is killed at a call that changes the disk, and what was not synced by
then is cut, zeroed or garbled, as tests/faults/faults.py does it to the store alone.

Whatever is left, it is either a run without damage or none at all; the next run ends it, every body is there once, and
what the killed one had said was stored is there without being asked again.
"""

import importlib.util
import json
import os
import random
import signal
import sqlite3
import subprocess

import harness
from harness import check, check_equal, scratch

URLS = 120
LOSSES = int(os.environ.get("E2E_POWER_LOSSES", "24"))
DISK = os.environ["FAULT_DISK"]
HERE = os.path.dirname(os.path.abspath(__file__))


def store_faults():
    """tests/faults/faults.py, which knows what a power loss leaves."""
    path = os.path.join(HERE, "..", "faults", "faults.py")
    spec = importlib.util.spec_from_file_location("faults", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Run:
    """What faults.py asks of a run."""

    def __init__(self, name):
        self.dir, self.log = scratch(name), scratch(name + ".log")
        with open(self.log, "w", encoding="ascii"):
            pass  # killed at its first call it writes none

    def log_lines(self):
        with open(self.log, encoding="utf-8") as lines:
            for line in lines:
                call, name, size = line.rsplit(None, 2)
                yield call, name, int(size)

    def start(self, server, **disk):
        return harness.scrapetop("run", "--plain", "--json", "-c", "8", "-o", self.dir, f"{server.url}/posts/[1-{URLS}]",
                                 env=harness.environment(LD_PRELOAD=DISK, DISK_LOG=self.log, **disk),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def stored(run):
    """Requests that the ledger has as done; 0 while there is no ledger yet."""
    if not os.path.exists(os.path.join(run.dir, "ledger.db")):
        return 0
    try:
        return harness.ledger_counts(run.dir).get(1, 0)
    except sqlite3.DatabaseError:  # its first bytes were not synced
        return 0


def go_on(server, run):
    """The run is ended by who started it, with the command that began it where nothing is left of it."""
    url = f"{server.url}/posts/[1-{URLS}]"
    if os.path.exists(os.path.join(run.dir, "ledger.db")):
        ended = harness.run("run", "--plain", "--json", "-o", run.dir)
    else:
        ended = harness.run("run", "--plain", "--json", "-o", run.dir, url)
    if ended.code == 2:  # what it is to ask was not on the disk yet, and it says so
        ended = harness.run("run", "--plain", "--json", "--fresh", "-o", run.dir, url)
    return ended


def lose(server, run, at, change):
    """One loss at that call; change() takes away what was not synced."""
    killed = harness.finish(run.start(server, DISK_KILL_AT=str(at)))
    check(killed.code in (0, -signal.SIGKILL), f"killed at call {at}:", killed)
    change()
    before, asked = stored(run), server.count()
    if before:
        harness.succeed("verify", run.dir)
    ended = go_on(server, run)
    check_equal((ended.code, json.loads(ended.out or b"{}").get("ok")), (0, URLS), f"exit code and ok after {at}: {ended}")
    check(server.count() - asked <= URLS - before, f"after call {at}: asked again what was stored,",
          server.count() - asked, "of", URLS - before)
    harness.succeed("verify", run.dir)


def test_power__loses_nothing_that_was_stored__when_it_fails_at_any_call():
    faults, rng = store_faults(), random.Random(7)
    lost = []
    with harness.api() as server:
        calm = Run("calm.run")
        check_equal(harness.finish(calm.start(server)).code, 0, "exit code of a calm run")
        calls, want = sum(1 for _ in calm.log_lines()), harness.bodies(calm.dir)
        check(calls > 20, calls, "calls are too few: the shim is not in the way")
        for n in range(LOSSES):
            run, at = Run(f"p{n}.run"), 1 + n * calls // LOSSES + rng.randrange(2)
            how = ("cut", "zeros", "garbage")[n % 3]
            lose(server, run, at, lambda run=run, how=how: lost.append(faults.lose_power(run, rng, how)))
            check_equal(harness.bodies(run.dir), want, f"bodies after call {at}, {how}")
    check(sum(lost), "nothing was ever unsynced: this test shows nothing")
    print(f"{LOSSES} losses at calls 1 to {calls}, {sum(lost)} unsynced bytes gone")


if __name__ == "__main__":
    harness.main(globals())
