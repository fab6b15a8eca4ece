"""`run --fleet`: workers on one job by a real redis-server on a Unix socket; tables beside those of a run alone, the cap and the
rate of all together by the server's own count, workers that are killed and stopped, and a Redis that loses everything.
"""

import collections
import random
import signal
import subprocess

import harness
from fleet_peers import Redis, Shop, check_tables, name_of, worker, write_job
from harness import check, check_equal, scratch, wait_for


def test_workers__make_the_table_of_one_run__within_one_cap_and_rate():
    redis, shop = Redis(), Shop(harness.scaled(100, 45))
    job = write_job(shop)
    harness.succeed("run", "--plain", "-c", "20", "-o", scratch("solo.run"), job)
    solo = collections.Counter(shop.asked)
    shop.asked.clear()
    shop.starts.clear()
    shop.most = 0
    runs = ["a.run", "b.run", "c.run"]
    workers = [worker(redis.url("even"), run, "-c", "9", "--rate", "150/s", job) for run in runs]
    for run, child in zip(runs, workers):
        ended = harness.finish(child)
        check_equal(ended.code, 0, f"exit code of {run}: {ended}")
    check_tables("solo.run", runs)
    seeds = {path: n for path, n in shop.asked.items() if "page=1" in path}
    check_equal(seeds, {path: 1 for path in solo if "page=1" in path}, "requests of the plan, each once")
    check(shop.most <= 9, "in flight at once:", shop.most, "of 9")
    check(shop.most_in_a_second() <= 150 * 1.05 + 9, "in a second:", shop.most_in_a_second(), "at 150/s, 9 of them held up")
    counts = [harness.ledger(scratch(run), "SELECT count(*) FROM request")[0][0] for run in runs]
    check(sum(count > 0 for count in counts) > 1, "one worker had all:", counts)
    before = sum(shop.asked.values())
    for run in runs:  # the same command again, with what the ledger keeps of it
        check(b"DONE" in harness.succeed("run", "--plain", "-o", scratch(run)).err, run)
    check_equal(sum(shop.asked.values()), before, "requests after the end")
    redis.kill()


def test_a_fleet__loses_nothing__when_workers_die_and_stop_and_redis_forgets():
    random.seed(11)
    redis, shop = Redis(), Shop(harness.scaled(300, 150), delay_s=0.02)
    job = write_job(shop)
    harness.succeed("run", "--plain", "-c", "60", "-o", scratch("solo.run"), job)
    shop.asked.clear()
    shop.most = 0
    runs = ["a.run", "b.run", "c.run"]
    start = lambda run: harness.scrapetop("run", "--plain", "--fleet", redis.url("hard", "1s"), "-o", scratch(run), "-c", "8",
                                          job, stdout=subprocess.DEVNULL, stderr=open(scratch(run + ".err"), "ab"))
    workers = {run: start(run) for run in runs}
    wait_for(lambda: sum(shop.asked.values()) > 20, "the first requests")
    acts = ["kill", "stop", "flush", "kill", "redis", "kill", "stop", "kill", "flush", "kill"]
    for act in acts:
        before = sum(shop.asked.values())
        wait_for(lambda: sum(shop.asked.values()) > before + 30 or all(w.poll() is not None for w in workers.values()),
                 f"requests before {act}", 60)
        run = random.choice(runs)
        if act == "kill":
            workers[run].kill()
            workers[run].wait()
            workers[run] = start(run)
        elif act == "stop" and workers[run].poll() is None:
            workers[run].send_signal(signal.SIGSTOP)
            name = name_of(scratch(run))
            wait_for(lambda: redis.say("exists", "st:{hard}:w:" + name) == b"0\n", "the end of its lease")
            workers[run].send_signal(signal.SIGCONT)
        elif act == "flush":
            redis.say("flushall")
        elif act == "redis":
            redis.kill()
            redis.start()
    check(shop.most <= 8 + 8, "in flight at once, with those of the killed:", shop.most)
    shop.delay_s = 0  # what is left is quickly done
    if any(child.poll() is None for child in workers.values()):
        harness.succeed("ctl", redis.url("hard", "1s"), "cap", "60")
    for run in runs:
        wait_for(lambda: workers[run].poll() is not None, f"the end of {run}", 120)
        check_equal(workers[run].returncode, 0, f"exit code of {run}: {harness.read(scratch(run + '.err'))[-1500:]}")
    check_tables("solo.run", runs)
    redis.kill()


def test_a_hold__that_one_worker_was_told__is_obeyed_by_all():
    redis = Redis()
    with harness.api("--latency", "5ms", "--limit", "40/s:5") as api:
        url = f"{api.url}/posts/[1-{harness.scaled(100, 60)}]"
        workers = [worker(redis.url("holds"), f"h{i}.run", "-c", "4", url) for i in (1, 2)]
        for child in workers:
            check_equal(harness.finish(child).code, 0, "exit code")
        done = sum(harness.ledger_counts(scratch(f"h{i}.run")).get(1, 0) for i in (1, 2))
        check_equal(done, harness.scaled(100, 60), "requests that are done")
        wait_for(lambda: int(redis.say("info", "server").split(b"uptime_in_seconds:")[1].split()[0]) >= 10, "nobody is coming back")
        check_equal(harness.finish(worker(redis.url("alone"), "alone.run", f"{api.url}/posts/1")).code, 0, "exit code of one alone")
        made = {key: redis.say("hget", "st:{alone}:job", key) for key in ("made", "until")}
        check_equal(made["until"], made["made"], "a job that has nobody to wait for is open at once")
        redis.say("del", "st:{alone}:job")
        check_equal(harness.finish(worker(redis.url("alone"), "alone.run")).code, 0, "exit code of one that comes back")
        made = {key: redis.say("hget", "st:{alone}:job", key) for key in ("made", "until")}
        check_equal(int(made["until"]), int(made["made"]) + 1500, "one that was there before waits for others that were")
    redis.kill()


if __name__ == "__main__":
    harness.main(globals())
