"""`run --fleet`: workers on one job by a real redis-server on a Unix socket; tables beside those of a run alone, the cap and the
rate of all together by the server's own count, workers that are killed and stopped, and a Redis that loses everything.

Each bad beginning has its sentence: another job, a copied directory, a wrong password, a Redis that is not there, that is read
only, or that drops keys.
"""

import collections
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import harness
from fleet_peers import Redis, Shop, worker, write_job
from harness import check, check_equal, scratch, wait_for


def check_tables(solo, runs, endpoints=("listed", "items")):
    for endpoint in endpoints:
        want, got = scratch(f"solo.{endpoint}.csv"), scratch(f"all.{endpoint}.csv")
        harness.succeed("normalise", "--endpoint", endpoint, "-o", want, scratch(solo))
        ended = harness.succeed("normalise", "--endpoint", endpoint, "-o", got, *(scratch(run) for run in runs))
        a, b = harness.read(want), harness.read(got)
        lost, more = set(a.split(b"\n")) - set(b.split(b"\n")), len(b.split(b"\n")) - len(a.split(b"\n"))
        check(a == b, endpoint, "of the fleet differs from that of one run:", len(lost), "rows lost", more, "more", ended)


def test_workers__make_the_table_of_one_run__within_one_cap_and_rate():
    redis, shop = Redis(), Shop(harness.scaled(150, 60))
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
    redis, shop = Redis(), Shop(harness.scaled(500, 150), delay_s=0.02)
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
            time.sleep(1.6)  # longer than a lease: others take over
            workers[run].send_signal(signal.SIGCONT)
        elif act == "flush":
            redis.say("flushall")
        elif act == "redis":
            redis.kill()
            redis.start()
    for run in runs:
        wait_for(lambda: workers[run].poll() is not None, f"the end of {run}", 120)
        check_equal(workers[run].returncode, 0, f"exit code of {run}: {harness.read(scratch(run + '.err'))[-1500:]}")
    check_tables("solo.run", runs)
    check(shop.most <= 8 + 8, "in flight at once, with those of the killed:", shop.most)
    redis.kill()


def test_without_redis__a_worker_waits_says_so_and_goes_on():
    redis, shop = Redis(), Shop(60, delay_s=0.02)
    job = write_job(shop)
    redis.kill()
    child = worker(redis.url("away"), "w.run", "-c", "4", job)
    harness.read_until(child.stderr, rb"no contact with the fleet: .*; nothing is started until Redis answers")
    check_equal(sum(shop.asked.values()), 0, "requests without Redis")
    redis.start()
    wait_for(lambda: sum(shop.asked.values()) > 15, "requests with Redis")
    redis.kill()
    harness.read_until(child.stderr, rb"no contact with the fleet")
    time.sleep(2)  # half a lease is a second
    wait_for(lambda: not shop.now, "what was in flight ends")
    before = sum(shop.asked.values())
    time.sleep(0.5)
    check_equal(sum(shop.asked.values()), before, "requests while Redis is away")
    redis.start()
    check_equal(harness.finish(child).code, 0, "exit code")
    redis.kill()


def test_a_redis_that_hangs__does_not_keep_a_worker_from_its_end():
    redis, shop = Redis(), Shop(400, delay_s=0.02)
    child = worker(redis.url("hangs"), "w.run", "-c", "2", write_job(shop))
    wait_for(lambda: shop.asked, "the first request")
    redis.child.send_signal(signal.SIGSTOP)
    child.send_signal(signal.SIGINT)
    check_equal(harness.finish(child).code, 7, "exit code")
    redis.kill()
    away = socket.socket(socket.AF_UNIX)
    os.unlink(redis.socket)
    away.bind(redis.socket)
    away.listen()
    threading.Thread(target=trickle, args=[away], daemon=True).start()
    child = worker(redis.url("trickles"), "t.run", write_job(shop))
    harness.read_until(child.stderr, rb"no contact with the fleet: it takes too long to answer;")
    child.send_signal(signal.SIGINT)
    ended = harness.finish(child)
    check_equal(ended.code, 7, "exit code")  # it did nothing, which is not all
    check(b"the fleet has more to do; resume with" in ended.err, ended)
    away.close()


def trickle(listening):
    """One byte after the other of an answer that never ends."""
    while True:
        try:
            peer = listening.accept()[0]
            peer.sendall(b"+")
            while True:
                peer.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            if listening.fileno() < 0:
                return


def test_a_hold_of_ten_years__is_told_in_figures_that_all_can_read():
    redis, shop = Redis(), Shop(20)
    child = worker(redis.url("long"), "w.run", "-c", "1", write_job(shop))
    wait_for(lambda: shop.asked, "the first request")
    redis.say("hset", "st:{long}:holds", "https://elsewhere.test", str(int((time.time() + 3650 * 86400) * 1e6)))
    check_equal(harness.finish(child).code, 0, "exit code")
    redis.kill()


