"""What is asked of a fleet and told to it from outside: `status`, `ctl` and `scrapetop fleet` by a real redis-server."""

import json
import os
import shutil
import signal
import socket
import threading

import harness
from fleet_peers import Redis, Shop, worker, write_job
from harness import check, check_equal, scratch, wait_for


def status(url):
    return json.loads(harness.succeed("status", "--json", url).out)


def by_name(told):
    return {os.path.basename(w["run"]): w for w in told["workers"]}


def test_status__tells_how_far_the_job_is_and_who_is_at_it():
    redis, shop = Redis(), Shop(60, delay_s=0.5)  # slow, until all has been looked at
    url = redis.url("shop", "1s")
    workers = [worker(url, f"{n}.run", "-c", "6", "--rate", "80/s", write_job(shop)) for n in "ab"]
    told = wait_for(lambda: shop.asked and (s := status(url)) and s["live"] == 2 and s["done"] > 4 and
                    all(w["ok"] > 0 for w in s["workers"]) and s, "both workers at work")
    check_equal([told[k] for k in ("job", "state", "planned", "cap", "rate", "paused", "waits_for")],
                ["shop", "at work", 60, 6, "80/s", False, ""], "status")
    both = by_name(told)
    check_equal({n: (w["pid"], w["state"]) for n, w in both.items()},
                {f"{n}.run": (w.pid, "at work") for n, w in zip("ab", workers)}, "workers")
    check_equal({w["run"] for w in told["workers"]}, {scratch("a.run"), scratch("b.run")}, "directories")
    text = harness.succeed("status", url).out.decode()
    check("fleet     shop: at work" in text and "cap 6, rate 80/s" in text and "2 at work, 0 not" in text, text)
    harness.succeed("status", "--check", url)
    workers[0].kill()
    workers[0].wait()
    wait_for(lambda: by_name(status(url))["a.run"]["state"] == "gone", "the killed one is gone")
    shop.delay_s = 0.003
    workers[0] = worker(url, "a.run")
    for child in workers:
        check_equal(harness.finish(child).code, 0, "exit code")
    told = status(url)
    check_equal((told["state"], told["done"], told["live"]), ("done", 60, 0), "at the end")
    check_equal({w["state"] for w in told["workers"]}, {"ended"}, "workers at the end")
    check_equal(sum(w["ok"] for w in told["workers"]),
                sum(harness.ledger_counts(scratch(f"{n}.run"))[1] for n in "ab"), "requests that went well")
    check_equal(harness.succeed("status", "--check", url).out, b"", "an end is well")
    listed = [json.loads(line) for line in harness.succeed("fleet", "ls", "--json", f"unix://{redis.socket}").out.splitlines()]
    check_equal([job["job"] for job in listed], ["shop"], "jobs")
    check(b"shop  done" in harness.succeed("fleet", "ls", f"unix://{redis.socket}").out, "ls for people")
    redis.kill()


