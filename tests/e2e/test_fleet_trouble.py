"""`run --fleet` when something is wrong, each with its sentence, by a real redis-server on a Unix socket: another job, a copied
directory, a wrong password, a Redis that is not there, that is read only, full, still loading, cut off from one worker, or that
drops keys; clocks that are a day apart.
"""

import glob
import json
import os
import re
import shutil
import signal
import socket
import threading
import time

import harness
from fleet_peers import Redis, Shop, check_tables, name_of, worker, write_job
from harness import check, check_equal, scratch, wait_for


class Between:
    """A socket before that of Redis. `how`: "open" carries bytes, "loading" answers that Redis is, "cut" swallows all."""

    def __init__(self, redis, how):
        self.redis, self.how, self.socket = redis, how, scratch("between.sock")
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.socket)
        self.listening.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer = self.listening.accept()[0]
            threading.Thread(target=self.serve, args=[peer], daemon=True).start()

    def serve(self, peer):
        with peer, socket.socket(socket.AF_UNIX) as far:
            far.connect(self.redis.socket)
            threading.Thread(target=self.carry, args=[far, peer], daemon=True).start()
            self.carry(peer, far)

    def carry(self, source, to):
        try:
            while got := source.recv(65536):
                if self.how == "loading":
                    source.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")
                elif self.how == "open":
                    to.sendall(got)
            to.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def url(self, job, lease):
        return f"unix://{self.socket}#{job}?lease={lease}"


def limit_of(run):
    """The word of what keeps a run from going faster, and why."""
    ended = harness.run("ctl", run)
    limit = json.loads(ended.out)["limit"] if ended.code == 0 else {}
    return limit.get("reason", "")


def silence(run):
    """For how many seconds Redis has not answered it."""
    told = re.match(r"no contact with Redis for (\d+) s", limit_of(run))
    return int(told[1]) if told else -1


def test_without_redis__a_worker_waits_says_so_and_goes_on():
    redis, shop = Redis(), Shop(30, delay_s=0.02)
    job = write_job(shop)
    redis.kill()
    child = worker(redis.url("away"), "w.run", "-c", "4", job)
    harness.read_until(child.stderr, rb"no contact with the fleet: .*; nothing is started until Redis answers")
    check_equal(sum(shop.asked.values()), 0, "requests without Redis")
    redis.start()
    wait_for(lambda: sum(shop.asked.values()) > 15, "requests with Redis")
    redis.kill()
    harness.read_until(child.stderr, rb"no contact with the fleet")
    silent = lambda seconds: wait_for(lambda: silence(scratch("w.run")) >= seconds, f"{seconds} s without Redis")
    silent(1)  # half a lease
    wait_for(lambda: not shop.now, "what was in flight ends")
    before = sum(shop.asked.values())
    silent(2)
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
    redis, shop = Redis(), Shop(8)
    child = worker(redis.url("long"), "w.run", "-c", "1", write_job(shop))
    wait_for(lambda: shop.asked, "the first request")
    redis.say("hset", "st:{long}:holds", "https://elsewhere.test", str(int((time.time() + 3650 * 86400) * 1e6)))
    check_equal(harness.finish(child).code, 0, "exit code")
    redis.kill()


def test_what_is_wrong_at_the_beginning__has_its_sentence():
    redis, shop = Redis(), Shop(400, delay_s=0.05)
    job, other = write_job(shop), write_job(Shop(401), "other")
    first = worker(redis.url("bad", "5s"), "first.run", "-c", "1", job)
    wait_for(lambda: len(shop.asked) > 4, "requests whose answers are stored")

    def refused(words, url, run, *arguments, **env):
        ended = harness.succeed("run", "--plain", "--fleet", url, "-o", scratch(run), *arguments, code=2,
                                env=harness.environment(**env))
        check(words in ended.err, "want", words, "in", ended)

    refused(b"E-FLEET2", redis.url("bad"), "other.run", other)
    first.send_signal(signal.SIGSTOP)  # of one moment: the ledger is never ahead of the bodies
    shutil.copytree(scratch("first.run"), scratch("copy.run"))
    shutil.copytree(scratch("first.run"), scratch("damaged.run"))
    first.send_signal(signal.SIGCONT)
    refused(b"E-FLEET3", redis.url("bad"), "copy.run")
    os.truncate(scratch("damaged.run/raw/00000001.jsonl"), 1)  # found when the engine is half made
    ended = harness.succeed("run", "--plain", "--fleet", redis.url("bad"), "-o", scratch("damaged.run"), code=8)
    check(b"E-SEG1" in ended.err, "want E-SEG1 in", ended)
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
    for url, words in (("redis://:pw@h/j", b"stands in `ps`"), ("redis://u:pw@h/j", b"stands in `ps`"), ("rediss://u:pw@h/j", b"stands in `ps`"),
                       ("redis://h", b"job's name"), ("redis://h:x/j", b"no host"), ("redis://h/j?x=1", b"db=N"),
                       ("unix://r.sock#j", b"begins with /"), ("http://h/j", b"error[E-FLEET1]: --fleet: not a URL"), ("redis://h/a b", b"job's name")):
        refused(words, url, "never.run", job)
    for options in (["--shard", "1/2"], ["--every", "1s"], ["--sweep", "1,2"], ["--auto"]):
        refused(b"E-FLEET6", redis.url("bad"), "never.run", *options, job)
    check(not os.path.exists(os.path.join(scratch("never.run"), "job.json")), "a run was begun")
    ended = harness.succeed("run", "--plain", "--fleet", redis.url("bad"), job, code=2)
    check(b"name it with -o" in ended.err, ended)
    for server in (redis, locked, evicts):
        server.kill()


