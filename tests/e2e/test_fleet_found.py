"""What one worker of a fleet finds, all of them ask: a job whose first page lists everything, by a real redis-server; tables beside
those of a run alone, workers that are killed, never return, or whose disk is lost, and a Redis that forgets.
"""

import json
import os
import random
import shutil
import subprocess
import threading
import time

import harness
import jobs
from fleet_peers import Redis, Shop, check_tables, name_of, worker
from harness import check, check_equal, scratch, wait_for

ENDPOINTS = ("listed", "products", "parts", "makers")


class Catalogue(Shop):
    """/all?page=P lists the products, each of which has parts, some of which others have, too; and these have makers."""

    def __init__(self, *arguments, **options):
        self.gate = threading.Event()  # before it nothing is listed
        self.gate.set()
        super().__init__(*arguments, **options)

    def answer(self, path):
        name, number = path.split("?")[0].strip("/").partition("/")[::2]
        if name == "all":
            self.gate.wait(60)
            page = int(path.split("page=")[1])
            return {"total": self.lists, "items": [{"id": n} for n in range(10 * page - 9, min(10 * page, self.lists) + 1)]}
        n = int(number)
        if name == "product":
            parts = [(n * 7919 + k * 31) % (self.lists // 2) for k in range(n % 3)]
            return {"id": n, "parts": [{"id": p, "of": n} for p in parts]}
        return {"id": n, "made": [{"by": n * 104729 % 17}]} if name == "part" else {"id": n, "name": f"maker {n}"}


def write_catalogue(shop, name="catalogue"):
    path = scratch(f"{name}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": name, "base": shop.url,
                   "endpoints": [{"name": "listed", "url": "/all", "records": "/items",
                                  "pages": {"param": "page", "total": "/total", "size": 10}},
                                 {"name": "products", "url": "/product/{listed.id}", "records": "/parts"},
                                 {"name": "parts", "url": "/part/{products.id}", "records": "/made", "with": ["products.of"]},
                                 {"name": "makers", "url": "/maker/{parts.by}", "with": ["products.of"]}]}, file)
    return path


def alone(shop, job):
    """The tables that one run makes of it; what it asked."""
    delay, shop.delay_s = shop.delay_s, 0
    harness.succeed("run", "--plain", "-c", "20", "-o", scratch("solo.run"), job)
    shop.delay_s = delay
    asked = dict(shop.asked)
    shop.asked.clear()
    return asked


def done_of(run):
    return harness.ledger(scratch(run), "SELECT count(*) FROM request")[0][0]


def test_a_job_of_one_listing__is_all_workers_work_and_each_request_is_asked_once():
    redis, shop = Redis(), Catalogue(harness.scaled(400, 200), delay_s=0.2)
    job = write_catalogue(shop)
    asked = alone(shop, job)
    runs = [f"{n}.run" for n in "abcd"]
    shop.gate.clear()
    workers = [worker(redis.url("one"), run, "-c", "24", job) for run in runs]
    wait_for(lambda: shop.asked and redis.say("zcard", "st:{one}:workers") == b"4\n", "all workers")
    shop.gate.set()
    for run, child in zip(runs, workers):
        check_equal(harness.finish(child).code, 0, f"exit code of {run}")
    check_equal(dict(shop.asked), asked, "requests, each once")
    check_tables("solo.run", runs, ENDPOINTS)
    counts = [done_of(run) for run in runs]
    check(min(counts) > sum(counts) / 10, "a worker had hardly anything:", counts)
    status = json.loads(harness.succeed("status", "--json", redis.url("one")).out)
    check_equal((status["state"], status["done"]), ("done", 1), "at the end")
    paths = [scratch(run) for run in runs]
    told = json.loads(harness.succeed("verify", "--json", "--fleet", redis.url("one"), *paths).out.splitlines()[-1])
    check_equal({k: told[k] for k in ("fleet", "planned", "done", "in_none", "in_several")},
                {"fleet": "one", "planned": 1, "done": 1, "in_none": 0, "in_several": 0}, "verify --fleet")
    asked_it = [p for p in paths if harness.ledger(p, "SELECT 1 FROM request WHERE id=1")]
    others = [p for p in paths if p not in asked_it]
    text = harness.succeed("verify", "--fleet", redis.url("one"), *others, code=8).out.decode()
    check("in none   1 of them, the first is request 1 of the plan" in text, text)
    check(b"E-FLEET7" in harness.succeed("verify", "--fleet", redis.url("none"), *paths, code=4).err, "no such job")
    before = sum(shop.asked.values())
    for run in runs:
        check(b"DONE" in harness.succeed("run", "--plain", "-o", scratch(run)).err, run)
    check_equal(sum(shop.asked.values()), before, "requests after the end")
    redis.kill()


def start(url, run, job):
    return harness.scrapetop("run", "--plain", "--fleet", url, "-o", scratch(run), "-c", "8", job,
                             stdout=subprocess.DEVNULL, stderr=open(scratch(run + ".err"), "ab"))


def end_of(workers, shop, url):
    shop.delay_s = 0
    if any(child.poll() is None for child in workers.values()):
        harness.run("ctl", url, "cap", "60")
    for run, child in workers.items():
        wait_for(lambda: child.poll() is not None, f"the end of {run}", 120)
        check_equal(child.returncode, 0, f"exit code of {run}: {harness.read(scratch(run + '.err'))[-1500:]}")


def more_of(shop, workers, count, what):
    before = sum(shop.asked.values())
    wait_for(lambda: sum(shop.asked.values()) >= before + count or all(w.poll() is not None for w in workers.values()), what, 60)


def test_what_is_found__is_not_lost__when_workers_die_and_redis_forgets():
    random.seed(5)
    redis, shop = Redis(), Catalogue(harness.scaled(300, 120), delay_s=0.03)
    job, url = write_catalogue(shop), redis.url("hard", "1s")
    asked = alone(shop, job)
    workers = {run: start(url, run, job) for run in ("a.run", "b.run", "c.run")}
    for act in ("kill", "flush", "kill", "redis", "kill", "kill", "flush", "kill"):
        more_of(shop, workers, 25, f"requests before {act}")
        run = random.choice(list(workers))
        if act == "kill":
            workers[run].kill()
            workers[run].wait()
            workers[run] = start(url, run, job)
        elif act == "flush":
            redis.say("flushall")
        else:
            redis.kill()
            redis.start()
    end_of(workers, shop, url)
    check_equal(set(shop.asked), set(asked), "what is asked")
    check_tables("solo.run", list(workers), ENDPOINTS)
    redis.kill()


def test_a_worker_that_never_returns__leaves_what_it_has_or_is_forgotten():
    redis, shop = Redis(), Catalogue(harness.scaled(200, 100), delay_s=0.05)
    job = write_catalogue(shop)
    alone(shop, job)
    for what in ("its directory stays", "its disk is lost"):
        url, name = redis.url(what.replace(" ", "-"), "1s"), what.replace(" ", "-")
        shop.delay_s = 0.05
        workers = {run: start(url, run, job) for run in (f"{name}-{n}.run" for n in "abc")}
        gone = f"{name}-c.run"
        wait_for(lambda: os.path.exists(scratch(f"{gone}/ledger.db")) and done_of(gone) > 5, "some of its requests")
        workers[gone].kill()
        workers.pop(gone).wait()
        runs = [*workers, gone]
        if "lost" in what:
            who = name_of(scratch(gone))
            shutil.rmtree(scratch(gone))
            runs.remove(gone)
            wait_for(lambda: harness.run("fleet", "forget", "--yes", url, who).code == 0, "the end of its lease")
        elif any(s > 0 for s in [outbox_of(gone)]):  # what it alone knows of is waited for
            workers[gone] = start(url, gone, job)
        end_of(workers, shop, url)
        check_tables("solo.run", runs, ENDPOINTS)
    redis.kill()


def test_what_a_worker_finds__while_it_drains__is_asked_by_those_who_stay():
    redis, shop = Redis(), Catalogue(40)
    job, url = write_catalogue(shop), redis.url("drained")
    asked = alone(shop, job)
    shop.gate.clear()
    leaves = start(url, "leaves.run", job)
    wait_for(lambda: shop.asked, "the first request")
    harness.succeed("ctl", scratch("leaves.run"), "drain")
    shop.gate.set()
    check_equal(harness.finish(leaves).code, 7, "exit code of a drain")
    stays = start(url, "stays.run", job)
    wait_for(lambda: stays.poll() is not None, "the end of who stays", 60)
    check_equal(stays.returncode, 0, f"exit code: {harness.read(scratch('stays.run.err'))[-1500:]}")
    check_equal(dict(shop.asked), asked, "requests, each once")
    check_tables("solo.run", ["leaves.run", "stays.run"], ENDPOINTS)
    redis.kill()


def test_what_a_worker_finds__while_it_drains_and_redis_is_full__is_kept_and_published_by_the_next_run():
    redis, shop = Redis(), Catalogue(40)
    job, url = write_catalogue(shop), redis.url("full")
    asked = alone(shop, job)
    shop.gate.clear()
    leaves = start(url, "leaves.run", job)
    wait_for(lambda: shop.asked, "the first request")
    redis.say("config", "set", "maxmemory", "1")
    wait_for(lambda: b"OOM" in harness.read(scratch("leaves.run.err")), "the word of a full Redis")
    harness.succeed("ctl", scratch("leaves.run"), "drain")
    shop.gate.set()
    check_equal(harness.finish(leaves).code, 7, "exit code of a drain")
    found, said = outbox_of("leaves.run"), harness.read(scratch("leaves.run.err"))
    check(found > 0, "found requests in the ledger:", found)
    check(f"{found} found requests are known to this worker alone, and kept".encode() in said, "what is said at the end:", said)
    redis.say("config", "set", "maxmemory", "0")
    goes_on = start(url, "leaves.run", job)
    check_equal(harness.finish(goes_on).code, 0, f"exit code: {harness.read(scratch('leaves.run.err'))[-1500:]}")
    check_equal(outbox_of("leaves.run"), 0, "found requests that are not published")
    check_equal(dict(shop.asked), asked, "requests, each once")
    check_tables("solo.run", ["leaves.run"], ENDPOINTS)
    redis.kill()


class Wordy(Catalogue):
    """A product has a text that its page takes along."""

    def answer(self, path):
        told = super().answer(path)
        for item in told.get("items", []):
            item["text"] = 30000 * '"'  # two bytes each in a body of JSON, four in JSON that has such a body
        return told


def test_found_requests_that_take_much_along__go_in_several_replies():
    """Each with a body of nearly a megabyte."""
    redis, shop = Redis(), Wordy(12, delay_s=0)
    job = jobs.write_job("wordy", base=shop.url, endpoints=[
        {"name": "listed", "url": "/all", "records": "/items", "pages": {"param": "page", "total": "/total", "size": 10}},
        {"name": "products", "url": "/product/{listed.id}", "json": {f"text{n}": "{listed.text}" for n in range(17)}}])
    workers = [start(redis.url("wordy", lease="30s"), f"w{n}.run", job) for n in range(2)]
    for n, child in enumerate(workers):
        check_equal(harness.finish(child).code, 0, f"exit code: {harness.read(scratch(f'w{n}.run.err'))[-1500:]}")
    asked = [path for path in shop.asked if path.startswith("/product/")]
    check_equal((len(asked), sum(shop.asked[path] for path in asked)), (12, 12), "products, and how often they were asked")
    check("none of this job's" not in b"".join(harness.read(scratch(f"w{n}.run.err")) for n in range(2)).decode(), "a request was left out")
    redis.kill()


class Deadly(Catalogue):
    """Who asks for product 7 gets no answer, and is killed by the test."""

    def __init__(self, *arguments, **options):
        self.victims = threading.Semaphore(0)
        super().__init__(*arguments, **options)

    def answer(self, path):
        if path == "/product/7":
            self.victims.release()
            time.sleep(60)
        return super().answer(path)


def test_a_request_that_workers_die_of__is_left_out_after_three_that_had_it_alone():
    redis, shop = Redis(), Deadly(30)
    job, url = write_catalogue(shop), redis.url("deadly", "1s")
    kills = 0
    while True:
        child = start(url, "w.run", job)
        wait_for(lambda: shop.victims.acquire(blocking=False) or child.poll() is not None, "the deadly request, or the end", 60)
        if child.poll() is not None:
            break
        kills += 1
        check(kills < 10, "it is asked again and again")
        child.kill()
        child.wait()
    check_equal(child.returncode, 3, f"exit code: {harness.read(scratch('w.run.err'))[-1500:]}")
    check(4 <= kills <= 6, "workers that died of it:", kills)
    rows = harness.ledger(scratch("w.run"), "SELECT key,reason FROM request WHERE state=2")
    check_equal([reason for _, reason in rows], ["it is not asked: 3 workers of the fleet died of it"], f"what has failed: {rows}")
    asked = [path for path in shop.asked if path.startswith("/product/")]
    check_equal(len(asked), 30, "products that were asked")
    redis.kill()


def outbox_of(run):
    return harness.ledger(scratch(run), "SELECT count(*) FROM outbox")[0][0]


if __name__ == "__main__":
    harness.main(globals())
