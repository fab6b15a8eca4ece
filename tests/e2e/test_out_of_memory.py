"""Every so-manieth allocation of a small run fails: no crash, nothing lost, and the next run ends it."""

import os
import subprocess

import harness
from harness import check, check_equal, scaled, scratch

URLS = 5
SHIM = os.environ["FAIL_MALLOC"]
POINTS = 160  # of the run's allocations, spread evenly


def run(server, **env):
    child = harness.scrapetop("run", "-o", scratch("m.run"), "--plain", "--json", "--csv",
                              scratch("m.csv"), "--backoff", "10ms:50ms",
                              f"{server.url}/posts/[1-{URLS}]", stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              env=harness.environment(LD_PRELOAD=SHIM, **env))
    return harness.finish(child)


def forget():
    subprocess.run(["rm", "-rf", scratch("m.run"), scratch("m.csv")], check=True)


def check_survives(server, at, length):
    ended = run(server, FAIL_MALLOC_AT=str(at), FAIL_MALLOC_FOR=str(length))
    where = f"allocation {at} (and {length - 1} more) fails:"
    check(ended.code in (0, 1, 2, 3, 7, 8), where, ended)
    check(ended.code == 0 or ended.err, where, "not a word of why:", ended)
    if os.path.exists(scratch("m.run/ledger.db")):
        harness.succeed("verify", scratch("m.run"))
        again = harness.succeed("run", "-o", scratch("m.run"), "--json").report()
        check_equal(again["ok"], URLS, f"{where} bodies after the next run")
        stored = harness.bodies(scratch("m.run"))
        check_equal(sorted(len(them) for them in stored.values()), [1] * URLS,
                    f"{where} bodies stored")
    forget()
    return ended.code


def survive_all(length):
    with harness.api() as server:
        calm = run(server, FAIL_MALLOC_COUNT=scratch("count"))
        check_equal(calm.code, 0, "exit code of a calm run")
        forget()
        with open(scratch("count"), encoding="ascii") as file:
            count = int(file.read())
        step = max(1, count // POINTS)
        codes = [check_survives(server, at, length) for at in range(1, count, step)]
        print(f"{count} allocations, {len(codes)} runs, exit codes "
              f"{ {code: codes.count(code) for code in sorted(set(codes))} }")
        check(any(codes), "no failing allocation was noticed: the shim is not in the way")


def test_run__ends_in_order__when_one_allocation_fails():
    survive_all(1)


def test_run__ends_in_order__when_many_in_a_row_fail():
    survive_all(1000)


if __name__ == "__main__":
    harness.main(globals())