def test_ctl__steers_all_workers_and_late_ones_and_outlives_a_redis_that_forgets():
    redis, shop = Redis(), Shop(700, delay_s=0.05)
    url, job = redis.url("steered"), write_job(shop)
    say = lambda *words: harness.succeed("ctl", url, *words).out
    workers = [worker(url, f"{n}.run", "-c", "8", job) for n in "ab"]
    wait_for(lambda: sum(shop.asked.values()) > 10 and status(url)["live"] == 2, "both at work")

    def wait_for_most(most, what):
        """The server sees some less than are in flight: an answer is on its way, too."""
        def is_so():
            shop.most = shop.now
            before = sum(shop.asked.values())
            wait_for(lambda: sum(shop.asked.values()) > before + 25, what)
            return most * 2 / 3 < shop.most <= most
        wait_for(is_so, what)

    wait_for_most(8, "8 in flight")
    check_equal(say("cap", "3"), b"cap 8 -> 3 of the fleet\n", "reply")
    wait_for_most(3, "3 in flight, of two workers")
    workers.append(worker(url, "c.run", "-c", "8", job))
    wait_for(lambda: status(url)["live"] == 3, "the third")
    wait_for_most(3, "3 in flight, of three workers")
    redis.say("flushall")
    wait_for(lambda: b"steered" in redis.say("keys", "*") and status(url)["live"] == 3, "the workers after a flush")
    check_equal(status(url)["cap"], 3, "the cap after a flush")
    check_equal(say("cap", "12"), b"cap 3 -> 12 of the fleet\n", "reply")
    wait_for_most(12, "more than any worker's own -c")
    check_equal(say("pause"), b"all workers pause; what is in flight finishes\n", "reply")
    wait_for(lambda: all(w["in_flight"] == 0 for w in status(url)["workers"]) and shop.is_quiet_for(2), "a rest")
    check_equal(status(url)["state"], "paused", "state")
    before = sum(shop.asked.values())
    check_equal(say("rate", "0.0002/s"), b"rate 0.0002/s of the fleet\n", "reply")
    check_equal(status(url)["rate"], "1/5000s", "a rate of fewer than thousandths")
    check_equal(say("rate", "90/s"), b"rate 90/s of the fleet\n", "reply")
    check_equal(sum(shop.asked.values()), before, "requests while it is paused")
    shop.starts.clear()
    check_equal(say("resume"), b"resumed\n", "reply")
    wait_for(lambda: len(shop.starts) > 200 or status(url)["state"] == "done", "requests at the rate")
    check(shop.most_in_a_second() <= 90 * 1.05 + 12, "in a second:", shop.most_in_a_second(), "at 90/s")
    check_equal(say("drain")[:11], b"all workers", "reply")
    check_equal([harness.finish(child).code for child in workers], [7, 7, 7], "exit codes of a drain")
    check_equal(harness.succeed("status", "--check", url, code=4).out, b"", "what --check prints")
    shop.delay_s = 0
    workers = [worker(url, f"{n}.run") for n in "abc"]  # an old drain is not theirs
    say("rate", "off")
    say("cap", "60")
    check_equal([harness.finish(child).code for child in workers], [0, 0, 0], "exit codes at the end")
    redis.kill()


def test_attach__shows_all_workers_steers_them_and_visits_one():
    redis, shop = Redis(), Shop(500, delay_s=0.05)
    url, job = redis.url("shown", "1s"), write_job(shop)
    workers = [worker(url, f"{n}.run", "-c", "4", job) for n in "ab"]
    names = wait_for(lambda: redis.say("exists", "st:{shown}:job") == b"1\n" and (s := status(url))["live"] == 2 and
                     all(w["pid"] for w in s["workers"]) and [w["name"] for w in s["workers"]], "both")
    with harness.terminal([harness.BINARY, "attach", url], rows=30, columns=120) as seen:
        seen.wait_text(r"Workers 2 at work, 0 not")
        seen.wait_text(r"shown +RUN .*\bcap 4\b")
        check(all(name in seen.text() for name in names), names, "in", seen.text())
        seen.keys("++")
        seen.wait_text(r"\bcap 6\b")
        check_equal(status(url)["cap"], 6, "cap")
        seen.wait_text(r"cap 4 -> 5 of the fleet")
        seen.keys("p")
        seen.wait_text(r"PAUSED")
        wait_for(lambda: not shop.now, "nothing in flight")
        seen.keys("p")
        seen.wait_text(r"shown +RUN ")
        seen.keys("\r")  # the first row's own dashboard, as its own process has it
        seen.wait_text(r"In flight \d+/6")
        check("Workers" not in seen.text(), seen.text())
        seen.keys("q")
        seen.wait_text(r"Workers 2 at work, 0 not")
        workers[1].kill()
        workers[1].wait()
        seen.wait_text(r"Workers 1 at work, 1 not")
        seen.wait_text(r"is silent for longer than its lease")
        workers[1] = worker(url, "b.run")
        seen.wait_text(r"Workers 2 at work, 0 not")
        redis.child.send_signal(signal.SIGSTOP)
        seen.wait_text(r"no answer of the Redis at ")
        redis.child.send_signal(signal.SIGCONT)
        seen.wait(lambda: "no answer of the Redis" not in seen.text(), "Redis answers again")
        with harness.terminal([harness.BINARY, "attach", "-r", url], rows=24, columns=80) as other:
            other.wait_text(r"Workers 2 at work")
            other.keys("+p]q")  # it may only look: all but q are not there
            check_equal(other.exit_code(), 0, "exit code of who leaves")
            check(b"left; the fleet goes on" in other.raw, other.raw[-200:])
        check_equal((status(url)["cap"], status(url)["paused"]), (6, False), "what a looker left")
        shop.delay_s = 0
        seen.keys("c60\r")
        seen.wait_text(r"\bcap 60\b")
        check_equal(seen.exit_code(), 0, "exit code at the end of the job")
        check(b"all of the job is done" in seen.raw, seen.raw[-200:])
    check_equal([harness.finish(child).code for child in workers], [0, 0], "exit codes")
    ended = harness.succeed("attach", "--plain", url)
    check(b"100.0%" in ended.err and b"all of the job is done" in ended.err, ended)
    ended = harness.succeed("attach", redis.url("none"), code=4)
    check(b"E-FLEET7" in ended.err, ended)
    redis.kill()


