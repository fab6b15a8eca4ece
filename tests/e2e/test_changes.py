"""normalise --changes: what was added, changed and gone from round to round, held against a plain diff of whole snapshots."""

import datetime
import json
import random
import sqlite3
import time

import harness
import jobs
from harness import check, check_equal, scratch
from peer import Peer, reply

OURS = ("_time", "_round", "_endpoint", "_change", "_field", "_from", "_to")


def write(name, job):
    with open(scratch(name), "w", encoding="utf-8") as file:
        json.dump(job, file)
    return scratch(name)


def changes(run, *more, code=0):
    ended = harness.succeed("normalise", "--changes", "-o", scratch("changes.jsonl"), *more, run, code=code)
    if code:
        return ended
    return [json.loads(line) for line in harness.read(scratch("changes.jsonl")).splitlines()], ended.err.decode()


def text(value):
    """A value as a cell says it."""
    return value if isinstance(value, str) else None if value is None else json.dumps(value, separators=(",", ":"))


def flat(record, before=""):
    cells = {}
    for name, value in record.items():
        if isinstance(value, dict):
            cells.update(flat(value, f"{before}{name}."))
        elif value is not None:
            cells[before + name] = value
    return cells


def diff(before, now, number):
    """The changes that lead from one state to the next: {key: record}."""
    found = []
    for key in before.keys() | now.keys():
        old, new = before.get(key), now.get(key)
        if old is None:
            found.append((number, key, "added", None, None, json.dumps(flat(new), sort_keys=True)))
        elif new is None:
            found.append((number, key, "gone", None, json.dumps(flat(old), sort_keys=True), None))
        else:
            old, new = flat(old), flat(new)
            found += [(number, key, "changed", name, text(old.get(name)), text(new.get(name)))
                      for name in old.keys() | new.keys() if old.get(name) != new.get(name)]
    return found


def told(rows, key="id"):
    """The table of changes in the form of diff()."""
    found = []
    for row in rows:
        whole = row["_change"] != "changed"
        values = [json.dumps(json.loads(row[name]), sort_keys=True) if whole and row[name] else row[name] for name in ("_from", "_to")]
        found.append((row["_round"], row[key], row["_change"], row["_field"], *values))
    return found


def check_changes(rows, want, what, key="id"):
    order = [row["_round"] for row in rows]
    check_equal(order, sorted(order), f"{what}: rounds in order")
    got, want = sorted(told(rows, key), key=str), sorted(want, key=str)
    for one, other in zip(got, want):
        check_equal(one, other, what)
    check_equal(len(got), len(want), f"{what}: changes")


class Feed:
    """Answers `/feed` with the next of its snapshots, the last one ever after."""

    def __init__(self, snapshots, path="/feed"):
        self.snapshots, self.at = snapshots, 0
        self.peer = Peer(self.answer)
        self.url = self.peer.url + path

    def answer(self, ask):
        snapshot = self.snapshots[min(self.at, len(self.snapshots) - 1)]
        self.at += 1
        return snapshot if isinstance(snapshot, bytes) else reply(json.dumps(snapshot).encode())


def poll(feed, run, *more, count=None, code=0):
    return harness.succeed("run", "--plain", "-o", run, "--every", "100ms", "--count", str(count or len(feed.snapshots)), "--retries", "0",
                           *more, feed.url, code=code)


def random_world(seed, rounds, start=12):
    chance, next_id = random.Random(seed), start
    world = {n: {"id": n, "v": 0, "at": {"x": n, "tags": []}} for n in range(start)}
    states = [dict(world)]
    for number in range(1, rounds):
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            key = chance.choice(list(world)) if world else None
            what = chance.random()
            if what < 0.25 or key is None:
                world[next_id] = {"id": next_id, "v": number, "name": f"ünï \"{next_id}\"\n"}
                next_id += 1
            elif what < 0.45:
                del world[key]
            elif what < 0.6:
                world[key] = {**world[key], "at": {"x": number, "tags": [number, "a b"]}}
            elif what < 0.7:
                world[key] = {name: value for name, value in world[key].items() if name != "name"}
            else:
                world[key] = {**world[key], "v": number + chance.choice((0, 0.5))}
        states.append(dict(world))
    return states


