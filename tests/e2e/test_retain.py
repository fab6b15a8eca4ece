"""compact --retain: old rounds of a run that polls leave its bodies; what they changed stays, and a kill loses nothing."""

import glob
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import harness
from harness import check, check_equal, scratch
from peer import Peer, reply
from test_changes import changes, check_changes, diff, flat, random_world, write


class World:
    """Two feeds of one job: `/feed` shows its next snapshot each time, `/still` is always the same."""

    def __init__(self, states):
        self.states, self.at = states, -1
        self.peer = Peer(self.answer)

    def answer(self, ask):
        if ask.path == "/still":
            return reply(b'[{"id": "still", "v": 0}]')
        self.at += 1
        return reply(json.dumps(list(self.states[self.at].values())).encode())

    def job(self, count):
        return write("feed.json", {"base": self.peer.url, "every": "100ms", "count": count, "endpoints": [
            {"name": "items", "url": "/{what}"}], "vars": {"what": ["feed", "still"]}, "tables": {"items": {"unique": ["id"]}}})


def wanted(states):
    want, before = [], {}
    for number, state in enumerate(states):
        now = {**state, "still": {"id": "still", "v": 0}}
        want += diff(before, now, number + 1)
        before = now
    return want


def size_of(run, name="raw/*"):
    return sum(os.path.getsize(file) for file in glob.glob(os.path.join(run, name)))


def bodies(run):
    return harness.succeed("raw", run).out.splitlines()


def test_retain__keeps_the_newest_state_and_all_changes():
    states = random_world(31, 24)
    world, run = World(states), scratch("feed.run")
    harness.succeed("run", "--plain", "-o", run, world.job(12))
    rows, _ = changes(run)
    check_changes(rows, wanted(states[:12]), "before")
    stored = len(bodies(run))
    ended = harness.succeed("compact", "--retain", "1ms", run)
    check(b"retired" in ended.err and b"the journal has 11 rounds" in ended.err, ended.err)
    harness.succeed("verify", run)
    left = bodies(run)
    check(2 <= len(left) <= 3 < stored, "bodies left", len(left), stored)
    check(b'[{"id": "still", "v": 0}]' in left, "the newest answer of what never changed", left)
    check_equal(changes(run)[0], rows, "changes after the first time")
    check(b"nothing to retire" in harness.succeed("compact", "--retain", "1ms", run).err, "a second time")
    # It goes on, is retired again, and again nothing is lost.
    harness.succeed("run", "--plain", "-o", run, world.job(24))
    rows, _ = changes(run)
    check_changes(rows, wanted(states), "after it went on")
    harness.succeed("compact", "--retain", "1ms", run)
    harness.succeed("verify", run)
    check_equal(changes(run)[0], rows, "changes after the second time")
    harness.succeed("normalise", "--unique", "id", "--keep", "last", "-o", scratch("t.jsonl"), run)
    now = {row["id"] for row in map(json.loads, harness.read(scratch("t.jsonl")).splitlines())}
    check(set(map(str, states[-1])) | {"still"} <= set(map(str, now)), "the newest state of each key")
    refused = harness.run("normalise", "--changes", "--unique", "v", "-o", scratch("x.csv"), run)
    check(refused.code != 0 and b"written down by another key" in refused.err, refused)