def test_attach__tells_workers_of_containers_apart_and_more_than_it_shows():
    redis = Redis()
    redis.say("hset", "st:{many}:job", *("digest x total 99 state open cap 4 rate_n 0 rate_us 0 paused 0 cursor 0 lease 60000 "
                                         "made 0".split()))
    for n in range(70):  # heard in the time to come, so that they stay in their order
        said = {"who": f"{socket.gethostname() if n else 'elsewhere'}:/w{n}.run", "pid": 1}
        redis.say("eval", """redis.call('ZADD', 'st:{many}:workers', ARGV[2], ARGV[1])
                             redis.call('HSET', 'st:{many}:said', ARGV[1], ARGV[3])
                             redis.call('HSET', 'st:{many}:w:' .. ARGV[1], 'want', 0)""", "0", f"w{n}", str(10**14 - n),
                  json.dumps(said))
    with harness.terminal([harness.BINARY, "attach", redis.url("many")], rows=40, columns=120) as seen:
        seen.wait_text(r"Workers of those heard last, 64 at work, 0 not")
        harness.succeed("ctl", redis.url("many"), "cap", "5")
        seen.wait_text(r"cap 4 -> 5 of the fleet")
        check("joined" not in seen.text(), "workers that were there:", seen.text())
        seen.keys("\r")
        seen.wait_text(r"it is on another machine: scrapetop attach elsewhere:/w0\.run")
        seen.keys("q")
        check_equal(seen.exit_code(), 0, "exit code")
    redis.kill()


class GatedShop(Shop):
    """Nothing is answered before the gate is open."""

    def __init__(self, *arguments, **options):
        self.gate = threading.Event()
        super().__init__(*arguments, **options)

    def answer(self, path):
        self.gate.wait(60)
        return super().answer(path)


def test_a_worker_that_never_returns__is_forgotten_and_its_part_asked_again():
    redis, shop = Redis(), GatedShop(20, delay_s=0.02)
    url, job = redis.url("lost", "1s"), write_job(shop)
    lost = worker(url, "lost.run", "-c", "4", job)
    wait_for(lambda: shop.asked, "the first request")
    redis.say("hincrby", "st:{lost}:job", "unread", "20000")  # there is no room: it keeps what it finds
    shop.gate.set()
    name = wait_for(lambda: (w := status(url)["workers"]) and w[0]["found_not_done"] and w[0]["name"], "something found")
    ended = harness.succeed("fleet", "forget", url, name, "--yes", code=2)
    check(b"error[E-FLEET7]: the worker" in ended.err and b"is at work" in ended.err, ended)
    lost.kill()
    lost.wait()
    redis.say("hincrby", "st:{lost}:job", "unread", "-20000")
    shutil.rmtree(scratch("lost.run"))
    other = worker(url, "other.run", "-c", "4", job)
    wait_for(lambda: status(url)["waits_for"] == name and status(url)["workers"][0]["in_flight"] == 0 and
             status(url)["done"] == 20, "all but what the lost one knew")
    check(b"for what " + name.encode() in harness.succeed("status", url).out, "waits")
    ended = harness.succeed("fleet", "forget", url, name, code=2)
    check(b"would be asked again" in ended.err and b"--yes" in ended.err, ended)
    check_equal(status(url)["waits_for"], name, "nothing is done without --yes")
    ended = harness.succeed("fleet", "forget", url, "w9", "--yes", code=4)
    check(b"has no worker w9" in ended.err, ended)
    check(b"forgot" in harness.succeed("fleet", "forget", url, name, "--yes").out, "reply")
    check_equal(harness.finish(other).code, 0, "exit code")
    check_equal(harness.ledger(scratch("other.run"), "SELECT count(*) FROM request WHERE state = 1")[0][0],
                len({path for path in shop.asked}), "requests at the other: all that there are")
    wait_for(lambda: redis.say("keys", "st:{lost}:w:*") == b"\n", "the lease ends")
    ended = harness.succeed("fleet", "remove", url, code=2)
    check(b"20 of 20 requests" in ended.err and b"--yes" in ended.err, ended)
    check_equal(harness.succeed("fleet", "remove", url, "--yes").out, b"removed lost\n", "reply")
    check_equal(redis.say("keys", "*"), b"\n", "keys that are left")
    redis.kill()