def test_changes__are_those_of_a_plain_diff__of_a_feed():
    states = random_world(7, 30)
    chance = random.Random(1)

    def shuffled(state):
        records = [dict(sorted(record.items(), key=lambda _: chance.random())) for record in state.values()]
        chance.shuffle(records)
        return {"items": records}

    feed, run = Feed([shuffled(state) for state in states]), scratch("feed.run")
    poll(feed, run, "--records", "/items")
    want, before = [], {}
    for number, state in enumerate(states):
        want += diff(before, state, number + 1)
        before = state
    rows, err = changes(run, "--unique", "id")
    check_changes(rows, want, "the feed's changes")
    check(all(row["_endpoint"] and row["_time"].startswith("20") and row["_time"].endswith("Z") for row in rows), rows[:3])
    kinds = {kind: len({(row[0], row[1]) for row in want if row[2] == kind}) for kind in ("added", "changed", "gone")}
    check(f"30 rounds: {kinds['added']} records added, {kinds['changed']} changed" in err and f"{kinds['gone']} gone" in err, err)
    # As of each round the changes until then lead to the state of then.
    middle = max(row["_time"] for row in rows if row["_round"] <= 15)
    part, err = changes(run, "--unique", "id", "--as-of", middle)
    check_equal(part, [row for row in rows if row["_round"] <= 15], "changes as of the middle")
    check("left out: seen after --as-of" in err, err)


def test_changes__are_a_table_like_others():
    states = random_world(3, 8)
    feed, run = Feed([list(state.values()) for state in states]), scratch("kinds.run")
    poll(feed, run)
    rows, _ = changes(run, "--unique", "id")
    harness.succeed("normalise", "--changes", "--unique", "id", "-o", scratch("c.csv"), "-o", scratch("c.db"), "-o", scratch("c.parquet"), run)
    in_csv = jobs.read_table(scratch("c.csv"))
    check_equal([[row[name] or None for name in OURS[3:]] for row in in_csv], [[row[name] for name in OURS[3:]] for row in rows], "CSV")
    check_equal(list(in_csv[0]), ["_time", "_round", "_endpoint", "id", "_change", "_field", "_from", "_to"], "columns")
    with sqlite3.connect(scratch("c.db")) as base:
        name = base.execute("SELECT name FROM sqlite_master WHERE name LIKE '%_changes'").fetchone()[0]
        # The last value of each key and column, by SQL alone.
        last = base.execute(f"SELECT id, _to FROM (SELECT id, _to, row_number() OVER (PARTITION BY id ORDER BY _round DESC) n"
                            f" FROM \"{name}\" WHERE _field='v') WHERE n=1").fetchall()
        types = {column[1]: column[2] for column in base.execute(f'PRAGMA table_info("{name}")')}
    want = {row["id"]: row["_to"] for row in rows if row["_field"] == "v"}
    check_equal(dict(last), want, "by SQL")
    check_equal((types["id"], types["_from"], types["_to"]), ("INTEGER", "TEXT", "TEXT"), "types")
    ended = harness.succeed("normalise", "--changes", "--unique", "id", run)
    check(b".changes.csv" in ended.err, ended.err)
    names, _ = changes(run, "--unique", "id", "--columns", "v")
    check({row["_field"] for row in names} <= {"v", None}, "only the columns that were asked for")


def test_changes__are_none__of_what_fails__is_unchanged_or_is_not_json():
    a, b = {"id": 1, "v": 1}, {"id": 2, "v": 1}
    broken = reply(b"{}", "500 Broken")
    feed, run = Feed([[a, b], [a, b], broken, reply(b"<html>", headers=["Content-Type: text/html"]), [a, {**b, "v": 2}], reply(b"", "204 No Content"), [a]]), scratch("odd.run")
    poll(feed, run, code=3)
    rows, _ = changes(run, "--unique", "id")
    want = [*diff({}, {1: a, 2: b}, 1), *diff({2: b}, {2: {**b, "v": 2}}, 5), *diff({1: a, 2: {**b, "v": 2}}, {}, 6), *diff({}, {1: a}, 7)]
    check_changes(rows, want, "what was really said")


