"""Jobs with "since": each run of the same command brings what has changed, and tables are as if all had been fetched whole."""

import datetime
import json
import random
import signal
import subprocess
import threading
import urllib.parse

import harness
import jobs
from harness import check, check_equal, scratch
from peer import Peer, reply

EPOCH = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
FORMS = {  # how an API writes a moment, and reads it back: seconds since EPOCH
    "zulu": (lambda t: (EPOCH + datetime.timedelta(seconds=t)).strftime("%Y-%m-%dT%H:%M:%SZ"),
             lambda s: (datetime.datetime.strptime(s, "%Y-%m-%dT%H:%M:%SZ") - EPOCH.replace(tzinfo=None)).total_seconds()),
    "offset": (lambda t: (EPOCH + datetime.timedelta(seconds=t)).astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
               .strftime("%Y-%m-%dT%H:%M:%S.%f+05:30"),
               lambda s: (datetime.datetime.fromisoformat(s) - EPOCH).total_seconds()),
    "seconds": (lambda t: int(t) + 1577836800, lambda s: int(s) - 1577836800),
    "millis": (lambda t: (int(t) + 1577836800) * 1000, lambda s: int(s) // 1000 - 1577836800),
    "id": (lambda t: int(t) + 2**53, lambda s: int(s) - 2**53),  # numbers that a double cannot tell apart
}


class Feed:
    """Records by id, each with the moment of its last change, behind three kinds of listings."""

    def __init__(self, form="zulu", size=4):
        self.write, self.read = FORMS[form]
        self.records, self.now, self.size, self.down = {}, 0, size, set()
        self.peer = Peer(self.answer)
        self.url, self.lock = self.peer.url, threading.RLock()
        self.breaks = lambda: False  # whether an answer is a failure
        self.sent = 0  # bytes
        self.changes = None  # called after each answer of the newest first

    def put(self, number, late=0):
        """Changes or adds one; `late`: it shows up that long after its moment."""
        with self.lock:
            self.now += 1 + late
            was = self.records.get(number, {"v": 0})
            self.records[number] = {"id": number, "v": was["v"] + 1, "t": self.now - late}

    def rows(self, order, since=None):
        chosen = [r for r in self.records.values() if since is None or r["t"] >= since]
        return sorted(chosen, key=lambda r: (order * r["t"], r["id"]))

    def shown(self, records):
        return [{"id": r["id"], "v": r["v"], "updated_at": self.write(r["t"])} for r in records]

    def answer(self, ask):
        with self.lock:
            made = self.make(ask)
            self.sent += len(made)
        if self.changes and ask.path.startswith("/news"):
            self.changes()
        return made

    def make(self, ask):
        url = urllib.parse.urlsplit(ask.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if self.breaks():
            return reply({}, "500 Broken")
        if url.path in self.down or (url.path, query.get("page", "1")) in self.down:
            return reply({}, "500 Broken")
        at = (int(query.get("page", 1)) - 1) * self.size
        if url.path == "/items":  # ?updated_since=, as GitHub, JSON:API and others have it
            rows = self.rows(1, self.read(query["updated_since"]))
            return reply({"data": self.shown(rows[at:at + self.size]), "meta": {"total": len(rows)}})
        if url.path == "/rows":  # PostgREST
            op, value = query["updated_at"].split(".", 1)
            check_equal(op, "gte", "operator")
            rows, at = self.rows(1, self.read(value)), int(query["offset"])
            part = rows[at:at + int(query["limit"])]
            return reply(self.shown(part), headers=[f"Content-Range: {at}-{at + len(part) - 1}/{len(rows)}"])
        if url.path == "/news":
            return reply({"data": self.shown(self.rows(-1)[at:at + self.size])})
        if url.path.startswith("/detail/"):
            record = self.records.get(int(url.path[8:]))
            return reply({"id": record["id"], "v": record["v"]} if record else {}, "200 OK" if record else "404 Not Found")
        return reply({}, "404 Not Found")

    def take(self):
        with self.peer.lock:
            paths = [ask.path for ask in self.peer.asks]
            self.peer.asks.clear()
            self.peer.asked.clear()
        return paths

    def versions(self):
        return {str(r["id"]): str(r["v"]) for r in self.records.values()}


PAGES = {"param": "page", "size": 4}
LISTINGS = {
    "items": {"url": "/items?updated_since={since}", "records": "/data", "pages": {**PAGES, "total": "/meta/total"}},
    "rows": {"url": "/rows?updated_at=gte.{since}&order=updated_at.asc",
             "pages": {"offset_param": "offset", "size": 4, "size_param": "limit"}},
    "news": {"url": "/news", "records": "/data", "pages": PAGES},
}


def job_of(feed, which="items", name="job", **since):
    listing = {"name": which, **LISTINGS[which],
               "since": {"at": "/updated_at", "start": feed.write(0), **({"stop": "seen"} if which == "news" else {}), **since}}
    return jobs.write_job(name, base=feed.url, endpoints=[listing], tables={which: {"unique": ["id"]}})


def night(job, *more, code=0, run_dir="s.run"):
    """The command of every night; its report."""
    ended = harness.succeed("run", "--plain", "--json", "--retries", "0", "-c", "2", "-o", scratch(run_dir), *more, job, code=code)
    return ended.report()


def table(endpoint=None, run_dir="s.run"):
    words = ["--endpoint", endpoint] if endpoint else []
    harness.succeed("normalise", *words, "-o", scratch("out.csv"), scratch(run_dir))
    rows = jobs.read_table(scratch("out.csv"))
    found = {row["id"]: row["v"] for row in rows}
    check_equal(len(rows), len(found), "each record once")
    return found


def state(run_dir="s.run"):
    told = json.loads(harness.succeed("status", "--json", scratch(run_dir)).out)
    return [one["state"] for one in told["increments"]]


def test_since__brings_what_has_changed__whatever_the_form_of_its_moments():
    kinds = [("items", form) for form in FORMS] + [("rows", "zulu"), ("rows", "id"), ("news", "offset"), ("news", "seconds")]
    for which, form in kinds[:harness.scaled(len(kinds), 3)]:
        feed = Feed(form)
        for number in range(20):
            feed.put(number)
        job = job_of(feed, which)
        night(job, "--fresh")
        check(len(feed.take()) >= 5, "pages of the first night")
        check_equal(state(), [feed.write(20)], "the state")
        feed.put(3)
        feed.put(99)
        night(job)
        asked = feed.take()
        check(len(asked) <= 2, which, form, "the second night:", asked)
        if which != "news":
            check(urllib.parse.quote_plus(str(feed.write(20))) in asked[0] or str(feed.write(20)) in urllib.parse.unquote(asked[0]),
                  "asked in the form of the API:", asked[0])
        check_equal(table(), feed.versions(), f"the table of {which}, {form}")
        check_equal(state(), [feed.write(22)], "the state")
        night(job)
        check_equal((table(), state()), (feed.versions(), [feed.write(22)]), "a night without news")
        feed.take()


def test_since__does_not_advance__where_a_round_is_not_whole():
    feed = Feed()
    for number in range(12):
        feed.put(number)
    job = job_of(feed)
    feed.down = {("/items", "2")}
    night(job, code=3)
    check_equal(state(), [None], "a page failed in the first night")
    feed.down = set()
    feed.take()
    night(job)
    check_equal((len(feed.take()) >= 3, table(), state()), (True, feed.versions(), [feed.write(12)]), "all of it again")
    for number in range(3, 12):
        feed.put(number)
    feed.down = {("/items", "2")}
    night(job, code=3)
    check_equal(state(), [feed.write(12)], "a page failed in a later night")
    feed.down = set()
    harness.succeed("run", "--plain", "--only-failed", "-o", scratch("s.run"))
    check_equal((table(), state()), (feed.versions(), [feed.write(21)]), "and was asked by --only-failed")
    for number in range(12):
        feed.put(number)
    stopped = harness.run("run", "--plain", "--retries", "0", "-c", "1", "--max-requests", "2", "-o", scratch("s.run"), job)
    check_equal((stopped.code, state()), (4, [feed.write(21)]), "stopped midway")
    feed.take()
    night(job)
    check(feed.write(21) in urllib.parse.unquote(feed.take()[0]), "the round goes on as it began")
    check_equal((table(), state()), (feed.versions(), [feed.write(33)]), "at the end of the round")
    feed.put(0)
    feed.down = {"/items"}
    night(job, code=3)
    check_equal(state(), [feed.write(33)], "nothing answered")
    harness.succeed("verify", scratch("s.run"))


def test_since__of_the_newest_first__loses_nothing_behind_a_page_that_failed():
    feed = Feed()
    for number in range(12):
        feed.put(number)
    job = job_of(feed, "news")
    night(job)
    for number in range(8):
        feed.put(number)
    feed.down = {("/news", "2")}
    night(job, code=3)
    check_equal(state(), [feed.write(12)], "the first page alone does not count")
    feed.down = set()
    night(job)
    check_equal((table(), state()), (feed.versions(), [feed.write(20)]), "the next night has the second page, too")


def with_details(feed):
    listing = {"name": "items", **LISTINGS["items"], "since": {"at": "/updated_at", "start": feed.write(0)}}
    return jobs.write_job("details", base=feed.url, tables={"items": {"unique": ["id"]}, "detail": {"unique": ["id"]}},
                          endpoints=[listing, {"name": "detail", "url": "/detail/{items.id}"}])


def test_since__leads_to_details_of_what_has_changed():
    feed = Feed()
    for number in range(9):
        feed.put(number)
    job = with_details(feed)
    night(job)
    feed.take()
    feed.put(4)
    feed.put(50)
    night(job)
    check_equal(sorted(path for path in feed.take() if "/detail" in path), ["/detail/4", "/detail/50", "/detail/8"],
                "details that are asked: of what changed, and of the latest before")
    check_equal((table("detail"), table("items")), (feed.versions(), feed.versions()), "both tables")
    feed.put(5)
    feed.down = {"/detail/5"}
    night(job, code=3)
    check_equal(state(), [feed.write(11)], "a detail failed")
    feed.down = set()
    night(job)
    check_equal((table("detail"), state()), (feed.versions(), [feed.write(12)]), "it came in the next round")


def test_since__tells_what_changed__and_calls_nothing_gone_that_did_not_come_again():
    feed = Feed()
    for number in range(9):
        feed.put(number)
    job = job_of(feed)
    night(job)
    feed.put(4)
    feed.put(50)
    night(job)
    harness.succeed("normalise", "--changes", "-o", scratch("c.csv"), scratch("s.run"))
    rows = jobs.read_table(scratch("c.csv"))
    second = [row for row in rows if row["_round"] == "2"]
    check_equal({row["_change"] for row in second}, {"added", "changed"}, "changes of the second round")
    check_equal({row["id"] for row in second}, {"4", "50"}, "their keys")


def test_since__stands_in_bodies_and_headers__too():
    feed, asked = Feed(), []

    def answer(ask):
        body = json.loads(ask.body)
        asked.append((body["filter"]["after"], ask.headers["x-after"]))
        return reply({"data": feed.shown(feed.rows(1, feed.read(body["filter"]["after"])))})

    peer = Peer(answer)
    for number in range(5):
        feed.put(number)
    job = jobs.write_job("body", base=peer.url, tables={"search": {"unique": ["id"]}}, endpoints=[
        {"name": "search", "url": "/search", "json": {"filter": {"after": "{since}"}}, "headers": {"X-After": "{since}"},
         "records": "/data", "since": {"at": "/updated_at", "start": feed.write(0), "lag": "1s"}}])
    night(job)
    feed.put(2)
    night(job)
    check_equal(asked, [(feed.write(0),) * 2, (feed.write(4),) * 2], "what was asked")
    check_equal(table(), feed.versions(), "the table")


def test_since__tables_of_a_moment_before():
    feed = Feed()
    for number in range(6):
        feed.put(number)
    job = job_of(feed)
    night(job)
    before, moment = feed.versions(), datetime.datetime.now(datetime.timezone.utc).isoformat()
    feed.put(1)
    feed.put(9)
    night(job)
    harness.succeed("normalise", "--as-of", moment, "-o", scratch("then.csv"), scratch("s.run"))
    check_equal({row["id"]: row["v"] for row in jobs.read_table(scratch("then.csv"))}, before, "as of the first night")
    check_equal(table(), feed.versions(), "now")


def test_since__knows_each_listing_by_itself__and_new_ones_from_the_start():
    feeds = {}

    def answer(ask):
        name, _, rest = ask.path[1:].partition("/")
        ask.path = "/" + rest
        return feeds[name].answer(ask)

    peer = Peer(answer)

    def job(names):
        return jobs.write_job("repos", base=peer.url, vars={"repo": names}, tables={"items": {"unique": ["repo", "id"]}}, endpoints=[
            {"name": "items", **LISTINGS["items"], "url": "/{repo}/items?updated_since={since}", "with": ["repo"],
             "since": {"at": "/updated_at", "start": FORMS["zulu"][0](0)}}])

    def check_tables(what):
        harness.succeed("normalise", "-o", scratch("out.csv"), scratch("s.run"))
        got = {(row["repo"], row["id"]): row["v"] for row in jobs.read_table(scratch("out.csv"))}
        check_equal(got, {(name, i): v for name in feeds for i, v in feeds[name].versions().items()}, what)

    for name, count in (("a", 9), ("b", 2)):
        feeds[name] = Feed()
        for number in range(count):
            feeds[name].put(number)
    night(job(["a", "b"]))
    check_tables("the first night")
    feeds["c"] = Feed()
    for number in range(6):
        feeds["c"].put(number)
    feeds["a"].put(3)
    night(job(["c", "a", "b"]))
    check_tables("a listing more, before the others")
    for feed in feeds.values():
        feed.put(1)
    peer.asks.clear()
    night(job(["b", "c", "a"]))
    check_tables("in another order")
    check_equal(len(peer.asks), 3, "requests of a night with one change each")
    told = json.loads(harness.succeed("status", "--json", scratch("s.run")).out)["increments"][0]
    check_equal((told["listings"], told["state"], told["earliest"]), (3, FORMS["zulu"][0](11), FORMS["zulu"][0](3)), "states")


def test_since__can_be_set():
    feed = Feed()
    for number in range(8):
        feed.put(number)
    job = job_of(feed)
    night(job, "--since", feed.write(5))
    check_equal(sorted(table()), ["4", "5", "6", "7"], "a run that begins there")
    ended = harness.succeed("run", "--plain", "-o", scratch("s.run"), job)
    check(f'round 2 begins: what has changed since "{feed.write(8)}" is asked'.encode() in ended.err, ended)
    night(job, "--since", f"items={feed.write(0)}")
    check_equal((table(), state()), (feed.versions(), [feed.write(8)]), "and is set back")
    for words, why in ((["--since", "soon"], "VALUE or ENDPOINT=VALUE"), (["--since", "items=soon"], "want a moment"),
                       (["--since", "5"], "of the kind of"), (["--since", "2999-01-01"], "in the future"),
                       (["--only-failed", "--since", feed.write(1)], "begin a round")):
        refused = harness.run("run", "--plain", *words, "-o", scratch("s.run"), *([] if "--only-failed" in words else [job]))
        check(refused.code == 2 and why.encode() in refused.err, words, refused)
    feed.put(1)
    feed.put(2)
    feed.put(3)
    feed.put(4)
    feed.put(5)
    harness.run("run", "--plain", "--max-requests", "1", "-c", "1", "-o", scratch("s.run"), job)
    refused = harness.run("run", "--plain", "--since", feed.write(1), "-o", scratch("s.run"), job)
    check(refused.code == 2 and b"E-SINCE2" in refused.err, "while a round is under way", refused)
    night(job)
    check_equal(table(), feed.versions(), "the table")
    text = harness.succeed("status", scratch("s.run")).out.decode()
    check(f'up to "{feed.write(13)}"; the next round asks since "{feed.write(13)}"' in text, "status", text)
    other = jobs.write_job("other", base=feed.url, endpoints=[{"name": "news", "url": "/news"}])
    refused = harness.run("run", "--plain", "--since", feed.write(1), "-o", scratch("o.run"), other)
    check(refused.code == 2 and b"no endpoint of the job has" in refused.err, refused)


def test_since__ignores_the_future__what_is_missing__and_what_is_odd():
    feed = Feed()
    for number in range(5):
        feed.put(number)
    shown, odd = feed.shown, {1: "2999-01-01T00:00:00Z", 2: None, 3: 17}

    def with_odd(records):
        rows = shown(records)
        for row in rows:
            if row["id"] in odd:
                row["updated_at"] = odd[row["id"]]
        return rows

    feed.shown = with_odd
    job = job_of(feed)
    ended = harness.succeed("run", "--plain", "-o", scratch("s.run"), job)
    for words in (b"a record is dated \"2999-01-01T00:00:00Z\", in the future", b"a record has 17 at /updated_at",
                  b"1 of 4 records of an answer has nothing at /updated_at"):
        check(words in ended.err, words, ended)
    check_equal((state(), table()), ([feed.write(5)], feed.versions()), "the state goes by the others")
    feed.put(4)
    told = night(job)["endpoints"][0]["since"]
    check_equal(told, {"seen": feed.write(6), "without": 0, "odd": 0, "future": 0}, "the report")
    check_equal(table(), feed.versions(), "and the next night finds what has changed")
    odd.update({number: None for number in range(9)})
    feed.put(0)
    night(job)
    check_equal((state(), table()), ([feed.write(6)], feed.versions()), "a night in which no record has a moment")


BAD = [  # what is changed in a good job, and what is said
    ({"since": {"at": "/t", "start": "soon"}}, "want a moment as"),
    ({"since": {"at": "/t", "start": "2999-01-01"}}, "in the future"),
    ({"since": {"at": "/t"}}, '"since" wants "start"'),
    ({"since": {"start": 1}}, '"since" wants "at"'),
    ({"since": {"at": "t", "start": 1}}, '"at"'),
    ({"since": {"at": "/t", "start": "2020-01-01", "lag": 5}}, "want \"5m\" or so"),
    ({"since": {"at": "/t", "start": 1, "lag": -5}}, '"lag": want a time'),
    ({"since": {"at": "/t", "start": 1, "lag": "soon"}}, '"lag"'),
    ({"since": {"at": "/t", "start": 1, "stop": "first"}}, 'want "seen"'),
    ({"since": {"at": "/t", "start": 1, "stop": "seen"}, "pages": None}, '"stop" wants "pages"'),
    ({"url": "/items"}, "{since} stands nowhere"),
    ({"since": None}, "{since} names neither"),
    ({"tables": {}}, "say which are the same"),
    ({"vars": {"since": [1]}}, 'is a variable of "vars", too'),
    ({"every": "30s"}, "not with --every"),
    ({"child": "since"}, "not for each record"),
    ({"child": "plain"}, "say which are the same"),
]


def test_since__refuses__what_makes_no_sense():
    for change, why in BAD:
        endpoint = {"name": "items", "url": "/items?s={since}", "pages": {"param": "page"}, "since": {"at": "/t", "start": 1}}
        job = {"base": "http://127.0.0.1:9", "endpoints": [endpoint], "tables": {"items": {"unique": ["id"]}}}
        if "child" in change:
            job["endpoints"].append({"name": "child", "url": "/x/{items.id}"})
        if change.get("child") == "since":
            job["endpoints"][1]["since"] = {"at": "/t", "start": 1}
            job["endpoints"][1]["url"] += "/{since}"
        for key, value in change.items():
            where = job if key in ("tables", "vars", "every") else endpoint if key != "child" else {}
            where[key] = value
        job["endpoints"] = [{key: value for key, value in one.items() if value is not None} for one in job["endpoints"]]
        refused = harness.run("run", "--plain", "-o", scratch("r.run"), jobs.write_job("bad", **job))
        check(refused.code == 2 and why.encode() in refused.err, change, refused)
    job = jobs.write_job("good", base="http://127.0.0.1:9", tables={"items": {"unique": ["id"]}}, endpoints=[
        {"name": "items", "url": "/items?s={since}", "since": {"at": "/t", "start": 1}}])
    refused = harness.run("run", "--plain", "--shard", "1/2", "-o", scratch("r.run"), job)
    check(refused.code == 2 and b"for a run alone" in refused.err, refused)


def test_since__of_a_run_that_knew_nothing_of_it__begins_at_the_start():
    feed = Feed()
    for number in range(10):
        feed.put(number)
    plain = jobs.write_job("old", base=feed.url, endpoints=[{"name": "news", **LISTINGS["news"]}], tables={"news": {"unique": ["id"]}})
    night(plain)
    feed.put(3)
    job = job_of(feed, "news")
    feed.take()
    night(job)
    check(len(feed.take()) > 2, "all of it again")
    check_equal((table(), state()), (feed.versions(), [feed.write(11)]), "the first round with it")
    feed.put(4)
    feed.take()
    night(job)
    check_equal((len(feed.take()), table()), (2, feed.versions()), "the second")
    night(job_of(feed, "news", start=feed.write(3)))
    check_equal(table(), feed.versions(), "another start is of no use to a run that exists")


def test_since__asks_for_a_lag_before_the_state__and_tells_its_price():
    feed = Feed()
    for number in range(6):
        feed.put(number)
    job = job_of(feed, lag="2s")
    night(job)
    feed.put(2)
    feed.take()
    night(job)
    check(feed.write(4) in urllib.parse.unquote(feed.take()[0]), "the state less the lag")
    check_equal(table(), feed.versions(), "the table")
    price = json.loads(harness.succeed("run", "-n", "--json", "-o", scratch("s.run"), job).out)
    check_equal(price["requests"], 1, "what a round asks at least")


def test_since__an_increment_of_a_thousandth__costs_less_than_a_hundredth():
    feed = Feed(size=20)
    for number in range(4000):
        feed.put(number)
    job = jobs.write_job("price", base=feed.url, tables={"items": {"unique": ["id"]}}, endpoints=[
        {"name": "items", **LISTINGS["items"], "pages": {**PAGES, "size": 20, "total": "/meta/total"},
         "since": {"at": "/updated_at", "start": feed.write(0)}}])
    night(job)
    first = len(feed.take()), feed.sent
    feed.sent = 0
    for number in range(0, 4000, 1000):
        feed.put(number)
    report = night(job)
    check(len(feed.take()) * 100 < first[0] and feed.sent * 100 < first[1], "requests and bytes, of", first, ":", feed.sent)
    check_equal((report["requests"], report["ok"], report["rounds"]), (1, 1, 2), "the report is of the round")
    pages = report["endpoints"][0]["pages"]
    check_equal((pages["expected"], pages["got"], pages["listings"], pages["records"]), (1, 1, 1, 5), "its pages: what changed, and the latest before")
    check_equal(table(), feed.versions(), "the table")


def kill_in_a_while(job, dice):
    child = harness.scrapetop("run", "--plain", "--retries", "0", "-c", "2", "-o", scratch("s.run"), job,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(timeout=dice.random() * 0.12)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()


def test_since__of_nights_in_which_pages_fail__loses_nothing():
    """Which pages fail goes by the seed alone; the night after has nothing new, so that only what was lost may be missing."""
    unfinished = 0
    for seed in range(harness.scaled(4, 2)):
        dice, which = random.Random(seed), ("news", "items")[seed % 2]
        feed, path = Feed(("zulu", "millis", "id")[seed % 3]), LISTINGS[which]["url"].partition("?")[0]
        LISTINGS[which]["pages"]["size"] = feed.size
        job, number = job_of(feed, which), 0
        feed.put(number)
        night(job, "--fresh")
        for turn in range(3):
            for _ in range(dice.randrange(5, 17)):
                number += dice.random() < 0.5
                feed.put(number if dice.random() < 0.7 else dice.randrange(number + 1))
            feed.down = {(path, str(page)) for page in dice.sample(range(1, 4), dice.randrange(1, 3))}
            before = state()
            ended = harness.run("run", "--plain", "--retries", "0", "-c", "2", "-o", scratch("s.run"), job)
            feed.down = set()
            if ended.code == 3:
                unfinished += 1
                check_equal(state(), before, f"the state after a night that is not whole, seed {seed}, turn {turn}")
            night(job)
            check_equal((table(), state()), (feed.versions(), [feed.write(feed.now)]), f"the night after, seed {seed}, turn {turn}")
    check(unfinished >= harness.scaled(6, 3), "nights that were not whole", unfinished)


def test_since__after_nights_of_changes_and_kills__is_as_if_all_had_been_fetched_at_once():
    for seed in range(harness.scaled(4, 2)):
        dice, which = random.Random(seed), list(LISTINGS)[seed % 3]
        lag = dice.randrange(4)
        feed = Feed(("zulu", "millis")[seed % 2], size=dice.randrange(2, 6))
        LISTINGS[which]["pages"]["size"] = feed.size
        job, gone = job_of(feed, which, lag=f"{lag}s"), set()

        def change(dice=dice, feed=feed, lag=lag, gone=gone):
            number = dice.choice([*feed.records, len(feed.records) + len(gone)])
            if number not in gone:
                feed.put(number, late=dice.randrange(lag + 1))

        for number in range(dice.randrange(1, 25)):
            feed.put(number)
        night(job, "--fresh")
        for _ in range(4):
            for _ in range(dice.randrange(16)):
                change()
            if len(feed.records) > 2 and dice.random() < 0.5:  # a deletion, which nobody is told of
                number = dice.choice(list(feed.records))
                del feed.records[number]
                gone.add(number)
            feed.changes = change if which == "news" and dice.random() < 0.5 else None  # during the round, too
            for _ in range(dice.randrange(3)):
                kill_in_a_while(job, dice)
            if dice.random() < 0.6:
                feed.breaks = lambda chance=random.Random(dice.random()): chance.random() < 0.3
            harness.run("run", "--plain", "--retries", "0", "-o", scratch("s.run"), job)
            feed.breaks = lambda: False
        feed.changes = None
        night(job)  # what is left, ...
        night(job)  # ... and what came since it began
        got = table()
        whole = jobs.write_job("whole", base=feed.url, endpoints=[
            {"name": which, **LISTINGS[which], "url": LISTINGS[which]["url"].replace("{since}", str(feed.write(0)))}])
        night(whole, "--fresh", run_dir="w.run")
        check_equal({i: v for i, v in got.items() if int(i) not in gone}, table(run_dir="w.run"), f"against one fetch, by seed {seed}")
        check_equal(state(), [feed.write(max(r["t"] for r in feed.records.values()))] if not gone else state(), "the state")
        harness.succeed("verify", scratch("s.run"))


if __name__ == "__main__":
    harness.main(globals())