def test_what_is_wrong__has_its_sentence():
    redis, shop = Redis(), Shop(40, delay_s=0.05)
    url = redis.url("told")

    def refused(words, *arguments, code=2, **options):
        ended = harness.succeed(*arguments, code=code, **options)
        check(words in ended.err, "want", words, "in", ended)

    for command in (["status"], ["ctl"], ["fleet", "remove"], ["fleet", "ls"]):
        refused(b"error[E-FLEET5]: no answer of the Redis at " + scratch("no.sock").encode(), *command,
                f"unix://{scratch('no.sock')}#j", code=1)
    for command in (["status", url], ["ctl", url, "cap", "3"], ["fleet", "forget", url, "w"], ["fleet", "remove", url]):
        refused(b"error[E-FLEET7]: there is no job told in this Redis", *command, code=4)
    for job in ("x", "redis", ""):
        refused(b"error[E-FLEET1]: not a URL of Redis", "fleet", "ls", job)
    redis.say("set", "st:{other}:job", "a key of somebody else's")
    refused(b"no fleet has a job in this Redis", "fleet", "ls", f"unix://{redis.socket}", code=0)
    child = worker(url, "w.run", "-c", "1", write_job(shop))
    wait_for(lambda: shop.asked, "the first request")
    refused(b"at work, or were within a lease", "fleet", "remove", url, "--yes")
    for words in (["cap"], ["cap", "x"], ["rate", "0"], ["normalise"], ["retry", "3"], ["nonsense"]):
        refused(b"error[E-CTL1]: ", "ctl", url, *words)
    refused(b"--follow is for one run", "ctl", url, "--follow", "totals")
    refused(b"name those of the workers", "status", "--failed", url)
    refused(b"job's name", "status", "redis://127.0.0.1")
    refused(b"stands in `ps`", "fleet", "ls", "redis://:pw@127.0.0.1")
    for words in ([], ["ls"], ["forget", url], ["remove", url, "w"], ["grow", url]):
        refused(b"want scrapetop fleet ls URL | forget URL WORKER | remove URL", "fleet", *words)
    redis.say("zadd", "st:{told}:workers", "1", b"w\xff")  # nor need they be UTF-8
    check("w?" in [w["name"] for w in status(url)["workers"]], "a name that is not UTF-8")
    redis.say("zadd", "st:{told}:workers", "1", "w\x1b[2J")  # names come from outside, too
    check(b"\x1b" not in harness.succeed("status", url).out, "an escape on the terminal")
    redis.say("eval", "for n = 1, 501 do redis.call('ZADD', 'st:{told}:workers', n, 'old' .. n) end", "0")
    refused(b"would be asked again", "fleet", "forget", url, "old1")  # more than are listed
    check_equal(redis.say("zscore", "st:{told}:workers", "old1"), b"1\n", "one that is forgotten without --yes")
    child.kill()
    child.wait()
    shown = harness.run("status", "redis://user:hush@word/@127.0.0.1:1/j", url)
    check(b"redis://127.0.0.1:1/j:" in shown.out and b"hush" not in shown.out + shown.err, "a password in a heading:", shown)
    redis.say("hdel", "st:{told}:job", "cap", "total")  # what is broken can be removed
    wait_for(lambda: harness.run("fleet", "remove", url, "--yes").code == 0, "the end of its lease")
    check_equal(redis.say("keys", "*told*").split(), [], "what is left of it")
    redis.kill()
    locked = Redis("--requirepass", "secret-of-redis", name="locked")
    refused(b"refuses the password", "status", locked.url("j"))
    refused(b"there is no job j", "status", locked.url("j"), code=4,
            env=harness.environment(SCRAPETOP_FLEET_PASSWORD="secret-of-redis"))
    locked.kill()


if __name__ == "__main__":
    harness.main(globals())