def test_changes__say_what_is_odd_about_keys_types_and_clocks():
    feed, run = Feed([[{"id": 1, "v": 1}, {"id": None, "v": 1}, {"v": 1}, {"id": 2, "v": 1}, {"id": 2, "v": 2}],
                      [{"id": "1", "v": "1"}, {"id": 2, "v": 2}], [{"id": "1", "v": "1"}, {"id": 2, "v": 2}, {"id": 2, "v": [3]}]]), scratch("keys.run")
    poll(feed, run)
    rows, err = changes(run, "--unique", "id")
    check_equal([(r["_round"], r["id"], r["_change"], r["_field"], r["_from"], r["_to"]) for r in rows if r["_change"] == "changed"],
                [(2, "1", "changed", "v", "1", "1"), (3, 2, "changed", "v", "2", "[3]")], "changes")
    for words in ("2 records have no value in a column of the key", "2 times several records of a round had one key; the last in order counts: \"id\":2",
                  "2 values changed between number, text and JSON"):
        check(words in err, words, err)
    for arguments, words in ((["--unique", "idd"], b"--unique idd: no record has such a column"), ([], b"--changes wants --unique"),
                             (["--unique", "_time"], b"a column of its own"), (["--unique", "id", "--key", "id"], b"--key"),
                             (["--unique", "id", "--keep", "last"], b"--changes does not go with --keep"),
                             (["--unique", "id", "--records", "/none"], b"finds nothing in any of the 3 answers")):
        refused = harness.run("normalise", "--changes", "-o", scratch("x.csv"), *arguments, run)
        check(refused.code in (2, 6) and words in refused.err, arguments, refused)
    refused = harness.run("normalise", "--changes", "--unique", "id", "-", stdin=b"[]")
    check(refused.code == 2 and b"wants a run directory" in refused.err, refused)
    lines = [line.encode() if isinstance(line, str) else line for line in harness.raw_lines(run)]
    check(len(lines) == 3, lines)


class Pages:
    """A listing in pages of two whose rounds are known by the first page; some pages of some rounds fail."""

    def __init__(self, states, fails):
        self.states, self.fails, self.round = states, fails, -1
        self.peer = Peer(self.answer)

    def answer(self, ask):
        page = int(ask.path.split("page=")[1].split("&")[0])
        if page == 1:
            self.round += 1
        records = list(self.states[self.round].values())
        if (self.round, page) in self.fails:
            return reply(b"{}", "503 Away")
        return reply(json.dumps({"items": records[2 * page - 2:2 * page], "more": len(records) > 2 * page}).encode())


def test_changes__make_nothing_gone__by_a_listing_that_broke_off():
    states = random_world(11, 14, start=5)
    fails = {(2, 1), (4, 2), (7, 2), (8, 3), (9, 2)}
    pages, run = Pages(states, fails), scratch("pages.run")
    job = write("pages.json", {"base": pages.peer.url, "every": "100ms", "count": len(states), "retry": {"attempts": 1, "statuses": []},
                               "endpoints": [{"name": "items", "url": "/items", "records": "/items",
                                              "pages": {"param": "page", "has_more": "/more"}}],
                               "tables": {"items": {"unique": ["id"]}}})
    harness.succeed("run", "--plain", "-o", run, job, code=3)
    want, before = [], {}
    for number, state in enumerate(states):
        records = list(state.values())
        seen, page, whole = {}, 1, True
        while True:
            if (number, page) in fails:
                whole = False
                break
            seen.update({record["id"]: record for record in records[2 * page - 2:2 * page]})
            if len(records) <= 2 * page:
                break
            page += 1
        now = seen if whole else {**before, **seen}
        want += diff(before, now, number + 1)
        before = now
    rows, err = changes(run)
    check_changes(rows, want, "the listing's changes")
    check("not whole in a round: nothing counts as gone by that" in err, err)