def test_a_redis_that_cannot_write__is_waited_for_by_its_words():
    redis, shop = Redis(), Shop(15)
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


def test_a_redis_that_is_loading__is_waited_for_by_its_words():
    redis, shop = Redis(), Shop(10)
    between = Between(redis, "loading")
    child = worker(between.url("loads", "2s"), "w.run", write_job(shop))
    harness.read_until(child.stderr, rb"no contact with the fleet: LOADING Redis is loading the dataset in memory;")
    check_equal(sum(shop.asked.values()), 0, "requests before it has loaded")
    between.how = "open"
    check_equal(harness.finish(child).code, 0, "exit code")
    redis.kill()


def test_a_worker_cut_off__starts_nothing__others_go_on__and_all_is_there_at_the_end():
    redis, shop = Redis(), Shop(50, delay_s=0.02)
    job = write_job(shop)
    harness.succeed("run", "--plain", "-c", "40", "-o", scratch("solo.run"), job)
    shop.asked.clear()
    between = Between(redis, "open")
    off = worker(between.url("parted", "1s"), "off.run", "-c", "6", job)
    wait_for(lambda: sum(shop.asked.values()) > 10, "requests of the one")
    on = worker(redis.url("parted", "1s"), "on.run", "-c", "6", job)
    name = name_of(scratch("off.run"))
    wait_for(lambda: redis.say("zcard", "st:{parted}:workers") == b"2\n", "the other joins")
    between.how = "cut"
    harness.read_until(off.stderr, rb"no contact with the fleet: ")
    wait_for(lambda: silence(scratch("off.run")) >= 1, "half a lease without Redis")
    wait_for(lambda: redis.say("exists", "st:{parted}:w:" + name) == b"0\n", "its lease ends")

    def of_the_other():
        status = json.loads(harness.succeed("status", "--json", redis.url("parted")).out)
        return status["waits_for"] in ("", name) and status["done"] == 50

    shop.delay_s = 0
    asked = harness.ledger_counts(scratch("off.run"))
    wait_for(of_the_other, "the plan is done without it")
    check_equal(harness.ledger_counts(scratch("off.run")), asked, "what the one that is cut off has done meanwhile")
    between.how = "open"
    check_equal([harness.finish(child).code for child in (off, on)], [0, 0], "exit codes")
    check_tables("solo.run", ["off.run", "on.run"])
    redis.kill()


def test_clocks_that_are_a_day_apart__change_nothing():
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library or harness.SMALL:
        return  # a sanitizer's library would have to come first
    redis, shop = Redis(), Shop(40, delay_s=0.01)
    job = write_job(shop)
    harness.succeed("run", "--plain", "-c", "40", "-o", scratch("solo.run"), job)
    shop.starts.clear()
    shop.most = 0
    runs = {"now.run": None, "ahead.run": "+1h", "back.run": "-1d"}
    workers = [worker(redis.url("clocks"), run, "-c", "9", "--rate", "120/s", job,
                      env=harness.environment(**({"LD_PRELOAD": library[0], "FAKETIME": by, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
                                                 if by else {})))
               for run, by in runs.items()]
    check_equal([harness.finish(child).code for child in workers], [0, 0, 0], "exit codes")
    check_tables("solo.run", list(runs))
    check(shop.most <= 9, "in flight at once:", shop.most, "of 9")
    check(shop.most_in_a_second() <= 120 * 1.05 + 9, "in a second:", shop.most_in_a_second(), "at 120/s, 9 of them held up")
    redis.kill()


if __name__ == "__main__":
    harness.main(globals())