def test_what_is_wrong_at_the_beginning__has_its_sentence():
    redis, shop = Redis(), Shop(400, delay_s=0.05)
    job, other = write_job(shop), write_job(Shop(401), "other")
    first = worker(redis.url("bad", "5s"), "first.run", "-c", "1", job)
    wait_for(lambda: shop.asked, "the first request")

    def refused(words, url, run, *arguments, **env):
        ended = harness.succeed("run", "--plain", "--fleet", url, "-o", scratch(run), *arguments, code=2,
                                env=harness.environment(**env))
        check(words in ended.err, "want", words, "in", ended)

    refused(b"E-FLEET2", redis.url("bad"), "other.run", other)
    shutil.copytree(scratch("first.run"), scratch("copy.run"))
    refused(b"E-FLEET3", redis.url("bad"), "copy.run")
    first.kill()
    first.wait()
    locked = Redis("--requirepass", "secret-of-redis", name="locked")
    refused(b"refuses the password", locked.url("j"), "l1.run", job)
    refused(b"refuses the password", locked.url("j"), "l2.run", job, SCRAPETOP_FLEET_PASSWORD="wrong-secret")
    child = worker(locked.url("j"), "l3.run", "--max-requests", "3", job,
                   env=harness.environment(SCRAPETOP_FLEET_PASSWORD="secret-of-redis"))
    check_equal(harness.finish(child).code, 4, "exit code with the password")
    renamed = Redis("--rename-command", "AUTH", "", name="renamed")  # its error names what was sent
    child = worker(renamed.url("j"), "l4.run", job, env=harness.environment(SCRAPETOP_FLEET_PASSWORD="secret-of-redis"))
    harness.read_until(child.stderr, rb"Redis does not take AUTH \(SCRAPETOP_FLEET_PASSWORD\): ERR;")
    child.kill()
    child.wait()
    renamed.kill()
    check(all(b"secret-of-redis" not in text for text in harness.everything_in(scratch("l4.run")).values()), "the password is told")
    check(all(b"secret-of-redis" not in text for text in harness.everything_in(scratch("l3.run")).values()), "the password is kept")
    evicts = Redis("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru", name="evicts")
    refused(b"E-FLEET4", evicts.url("j"), "e.run", job)
    for url, words in (("redis://:pw@h/j", b"stands in `ps`"), ("redis://u:pw@h/j", b"stands in `ps`"), ("rediss://h/j", b"stunnel"),
                       ("redis://h", b"job's name"), ("redis://h:x/j", b"no host"), ("redis://h/j?x=1", b"db=N"),
                       ("unix://r.sock#j", b"begins with /"), ("http://h/j", b"error[E-FLEET1]: --fleet: not a URL"), ("redis://h/a b", b"job's name")):
        refused(words, url, "never.run", job)
    for options in (["--shard", "1/2"], ["--every", "1s"], ["--sweep", "1,2"]):
        refused(b"E-FLEET6", redis.url("bad"), "never.run", *options, job)
    check(not os.path.exists(os.path.join(scratch("never.run"), "job.json")), "a run was begun")
    ended = harness.succeed("run", "--plain", "--fleet", redis.url("bad"), job, code=2)
    check(b"name it with -o" in ended.err, ended)
    for server in (redis, locked, evicts):
        server.kill()


def test_a_redis_that_cannot_write__is_waited_for_by_its_words():
    redis, shop = Redis(), Shop(40)
    job = write_job(shop)
    for words in (("replicaof", "127.0.0.1", "9"), ("config", "set", "maxmemory", "1")):
        redis.say("flushall")
        redis.say(*words)
        child = worker(redis.url("ro"), f"{words[0]}.run", job)
        harness.read_until(child.stderr, rb"no contact with the fleet: (READONLY|MASTERDOWN|OOM|.*READONLY|.*OOM)")
        redis.say("replicaof", "no", "one")
        redis.say("config", "set", "maxmemory", "0")
        check_equal(harness.finish(child).code, 0, f"exit code after {words}")
    redis.kill()


def test_a_hold__that_one_worker_was_told__is_obeyed_by_all():
    redis = Redis()
    with harness.api("--latency", "5ms", "--limit", "40/s:5") as api:
        url = f"{api.url}/posts/[1-{harness.scaled(150, 80)}]"
        workers = [worker(redis.url("holds"), f"h{i}.run", "-c", "4", url) for i in (1, 2)]
        for child in workers:
            check_equal(harness.finish(child).code, 0, "exit code")
        done = sum(harness.ledger_counts(scratch(f"h{i}.run")).get(1, 0) for i in (1, 2))
        check_equal(done, harness.scaled(150, 80), "requests that are done")
    redis.kill()


if __name__ == "__main__":
    harness.main(globals())