def test_changes__of_rounds_of_again():
    states = random_world(5, 6)
    world = {}
    peer = Peer(lambda ask: reply(json.dumps(world[ask.path]).encode()) if ask.path in world else reply(b"{}", "500 Broken"))
    paths = [f"/{n}" for n in range(6)]
    with open(scratch("ids.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{peer.url}{path}\n" for path in paths)
    chance = random.Random(2)
    want, answers, before = [], {}, {}
    for number, state in enumerate(states):
        parts = {path: [] for path in paths}
        for key, record in state.items():
            parts[f"/{key % 6}"].append(record)
        down = set(chance.sample(paths, 1)) if number in (2, 4) else set()
        world = {path: records for path, records in parts.items() if path not in down}
        harness.succeed("run", "--plain", "--again", "--retries", "0", "-o", scratch("again.run"), "-i", scratch("ids.txt"), code=3 if down else 0)
        answers.update(world)
        now = {record["id"]: record for records in answers.values() for record in records}
        want += diff(before, now, number + 1)
        before = now
    rows, _ = changes(scratch("again.run"), "--unique", "id")
    check_changes(rows, want, "the rounds' changes")


def test_changes__of_details__heed_lists_that_shrink_and_details_that_fail():
    lists = [[1, 2, 3], [1, 2, 3], [2, 3], [3, 2, 4], [2, 4]]
    fails = {(1, 2), (3, 3)}
    seen = {"round": -1}

    def answer(ask):
        if ask.path == "/list":
            seen["round"] += 1
            return reply(json.dumps([{"id": n} for n in lists[seen["round"]]]).encode())
        n = int(ask.path.split("/")[-1])
        if (seen["round"], n) in fails:
            return reply(b"{}", "500 Broken")
        return reply(json.dumps({"key": n, "v": seen["round"] // 2 if n == 2 else 0}).encode())

    peer, run = Peer(answer), scratch("details.run")
    job = write("details.json", {"base": peer.url, "every": "100ms", "count": len(lists), "retry": {"attempts": 1, "statuses": []},
                                 "endpoints": [{"name": "list", "url": "/list"}, {"name": "item", "url": "/item/{list.id}"}],
                                 "tables": {"list": {"unique": ["id"]}, "item": {"unique": ["key"]}}})
    harness.succeed("run", "--plain", "-o", run, job, code=3)
    want, before = [], {}
    for number, keys in enumerate(lists):
        now = {n: before.get(n) if (number, n) in fails else {"key": n, "v": number // 2 if n == 2 else 0} for n in keys}
        want += diff(before, now, number + 1)
        before = now
    rows, _ = changes(run, "--endpoint", "item")
    check_changes(rows, want, "the details' changes", "key")
    refused = harness.run("normalise", "--changes", "-o", scratch("x.csv"), run)
    check(refused.code == 2 and b"choose its endpoint" in refused.err, refused)
    harness.succeed("normalise", "--changes", "-o", scratch("all.db"), run)
    with sqlite3.connect(scratch("all.db")) as base:
        names = {name for name, in base.execute("SELECT name FROM sqlite_master WHERE name LIKE '%_changes'")}
    check_equal(names, {"list_changes", "item_changes"}, "tables of all endpoints")


def now_and_a_pause():
    """A moment that no answer of before or after shares."""
    time.sleep(0.003)
    moment = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    time.sleep(0.003)
    return moment


def table(run, *more, code=0):
    harness.succeed("normalise", "-o", scratch("t.jsonl"), *more, run, code=code)
    return sorted(json.dumps(flat(json.loads(line)), sort_keys=True) for line in harness.read(scratch("t.jsonl")).splitlines())


def test_as_of__is_the_table_as_it_was_after_each_night():
    states = random_world(21, 7)
    world, chance = {}, random.Random(4)
    peer = Peer(lambda ask: reply(json.dumps(world[ask.path]).encode()) if ask.path in world else reply(b"{}", "500 Broken"))
    paths = [f"/{n}" for n in range(5)]
    with open(scratch("ids.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{peer.url}{path}\n" for path in paths)
    run, answers, nights = scratch("nights.run"), {}, []
    before = now_and_a_pause()
    for number, state in enumerate(states):
        parts = {path: [] for path in paths}
        for key, record in state.items():
            parts[f"/{key % 5}"].append(record)
        down = set(chance.sample(paths, 1)) if number in (2, 3) else set()
        world = {path: records for path, records in parts.items() if path not in down}
        harness.succeed("run", "--plain", "--again", "--retries", "0", "-o", run, "-i", scratch("ids.txt"), code=3 if down else 0)
        answers.update(world)
        nights.append((now_and_a_pause(), sorted(json.dumps(flat(record), sort_keys=True) for records in answers.values() for record in records)))
    for moment, want in nights:
        check_equal(table(run, "--as-of", moment), want, f"as of {moment}")
    check_equal(table(run, "--as-of", before), [], "before the first night")
    check_equal(table(run), nights[-1][1], "now, by the same directory")
    check_equal(table(run, "--as-of", "-0s"), nights[-1][1], "so long ago: no time")
    ended = harness.succeed("normalise", "-o", scratch("t.csv"), "--as-of", nights[1][0], run)
    check(b"left out: came after --as-of" in ended.err, ended.err)
    check_equal(table(run, "--as-of", "-1h"), [], "an hour ago")
    check_equal(table(run, "--as-of", "yesterday"), [], "yesterday")


def test_as_of__has_a_listing_as_it_was__and_refuses_what_is_not_known_any_more():
    lists = [[{"id": n, "v": 0} for n in range(5)], [{"id": n, "v": n % 2} for n in range(1, 6)], [{"id": 9, "v": 9}]]
    night = {"at": 0, "fails": set()}

    def answer(ask):
        if ask.path.startswith("/item/"):
            return reply(json.dumps({"key": ask.path[6:], "v": night["at"] if ask.path == "/item/9" else 0}).encode())
        page = int(ask.path.split("page=")[1])
        records = lists[night["at"]]
        if (night["at"], page) in night["fails"]:
            return reply(b"{}", "500 Broken")
        return reply(json.dumps({"items": records[2 * page - 2:2 * page], "more": len(records) > 2 * page}).encode())

    peer, run = Peer(answer), scratch("listing.run")
    job = write("listing.json", {"base": peer.url, "retry": {"attempts": 1, "statuses": []}, "endpoints": [
        {"name": "list", "url": "/list", "records": "/items", "pages": {"param": "page", "has_more": "/more"}},
        {"name": "item", "url": "/item/{list.id}"}]})
    moments = []
    for at in range(3):
        night["at"], night["fails"] = at, {(1, 2)} if at == 1 else set()
        harness.succeed("run", "--plain", "--again", "-o", run, job, code=3 if at == 1 else 0)
        moments.append(now_and_a_pause())
    first = sorted(json.dumps(record, sort_keys=True) for record in lists[0])
    check_equal(table(run, "--endpoint", "list", "--as-of", moments[0]), first, "the first night")
    check_equal(table(run, "--endpoint", "list", "--as-of", moments[1]), first, "the listing of the second night broke off")
    check_equal(table(run, "--endpoint", "list", "--as-of", moments[2]), ['{"id": 9, "v": 9}'], "the third night")
    refused = harness.run("normalise", "--endpoint", "item", "--as-of", moments[0], "-o", scratch("x.csv"), run)
    check(refused.code == 2 and b"is not known any more" in refused.err, refused)
    check_equal(table(run, "--endpoint", "item", "--as-of", moments[2]), ['{"key": "9", "v": 2}'], "details of now")


def test_changes__of_details_of_nights__tell_what_is_gone_from_them_at_once__and_of_whole_ones_with_the_newest():
    """Detail 2 loses a record in the third night, and its other one changes; 9 has another URL then; 1 and 6 go early, 4 goes last, 3 goes and comes back."""
    lists = [["1", "2", "3", "4", "9?a"], ["1", "2", "3", "4", "6", "9?a"], ["9?b", "2", "3", "4", "5"], ["9?b", "2", "4", "5"],
             ["9?b", "2", "3", "4", "5"], ["9?b", "2", "3", "5"]]
    night = {"at": 0}

    def records(name):
        if name == "2":
            late = night["at"] >= 2
            return [{"key": 2, "v": int(late)}] + [{"key": 20, "v": 0}] * (not late)
        return [{"key": int(name[0]), "v": 7 if name == "9?b" else 0}]

    def answer(ask):
        if ask.path == "/list":
            return reply(json.dumps([{"id": name} for name in lists[night["at"]]]).encode())
        return reply(json.dumps(records(ask.path[6:])).encode())

    peer, run = Peer(answer), scratch("nightly.run")
    job = write("nightly.json", {"base": peer.url, "endpoints": [{"name": "list", "url": "/list"}, {"name": "item", "url": "{list.id}"}],
                                 "tables": {"item": {"unique": ["key"]}}})
    lists = [[f"{peer.url}/item/{name}" for name in names] for names in lists]
    for night["at"] in range(len(lists)):
        harness.succeed("run", "--plain", "--again", "-o", run, job)
    none = '{"key": %d, "v": 0}'
    added = lambda number, key: (number, key, "added", None, None, none % key)
    gone = lambda number, key: (number, key, "gone", None, none % key, None)
    want = [added(1, key) for key in (1, 2, 20, 3, 4, 9)] + [added(2, 6), added(3, 5)] + [gone(6, key) for key in (1, 4, 6)] + [
        gone(3, 20), (3, 2, "changed", "v", "0", "1"), (3, 9, "changed", "v", "0", "7")]
    rows, err = changes(run, "--endpoint", "item")
    check_changes(rows, want, "the details' changes", "key")
    check("4 rounds of details are kept without what had not changed" in err, err)
    check("had one key" not in err and "by the clock" not in err and "not whole" not in err, err)


if __name__ == "__main__":
    harness.main(globals())