def test_retain__lets_damage_of_the_journal_be_found():
    states = random_world(8, 10)
    world, run = World(states), scratch("feed.run")
    harness.succeed("run", "--plain", "-o", run, world.job(10))
    harness.succeed("compact", "--retain", "1ms", run)
    name = os.path.join(run, "changes.journal")
    good = harness.read(name)
    for bad in (good[:len(good) // 2] + bytes([good[len(good) // 2] ^ 1]) + good[len(good) // 2 + 1:], good[:-1], b""):
        with open(name, "wb") as file:
            file.write(bad)
        ended = harness.succeed("verify", run, code=8)
        check(b"changes.journal is damaged" in ended.err, ended.err)
        check(harness.run("normalise", "--changes", "-o", scratch("x.csv"), run).code != 0, "changes of a damaged journal")
    with open(name, "wb") as file:
        file.write(good + b"a tail that a kill left")
    harness.succeed("verify", run)
    check_changes(changes(run)[0], wanted(states), "with a tail")


def test_retain__is_done_as_a_session_begins():
    states = random_world(31, 12)
    world, run = World(states), scratch("feed.run")
    harness.succeed("run", "--plain", "--retain", "30d", "-o", run, world.job(6))
    stored = len(bodies(run))
    time.sleep(0.6)  # what came before is older than half a second then
    ended = harness.succeed("run", "--plain", "--retain", "500ms", "--pack", "-o", run, world.job(12))
    check(b"retired" in ended.err, ended.err)
    check(len(bodies(run)) < stored + 6, "bodies", len(bodies(run)), stored)
    harness.succeed("verify", run)
    check_changes(changes(run)[0], wanted(states), "changes")
    refused = harness.run("run", "--plain", "--retain", "1d", "-o", scratch("once.run"), f"{world.peer.url}/still")
    check(refused.code == 2 and b"--retain is for runs that poll" in refused.err, refused)
    check(not os.path.exists(scratch("once.run")), "a directory of what is refused")


def test_retain__is_refused__where_changes_would_be_lost():
    with harness.api() as server:
        harness.succeed("run", "--plain", "-o", scratch("once.run"), f"{server.url}/posts/1")
        harness.succeed("run", "--plain", "-o", scratch("plain.run"), "--every", "100ms", "--count", "2", f"{server.url}/posts/1")
    for run, words in (("once.run", b"--retain is for runs that poll"), ("plain.run", b'says nothing of "unique"'), ("none.run", b"none.run")):
        refused = harness.run("compact", "--retain", "1d", scratch(run))
        check(refused.code == 2 and words in refused.err, refused)
    check(not os.path.exists(scratch("none.run")), "a directory of what was not there")


def test_retain__loses_nothing__when_it_is_killed():
    states = random_world(5, 12)
    world, run, chance = World(states), scratch("feed.run"), random.Random(9)
    harness.succeed("run", "--plain", "-o", run, world.job(12))
    want = wanted(states)
    began = time.monotonic()
    shutil.copytree(run, scratch("first.run"))
    harness.succeed("compact", "--retain", "1ms", scratch("first.run"))
    whole_s = time.monotonic() - began
    for n in range(12):
        copy = scratch(f"copy{n}.run")
        shutil.copytree(run, copy)
        child = harness.scrapetop("compact", "--retain", "1ms", copy, stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * whole_s)  # any moment will do: none may lose anything
        child.send_signal(signal.SIGKILL)
        child.wait()
        harness.succeed("verify", copy)
        check_changes(changes(copy)[0], want, "changes after a kill")
        harness.succeed("compact", "--retain", "1ms", copy)
        harness.succeed("verify", copy)
        check_changes(changes(copy)[0], want, "changes in the end")
        check(len(bodies(copy)) <= 3, "bodies in the end")
        shutil.rmtree(copy)


def test_retain__passes_over_a_file_that_a_kill_left__until_the_next_session_removes_it():
    states = random_world(5, 6)
    world, run = World(states), scratch("feed.run")
    harness.succeed("run", "--plain", "-o", run, world.job(5))
    first = os.path.join(run, "raw", "00000001.jsonl")
    kept = harness.read(first)
    harness.succeed("compact", "--retain", "1ms", run)
    with open(first, "wb") as file:
        file.write(kept)
    with sqlite3.connect(os.path.join(run, "ledger.db")) as ledger:
        ledger.execute("INSERT INTO meta VALUES('dropped:00000001', 1)")
    harness.succeed("verify", run)
    harness.succeed("run", "--plain", "-o", run, world.job(6))
    check(not os.path.exists(first), "the file is still there")
    harness.succeed("verify", run)
    check_changes(changes(run)[0], wanted(states), "changes")


def test_retain__writes_a_journal_that_is_small():
    state = {n: {"id": n, "name": f"item number {n}", "price": 100 + n, "stock": 3, "at": {"x": n / 7, "y": n / 3}} for n in range(200)}
    states, chance = [], random.Random(2)
    for number in range(40):
        state = {**state}
        for key in chance.sample(sorted(state), 3):
            state[key] = {**state[key], "price": number * 7 + key}
        states.append(state)
    world, run = World(states), scratch("small.run")
    harness.succeed("run", "--plain", "-o", run, world.job(len(states)))
    plain = size_of(run)
    harness.succeed("compact", "--retain", "1ms", run)
    journal = size_of(run, "changes.journal")
    check(journal < plain * 0.05, f"the journal has {journal} bytes of {plain}")
    check(size_of(run) < plain * 0.05, "what is left of the bodies", size_of(run), plain)
    check_changes(changes(run)[0], wanted(states), "changes")


def check_newest(job, run, states, peer, endpoint="items"):
    """Rounds of a run that is retired after each of them show the same records as those of one that never is."""
    def table(of):
        harness.succeed("normalise", "--endpoint", endpoint, "--unique", "id", "--keep", "last", "-o", scratch("t.jsonl"), of)
        return sorted(harness.read(scratch("t.jsonl")).splitlines())

    whole = scratch("whole.run")
    for n in range(1, states + 1):
        harness.run("run", "--plain", "--retries", "0", "-o", run, job(n))
        shutil.rmtree(whole, ignore_errors=True)
        shutil.copytree(run, whole)
        changed = changes(whole, "--endpoint", endpoint)[0]
        before = table(whole)
        harness.succeed("compact", "--retain", "1ms", run)
        harness.succeed("verify", run)
        check_equal(changes(run, "--endpoint", endpoint)[0], changed, f"changes of {n} rounds")
        yield n, before, table(run)


def feed_job(peer, count, *more, **endpoint):
    return write("feed.json", {"base": peer.url, "every": "100ms", "count": count, "tables": {
        name: {"unique": ["id"]} for name in ["items", *(one["name"] for one in more)]}, "endpoints": [
            {"name": "items", "url": "/items", **endpoint}, *more]})


def items(*ids):
    return reply({"data": [{"id": i} for i in ids]})


def test_retain__keeps_what_stands__when_a_later_answer_has_no_records():
    shown = [items(1, 2), reply({"note": "soon"}), reply({"note": "later"}), items(1, 2, 3)]
    at = iter(shown)
    peer = Peer(lambda ask: next(at))
    for n, before, after in check_newest(lambda n: feed_job(peer, n, records="/data"), scratch("feed.run"), len(shown), peer):
        check_equal(after, before, f"the table after {n} rounds")


def test_retain__keeps_what_stands__when_a_round_is_not_whole():
    rounds = [{"1": items(1, 2), "2": items(3)}, {"1": items(4, 2), "2": None}, {"1": items(4, 5), "2": None}, {"1": items(4, 5), "2": items(2)}]
    at = -1

    def answer(ask):
        nonlocal at
        page = ask.path.split("page=")[1]
        at += page == "1"
        return rounds[at].get(page, items()) or reply({}, "500 Broken")

    peer = Peer(answer)
    for n, before, after in check_newest(lambda n: feed_job(peer, n, records="/data", pages={"param": "page", "size": 2}), scratch("feed.run"),
                                         len(rounds), peer):
        check(n == 4 or set(before) == set(after), f"the table after {n} rounds", before, after)


def test_retain__keeps_what_comes_back_as_it_was():
    for etag in (False, True):
        rounds, at = [(1, 2), (1,), (1,), (1, 2), (1,), (1, 2)], -1

        def answer(ask, rounds=rounds, etag=etag):
            nonlocal at
            if ask.path == "/items":
                at += 1
                return items(*rounds[at])
            if etag and ask.headers.get("if-none-match") == '"x"':
                return reply(b"", "304 Not Modified", headers=['ETag: "x"'])
            return reply({"id": int(ask.path[8:]), "v": 7}, headers=['ETag: "x"'] if etag else [])

        peer, run = Peer(answer), scratch(f"feed{etag}.run")
        detail = {"name": "detail", "url": "/detail/{items.id}"}
        for n, before, after in check_newest(lambda n, peer=peer: feed_job(peer, n, detail, records="/data"), run, len(rounds), peer, "detail"):
            check({b'"id":%d' % i for i in rounds[at]} <= {row[row.index(b'"id"'):].split(b",")[0] for row in after},
                  f"details after {n} rounds", before, after)


def test_retain__says_what_is_too_long_for_the_journal():
    shown = iter([reply({"data": [{"id": 1, "text": letter * 500000}]}) for letter in "abc"])
    peer, run = Peer(lambda ask: next(shown)), scratch("feed.run")
    harness.succeed("run", "--plain", "-o", run, feed_job(peer, 3, records="/data"))
    ended = harness.succeed("compact", "--retain", "1ms", run)
    check(b"3 values are too long for the journal, and left out" in ended.err, ended.err)


def test_retain__keeps_bodies_of_which_no_changes_are_known():
    made = iter(range(9))
    peer, run = Peer(lambda _: reply(b"<p>page %d</p>" % (next(made) // 2), kind="text/html")), scratch("feed.run")
    harness.succeed("run", "--plain", "-o", run, feed_job(peer, 4, **{"as": "html"}))
    before = bodies(run)
    check_equal(before, [b"<p>page 0</p>", b"<p>page 1</p>"], "pages that differ")
    harness.succeed("compact", "--retain", "1ms", run)
    harness.succeed("verify", run)
    check_equal(bodies(run), before, "pages of which no journal tells")


if __name__ == "__main__":
    harness.main(globals())
