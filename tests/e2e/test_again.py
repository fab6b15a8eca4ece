"""run --again: the same command every night brings what is new, and tables have the newest answer of each request."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading

import harness
import jobs
from harness import check, check_equal, scratch
from peer import Peer, reply


class World:
    """What an API has: a body by path. Answers with an ETag, a Last-Modified or neither, by `tells`."""

    def __init__(self, tells="etag"):
        self.bodies, self.tells, self.down = {}, tells, set()
        self.peer = Peer(self.answer)
        self.url = self.peer.url

    def answer(self, ask):
        body = self.bodies.get(ask.path)
        if ask.path in self.down or body is None:
            return reply(b"{}", "500 Broken" if ask.path in self.down else "404 Not Found")
        text = json.dumps(body).encode()
        tag = f'"{hash(text) & 0xFFFFFFFF:x}"' if self.tells == "etag" else f"Sun, 06 Nov 1994 08:{len(text) % 60:02}:37 GMT"
        name, asked = ("ETag", "if-none-match") if self.tells == "etag" else ("Last-Modified", "if-modified-since")
        if self.tells and ask.headers.get(asked) == tag:
            return f"HTTP/1.1 304 Not Modified\r\n{name}: {tag}\r\nContent-Length: 0\r\n\r\n".encode()
        return reply(text, headers=[f"{name}: {tag}"] if self.tells else [])

    def take(self):
        """What was asked since the last call, in order of names."""
        with self.peer.lock:
            asked = sorted(self.peer.asked.elements())
            self.peer.asked.clear()
            self.peer.asks.clear()
        return asked


def write(name, content):
    with open(scratch(name), "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content))
    return scratch(name)


def night(what, *more, code=0):
    """The command of every night; its report."""
    ended = harness.succeed("run", "--plain", "--json", "--again", "--retries", "0", "-o", scratch("a.run"), *more, *what, code=code)
    return ended.report()


def listed(world, paths):
    return ["-i", write("ids.txt", "".join(f"{world.url}{path}\n" for path in paths))]


def table(endpoint=None, run="a.run"):
    words = ["--endpoint", endpoint] if endpoint else []
    harness.succeed("normalise", *words, "-o", scratch("out.csv"), scratch(run))
    return jobs.read_table(scratch("out.csv"))


def stored():
    harness.succeed("verify", scratch("a.run"))
    return len(list(harness.raw_lines(scratch("a.run"))))


def test_again__is_first_run_resume_new_inputs_and_update__in_the_same_words():
    for tells in ("etag", "date", None):
        world = World(tells)
        world.bodies = {f"/{n}": {"id": n, "v": 0} for n in range(5)}
        night(listed(world, ["/0", "/1", "/2"]), "--fresh")
        check_equal(world.take(), ["/0", "/1", "/2"], "the first night")
        report = night(listed(world, ["/0", "/1", "/2"]))
        check_equal(world.take(), ["/0", "/1", "/2"], "the second night")
        check_equal((report["ok"], report["unchanged"], report["rounds"], report["all_rounds_ok"]), (3, 3, 2, 6), "nothing was new")
        check_equal(stored(), 3, "stored")
        world.bodies["/1"]["v"] = 10
        report = night(listed(world, ["/3", "/2", "/1", "/0"]))
        check_equal(world.take(), ["/0", "/1", "/2", "/3"], "one more input, asked once")
        check_equal((report["requests"], report["ok"], report["unchanged"]), (4, 4, 2), "one had changed, one was new")
        told = json.loads(harness.succeed("status", "--json", scratch("a.run")).out)
        check_equal((told["requests"], told["ok"], told["unchanged"], told["all_rounds_ok"]), (4, 4, 2, 10), "status")
        check_equal([(row["id"], row["v"]) for row in table()], [("3", "0"), ("2", "0"), ("1", "10"), ("0", "0")], "the table")
        night(listed(world, ["/4", "/1"]), "--prune")
        check_equal(world.take(), ["/1", "/4"], "what has gone is not asked")
        check_equal([(row["id"], row["v"]) for row in table()], [("4", "0"), ("1", "10")], "the table without it")
        harness.succeed("run", "--plain", "-o", scratch("a.run"))
        check_equal(world.take(), [], "without the word nothing is asked again")


def test_again__keeps_the_newest_good_answer__of_what_fails():
    world = World()
    world.bodies = {f"/{n}": {"id": n, "v": 0} for n in range(4)}
    what = listed(world, world.bodies)
    night(what)
    world.down, world.bodies["/2"]["v"] = {"/1"}, 1
    night(what, code=3)
    check_equal([(row["id"], row["v"]) for row in table()], [("0", "0"), ("1", "0"), ("2", "1"), ("3", "0")], "the table")
    harness.succeed("normalise", "--outcomes", scratch("o.csv"), scratch("a.run"))
    check_equal([row["_outcome"] for row in jobs.read_table(scratch("o.csv"))], ["done", "failed", "done", "done"], "outcomes")
    world.take()
    world.down, world.bodies["/1"]["v"] = set(), 2
    harness.succeed("run", "--plain", "--only-failed", "-o", scratch("a.run"))
    check_equal(world.take(), ["/1"], "asked by --only-failed")
    check_equal([row["v"] for row in table()], ["0", "2", "1", "0"], "the table")
    world.bodies["/1"]["v"] = 0
    night(what)
    check_equal([row["v"] for row in table()], ["0", "0", "1", "0"], "what is as it was at first is the newest, too")
    harness.succeed("normalise", "--outcomes", scratch("o.csv"), scratch("a.run"))
    check_equal({row["_outcome"] for row in jobs.read_table(scratch("o.csv"))}, {"done"}, "outcomes")
    stored()


def test_again__grows_by_what_has_changed():
    world = World()
    world.bodies = {f"/{n}": {"id": n} for n in range(10)}
    what = listed(world, world.bodies)
    for night_of in range(6):
        world.bodies["/3"] = {"id": 3, "v": night_of}
        world.down = {"/4"} if night_of % 2 else set()
        night(what, code=3 if world.down else 0)
        check_equal([row["v"] for row in table()], ["", "", "", str(night_of), *[""] * 6], "the table")
    check_equal(stored(), 10 + 5, "stored")
    kept = harness.ledger(scratch("a.run"), "SELECT (SELECT count(*) FROM request), (SELECT count(*) FROM found)")[0]
    check(max(kept) <= 10 + 5 + 2 * 10, "rows of the ledger after six nights of ten requests, one of which has changed:", kept)
    price = json.loads(harness.succeed("run", "-n", "--again", "--json", "-o", scratch("a.run"), *what).out)
    check_equal((price["requests"], price["left"]), (10, 10), "the price of the next night")


def test_older_than__asks_what_has_had_no_good_answer_for_so_long():
    world = World()
    world.bodies = {f"/{n}": {"id": n} for n in range(4)}
    what = listed(world, world.bodies)
    night(what)
    world.down = {"/3"}
    night(what, code=3)
    world.take()

    def pass_days(*paths):
        """What came last of these is a week old."""
        with sqlite3.connect(scratch("a.run/ledger.db")) as db:
            for path in paths:
                db.execute("UPDATE polled SET at_us=at_us-8*86400000000 WHERE request IN (SELECT id FROM found WHERE url LIKE ?)",
                           (f"%{path}",))
        db.close()

    world.down = set()
    pass_days("/1", "/3")
    night(what, "--older-than", "7d")
    check_equal(world.take(), ["/1", "/3"], "old ones")
    night(what, "--older-than", "7d")
    check_equal(world.take(), [], "in the next night nothing is")
    pass_days("/0", "/1", "/2", "/3")
    child = harness.scrapetop("run", "--plain", "--again", "--older-than", "7d", "--max-requests", "1", "-c", "1", "-o", scratch("a.run"),
                              *what, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    child.wait()
    check_equal(len(world.take()), 1, "a part of a round")
    night(what)  # which goes on as it began
    check_equal(len(world.take()), 3, "the rest")
    check_equal([row["id"] for row in table()], ["0", "1", "2", "3"], "the table")
    stored()


def test_where__asks_what_had_such_a_record__and_what_failed():
    world = World()
    world.bodies = {f"/{n}": {"id": n, "status": "open" if n % 3 else "closed", "total": n * 10} for n in range(9)}
    what = listed(world, world.bodies)
    night(what, "--where", "/status = open")  # the first night asks all
    check_equal(len(world.take()), 9, "the first night")
    night(what, "--where", "/status != closed and /total > 40")
    check_equal(world.take(), ["/5", "/7", "/8"], "open and large")
    world.bodies["/7"] = {"id": 7, "status": "closed", "total": 70}
    world.down = {"/8"}
    night(what, "--where", "/total = 80", "--where", "/id = 7", code=3)
    check_equal(world.take(), ["/7", "/8"], "one or the other")
    night(what, "--where", "/status = open and /total >= 50", code=3)
    check_equal(world.take(), ["/5", "/8"], "by the newest answers, and what has failed")
    world.down = set()
    world.bodies["/9"] = {"id": 9, "status": "closed"}
    night(listed(world, world.bodies), "--where", "/status = nowhere")
    check_equal(world.take(), ["/8", "/9"], "what has failed, and what is new")
    night(listed(world, world.bodies), "--where", "/status = nowhere")
    check_equal(world.take(), [], "nothing is so")
    check_equal([(r["id"], r["status"]) for r in table()][6:], [("6", "closed"), ("7", "closed"), ("8", "open"), ("9", "closed")], "the table")
    night(listed(world, world.bodies))
    check_equal(len(world.take()), 10, "and all again")
    stored()


def test_where__looks_into_pages_and_details__and_walks_their_listing():
    world = World()
    job = {"base": world.url, "vars": {"shop": ["a", "b", "c"]}, "endpoints": [
        {"name": "items", "url": "/items?s={shop}&p=0", "records": "/items", "pages": {"next": "/next"}},
        {"name": "detail", "url": "/detail/{items./id}"}]}
    for s in "abc":
        world.bodies[f"/items?s={s}&p=0"] = {"items": [{"id": f"{s}0"}], "next": f"{world.url}/items?s={s}&p=1"}
        world.bodies[f"/items?s={s}&p=1"] = {"items": [{"id": f"{s}1"}]}
        world.bodies.update({f"/detail/{s}{n}": {"id": f"{s}{n}", "stock": n} for n in range(2)})
    world.bodies["/detail/b1"] = {"id": "b1", "stock": 7}
    what = [write("shops.json", job)]
    night(what)
    world.take()
    of = lambda s: [f"/detail/{s}0", f"/detail/{s}1", f"/items?s={s}&p=0", f"/items?s={s}&p=1"]
    night(what, "--where", "/stock = 7")
    check_equal(world.take(), of("b"), "by a detail")
    night(what, "--where", "/id = c1")
    check_equal(world.take(), of("c"), "by a page")
    world.bodies["/detail/a1"] = {"id": "a1", "stock": 9}
    night(what, "--where", "/stock >= 7")
    check_equal(world.take(), of("b"), "what is stored counts, not what has changed since")
    check_equal([(r["id"], r["stock"]) for r in table("detail")],
                [("a0", "0"), ("a1", "1"), ("b0", "0"), ("b1", "7"), ("c0", "0"), ("c1", "1")], "the table")
    stored()


def test_where__goes_on_as_it_began__after_a_kill():
    world = World(None)
    for seed in range(harness.scaled(3, 2)):
        dice = random.Random(seed)
        world.bodies = {f"/{n}": {"id": n, "status": "open" if n % 2 else "closed"} for n in range(40)}
        what = listed(world, world.bodies)
        night(what, "--fresh")
        world.take()
        world.bodies = {path: {**body, "status": "closed"} for path, body in world.bodies.items()}  # what is asked is not open any more
        child = harness.scrapetop("run", "--plain", "--again", "--where", "/status = open", "-c", "1", "--rate", "200/s", "-o", scratch("a.run"),
                                  *what, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        many = 1 + dice.randrange(10)
        harness.wait_for(lambda: world.peer.total() >= many, "some are asked")
        child.send_signal(signal.SIGKILL)
        child.wait()
        night(what, "--where", "/status = open")
        check_equal(sorted(set(world.take())), sorted(f"/{n}" for n in range(1, 40, 2)), f"all that was open, seed {seed}")
        check_equal([row["status"] for row in table()], ["closed"] * 40, "the table")
        stored()


def test_again__of_a_run_that_knew_nothing_of_it__stores_the_first_time():
    world = World()
    world.bodies = {f"/{n}": {"id": n, "v": 0} for n in range(3)}
    what = listed(world, world.bodies)
    harness.succeed("run", "--plain", "-o", scratch("a.run"), *what)
    with sqlite3.connect(scratch("a.run/ledger.db")) as db:  # as an older version had left it
        db.executescript("ALTER TABLE polled DROP COLUMN request; ALTER TABLE polled DROP COLUMN at_us; PRAGMA user_version=4;")
    db.close()
    check_equal(len(table()), 3, "an old ledger is read")
    world.down = {"/2"}
    report = night(what, code=3)
    check_equal((report["unchanged"], stored()), (0, 5), "unchanged, and stored")
    check_equal([row["id"] for row in table()], ["0", "1", "2"], "what failed has its old answer")
    world.down = set()
    report = night(what)
    check_equal((report["unchanged"], stored()), (2, 6), "unchanged and stored, in the night after that")


PAGED = {"name": "shop", "endpoints": [
    {"name": "items", "url": "/items?p=0", "records": "/items", "pages": {"next": "/next"}},
    {"name": "detail", "url": "/detail/{items./id}"}]}


def shop(world, ids, versions, size=3):
    """A listing that names its next page, and a detail for each item."""
    world.bodies = {f"/detail/{i}": {"id": i, "v": versions.get(i, 0)} for i in ids}
    for at in range(0, max(len(ids), 1), size):
        page = {"items": [{"id": i} for i in ids[at:at + size]]}
        if at + size < len(ids):
            page["next"] = f"{world.url}/items?p={at + size}"
        world.bodies[f"/items?p={at}"] = page


def shop_job(world):
    return [write("shop.json", {**PAGED, "base": world.url})]


def shop_tables():
    return ([row["id"] for row in table("items")], [(row["id"], row["v"]) for row in table("detail")])


def want(ids, versions):
    return ([str(i) for i in ids], [(str(i), str(versions.get(i, 0))) for i in ids])


def test_again__follows_listings_as_they_are_now():
    world = World()
    for ids, versions in ((range(8), {}), (range(8), {3: 1}), ([9, *range(2, 8)], {3: 1}), ([5, 9], {5: 2}), (range(20, 31), {})):
        shop(world, list(ids), versions)
        night(shop_job(world))
        check_equal(shop_tables(), want(ids, versions), "tables")
        stored()


def test_again__leaves_the_last_whole_listing__when_one_breaks_off():
    world = World()
    shop(world, list(range(9)), {})
    night(shop_job(world))
    shop(world, list(range(100, 109)), {})
    world.down = {"/items?p=6"}
    night(shop_job(world), code=3)
    check_equal(shop_tables(), want(range(9), {}), "the listing of the night before")
    world.down = set()
    harness.succeed("run", "--plain", "--only-failed", "-o", scratch("a.run"), code=7)
    harness.succeed("run", "--plain", "-o", scratch("a.run"))
    check_equal(shop_tables(), want(range(100, 109), {}), "and the new one, when it is whole")
    world.down = {"/detail/103"}  # the rest of what is new is there all the same
    shop(world, list(range(101, 109)), {105: 7, 103: 9})
    night(shop_job(world), code=3)
    check_equal(shop_tables(), want(range(101, 109), {105: 7}), "a detail that fails has its last answer")


def test_again__leaves_the_last_whole_listing__that_was_unchanged__when_one_breaks_off():
    world = World()
    shop(world, list(range(9)), {})
    night(shop_job(world))
    night(shop_job(world))
    shop(world, list(range(100, 109)), {})
    world.down = {"/items?p=6"}
    night(shop_job(world), code=3)
    check_equal(shop_tables(), want(range(9), {}), "the listing of the night before, no page of which is of this one")
    world.down = set()
    night(shop_job(world))
    check_equal(shop_tables(), want(range(100, 109), {}), "and the new one, when it is whole")
    stored()


def test_again__has_the_newest__of_what_a_later_seed_leads_to_first():
    world, asked = World(), threading.Event()

    def answer(ask):
        if ask.path == "/items?c=A":
            asked.wait(60)  # the detail is under way as what the other has led to
            asked.clear()
        elif ask.path == "/detail/7":
            asked.set()
        return World.answer(world, ask)

    world.peer.answer = answer
    world.bodies = {"/items?c=A": {"items": [{"id": 7}]}, "/items?c=B": {"items": [{"id": 7}, {"id": 8}]}, "/detail/8": {"id": 8, "v": 0}}
    job = [write("job.json", {"base": world.url, "vars": {"c": ["A", "B"]}, "endpoints": [
        {"name": "items", "url": "/items?c={c}", "records": "/items"}, {"name": "detail", "url": "/detail/{items./id}"}]})]
    for v in (0, 1, 1, 2, 2):
        world.bodies["/detail/7"] = {"id": 7, "v": v}
        night(job)
        check_equal([(row["id"], row["v"]) for row in table("detail")], [("7", str(v)), ("8", "0")], "the table")
    check_equal(stored(), 2 + 2 + 2, "stored: the listings, the details, and two changes of one")


def test_again__has_the_newest__of_what_two_seeds_lead_to__when_one_of_them_fails():
    world = World()
    world.bodies = {"/items?c=A": {"items": [{"id": 7}]}, "/items?c=B": {"items": [{"id": 7}]}, "/detail/7": {"id": 7, "v": 0}}
    job = [write("job.json", {"base": world.url, "vars": {"c": ["A", "B"]}, "endpoints": [
        {"name": "items", "url": "/items?c={c}", "records": "/items"}, {"name": "detail", "url": "/detail/{items./id}"}]})]
    night(job)
    world.bodies["/detail/7"]["v"], world.down = 1, {"/items?c=A"}
    night(job, code=3)
    check_equal([(row["id"], row["v"]) for row in table("detail")], [("7", "1")], "the table, as the other seed brought it")
    world.bodies["/detail/7"]["v"], world.down = 2, set()
    night(job)
    check_equal([(row["id"], row["v"]) for row in table("detail")], [("7", "2")], "the table")


def test_again__of_a_run_that_polled__of_an_older_version():
    world = World()
    world.bodies = {f"/{n}": {"id": n, "v": 0} for n in range(3)}
    what = listed(world, world.bodies)
    harness.succeed("run", "--plain", "--every", "1s", "--count", "2", "-o", scratch("a.run"), *what)
    with sqlite3.connect(scratch("a.run/ledger.db")) as db:
        db.executescript("ALTER TABLE polled DROP COLUMN request; ALTER TABLE polled DROP COLUMN at_us; PRAGMA user_version=4;")
    db.close()
    world.bodies["/1"]["v"] = 1
    report = night(what)
    check_equal((report["unchanged"], stored()), (2, 4), "unchanged, and stored")
    check_equal([(row["id"], row["v"]) for row in table()], [("0", "0"), ("1", "1"), ("2", "0")], "the table")


def test_again__tells_apart__what_asks_for_the_same():
    world = World(None)
    seen = []
    world.peer.answer = lambda ask: (seen.append(ask.headers["x-city"]), reply({"city": ask.headers["x-city"], "n": len(seen)}))[1]
    job = [write("job.json", {"base": world.url, "vars": {"city": ["Oslo", "Rome"]}, "headers": {"X-City": "{city}"},
                              "endpoints": [{"name": "a", "url": "/a"}]})]
    job_file = json.loads(harness.read(job[0]))
    job_file["endpoints"][0]["headers"] = job_file.pop("headers")
    job = [write("job.json", job_file)]
    night(job)
    night(job)
    check_equal(sorted(seen), ["Oslo", "Oslo", "Rome", "Rome"], "asked in two nights")
    rows = table()
    check_equal([row["city"] for row in rows], ["Oslo", "Rome"], "the table")
    check_equal({int(row["n"]) for row in rows}, {3, 4}, "answers of the second night")


def kill_in_a_while(what, dice):
    """Begins a night and kills it somewhere."""
    child = harness.scrapetop("run", "--plain", "--again", "--retries", "0", "-c", "2", "-o", scratch("a.run"), *what,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(timeout=dice.random() * 0.12)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()


def test_again__after_kills_at_any_moment__is_as_if_all_had_been_fetched_at_once():
    for seed in range(harness.scaled(4, 2)):
        dice, world = random.Random(seed), World(("etag", None)[seed % 2])
        ids, versions = list(range(dice.randrange(1, 20))), {}
        for _ in range(3):
            shop(world, ids, versions)
            for _ in range(dice.randrange(3)):
                kill_in_a_while(shop_job(world), dice)
            night(shop_job(world))  # what the kills have left, ...
            night(shop_job(world))  # ... and all of it
            check_equal(shop_tables(), want(ids, versions), f"tables, by seed {seed}")
            stored()
            ids = [i for i in ids if dice.random() < 0.8] + [1000 * (seed + 1) + dice.randrange(100)]
            ids = list(dict.fromkeys(ids))
            dice.shuffle(ids)
            versions.update({i: dice.randrange(9) for i in ids if dice.random() < 0.3})
        os.rename(scratch("a.run"), scratch(f"{seed}.run"))


def test_again__refuses__what_it_does_not_go_with():
    for words, why in ((["--every", "1s"], b"--every asks again by itself"), (["--shard", "1/2"], b"for a run alone"),
                       (["--only-failed"], b"--again asks anew")):
        refused = harness.run("run", "--again", *words, "http://127.0.0.1:9/x", "-o", scratch("r.run"))
        check(refused.code == 2 and why in refused.err, words, refused)
    refused = harness.run("run", "--older-than", "7d", "http://127.0.0.1:9/x", "-o", scratch("r.run"))
    check(refused.code == 2 and b"--older-than goes with --again" in refused.err, refused)
    for condition in ("status = open", "/a =", "/a = 1 or /b = 2"):
        refused = harness.run("run", "--again", "--where", condition, "http://127.0.0.1:9/x", "-o", scratch("r.run"))
        check(refused.code == 2 and b"E-WHERE1" in refused.err, condition, refused)
    refused = harness.run("run", "--where", "/a = 1", "http://127.0.0.1:9/x", "-o", scratch("r.run"))
    check(refused.code == 2 and b"--where goes with --again" in refused.err, refused)
    check(not os.path.exists(scratch("r.run")), "a directory of what was refused")


if __name__ == "__main__":
    harness.main(globals())
