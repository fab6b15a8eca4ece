"""kill -9 at random moments, many times; the resumed run ends as one that was never disturbed.

Kills by -9 show torn lines, doubles and losses of a wrong commit order; what a missing fsync loses
they cannot show (tests of the store do).
"""

import random
import signal
import subprocess
import time

import harness
from harness import check, check_equal, scaled, scratch

URLS = scaled(3000, 800)
KILLS = scaled(20, 6)
CAP = 16
WEATHER = ["--fail", "1%", "--truncate", "1%", "--limit", "500/s:250", "--latency", "10ms",
           "--jitter", "5ms"]


def arguments(server, run_dir, csv):
    return ["run", "-o", run_dir, "-c", str(CAP), "--records", "/items", "--csv", csv,
            f"{server.url}/msapi/auctions/items?auctionid=[100001-{100000 + URLS}]"]


def undisturbed():
    """path -> body, and the table, of a run on a fine day."""
    with harness.api(name="calm") as server:
        harness.succeed(*arguments(server, scratch("calm.run"), scratch("calm.csv")))
    found = harness.bodies(scratch("calm.run"))
    check_equal(len(found), URLS, "bodies on a fine day")
    return {path: them[0] for path, them in found.items()}, harness.read(scratch("calm.csv"))


def kill_at_a_random_moment(server, command, chance):
    """Somewhere in the next share of the requests, and then anywhere within 20 ms. True: it was killed."""
    goal = server.count() + chance.randrange(1, URLS // KILLS)
    child = harness.scrapetop(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    harness.wait_for(lambda: server.count() >= goal or child.poll() is not None, "requests")
    time.sleep(chance.random() * 0.02)
    child.send_signal(signal.SIGKILL)
    return child.wait() == -signal.SIGKILL


def test_kill__same_bodies_and_table__when_killed_on_the_way():
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    print(f"random seed {seed}")
    want, want_csv = undisturbed()
    run_dir, csv = scratch("k.run"), scratch("k.csv")
    with harness.api(*WEATHER) as server:
        given = arguments(server, run_dir, csv)
        resumed = ["run", "-o", run_dir, "--csv", csv]
        kills = 0
        # On a busy machine a run may be over before all of them.
        while kills < KILLS and kill_at_a_random_moment(server, resumed if kills % 2 else given, chance):
            kills += 1
        print(f"killed {kills} times")
        check(kills > 1, "the run ended before it was killed twice: this shows nothing")
        ended = harness.succeed(*resumed, "--json")
        report = ended.report()
        again = harness.succeed(*given, "--json").report()
        check_equal((report["requests"], report["ok"], report["failed"]), (URLS, URLS, 0),
                    "requests, ok, failed")
        check_equal((again["ok"], again["failed"]), (URLS, 0), "ok, failed of a run that was done")
        # A kill costs what was in flight and one batch that had not been committed, not more.
        refetched = sum(a.status == 200 for a in server.asked()) - URLS
        check(refetched <= KILLS * (CAP + 64) + URLS // 20, refetched, "bodies were fetched anew")
    harness.check_bodies(run_dir, want)
    check_equal(harness.ledger_counts(run_dir), {1: URLS}, "ledger, by state")
    check(harness.read(csv) == want_csv, "the table differs from that of the undisturbed run")


if __name__ == "__main__":
    harness.main(globals())
