"""Inputs that grow: a list, a file of values or a job that has gained, lost or changed rows goes on with its run."""

import json
import os
import random
import shutil
import signal
import sqlite3
import time

import harness
import jobs
from harness import check, check_equal, scratch
from peer import Peer, reply


def write(name, text):
    with open(scratch(name), "w", encoding="utf-8") as file:
        file.write(text)
    return scratch(name)


def echo(ask):
    return reply({"path": ask.path})


def take(peer):
    """What was asked since the last call."""
    with peer.lock:
        asked = sorted(peer.asked.elements())
        peer.asked.clear()
    return asked


def give(peer, paths, *more, name="ids.txt", code=0):
    urls = write(name, "".join(f"{peer.url}{path}\n" for path in paths))
    return harness.succeed("run", "--plain", "-o", scratch("a.run"), *more, "-i", urls, code=code)


def column(name="path", run="a.run", table=None):
    words = ["--endpoint", table] if table else []
    harness.succeed("normalise", *words, "-o", scratch("out.csv"), scratch(run))
    return [row[name] for row in jobs.read_table(scratch("out.csv"))]


def sound(run="a.run"):
    harness.succeed("verify", scratch(run))


def test_list__asks_only_for_what_is_new__and_tables_have_its_order():
    peer = Peer(echo)
    give(peer, ["/1", "/2", "/3", "/4"])
    check_equal(take(peer), ["/1", "/2", "/3", "/4"], "asked at first")
    ended = give(peer, ["/new", "/4", "/1", "/3", "/last"])
    check_equal(take(peer), ["/last", "/new"], "asked then")
    check(b"3 of its requests are known, 2 new, 1 gone (tables keep what it brought; --prune" in ended.err, ended)
    check(b"6/6 ok" in ended.err, ended)
    check_equal(column(), ["/new", "/4", "/1", "/3", "/last", "/2"], "the table")
    sound()
    give(peer, ["/new", "/4", "/1", "/3", "/last"], "--prune")
    check_equal(column(), ["/new", "/4", "/1", "/3", "/last"], "the table without what has gone")
    give(peer, ["/2", "/last"])  # /2 is there again
    check_equal(take(peer), [], "asked for what had been asked")
    check_equal(column(), ["/2", "/last", "/new", "/1", "/3", "/4"][:2] + column()[2:], "its place")
    check_equal(sorted(column()), ["/1", "/2", "/3", "/4", "/last", "/new"], "the table")
    sound()


def test_list__beside_a_script_that_keeps_what_it_has_seen():
    peer, dice, seen = Peer(echo), random.Random(7), set()
    have = [f"/{n}" for n in range(30)]
    for night in range(6):
        new = [path for path in have if path not in seen]  # what a script with a seen-file asks
        give(peer, have, "--prune")
        check_equal(take(peer), sorted(new), f"asked in night {night}")
        check_equal(column(), have, f"the table of night {night}")
        seen.update(have)
        have = [path for path in have if dice.random() < 0.8] + [f"/{night}-{n}" for n in range(dice.randrange(6))]
        dice.shuffle(have)
    sound()


def test_list__to_which_lines_are_added__night_after_night():
    peer, have = Peer(echo), ["/1", "/2", "/2"]
    give(peer, have)
    take(peer)
    for more in (["/3"], ["/2", "/1", "/4", "/4"], ["/5"], ["/4", "/5", "/2"]):  # equal lines are rows of their own
        have += more
        ended = give(peer, have, "--prune")
        check_equal(take(peer), sorted(more), more)
        check(f"{len(have) - len(more)} of its requests are known, {len(more)} new".encode() in ended.err, ended)
        check_equal(column(), have, "the table")
    for more, lost in ((["/6"], 1), (["/7"], 0)):  # one that has gone, and lines after it
        have = have[lost:] + more
        give(peer, have)
        check_equal(take(peer), more, more)
        check_equal(column(), have + ["/1"], "the table with what has gone")
    sound()


def test_list__whose_last_line_has_no_end__may_grow_within_it():
    peer = Peer(echo)
    for text, asked in (("/1\n{0}/2", ["/1", "/2"]), ("/1\n{0}/23\n", ["/23"]), ("/1\r\n{0}/23\r\n{0}/4", ["/4"])):
        urls = write("ids.txt", peer.url + text.format(peer.url))
        harness.succeed("run", "--plain", "--prune", "-o", scratch("a.run"), "-i", urls)
        check_equal(take(peer), asked, "asked")
    check_equal(column(), ["/1", "/23", "/4"], "the table")


def test_list__with_the_same_line_twice__keeps_both():
    peer = Peer(echo)
    give(peer, ["/a", "/a", "/b"])
    take(peer)
    give(peer, ["/a", "/b", "/a", "/a", "/c"])
    check_equal(take(peer), ["/a", "/c"], "asked")
    check_equal(column(), ["/a", "/b", "/a", "/a", "/c"], "the table")
    give(peer, ["/b", "/a"], "--prune")
    check_equal(take(peer), [], "asked")
    check_equal(column(), ["/b", "/a"], "the table")


def test_what_has_gone__fails_no_longer():
    peer = Peer(lambda ask: reply({}, status="404 Not Found") if ask.path == "/bad" else echo(ask))
    ended = give(peer, ["/1", "/bad", "/2"], code=3)
    check(b"1 failed" in ended.err, ended)
    ended = give(peer, ["/1", "/2", "/3"])
    check(b"3/3 ok, 0 failed" in ended.err, ended)
    check_equal(take(peer), ["/1", "/2", "/3", "/bad"], "asked")
    give(peer, ["/bad", "/1", "/2", "/3"], code=3)  # there again, and asked again
    check_equal(take(peer), ["/bad"], "asked")


def test_a_list_of_other_requests__is_another_run():
    peer = Peer(echo)
    give(peer, ["/1", "/2"])
    ended = give(peer, ["/3", "/4"], code=2)
    check(b"E-JOB1" in ended.err and b"--fresh" in ended.err, ended)
    check_equal(take(peer), ["/1", "/2"], "asked")
    check_equal([name for name in os.listdir(scratch("a.run")) if name.endswith(".new")], [], "what was refused")
    give(peer, ["/1", "/2"])
    check_equal(column(), ["/1", "/2"], "the run is as it was")


def test_a_run_that_was_cut_off__goes_on_with_another_list():
    peer = Peer(echo)
    ended = give(peer, [f"/{n}" for n in range(8)], "-c", "1", "--max-requests", "3", code=4)
    check_equal(take(peer), ["/0", "/1", "/2"], ended)
    give(peer, ["/7", "/1", "/9"])
    check_equal(take(peer), ["/7", "/9"], "asked")
    check_equal(column(), ["/7", "/1", "/9", "/0", "/2"], "the table")
    harness.succeed("run", "--plain", "-o", scratch("a.run"))  # by itself: the list of now
    check_equal(take(peer), [], "asked")
    sound()


def test_outcomes__are_those_of_the_list_of_now():
    peer = Peer(lambda ask: reply({}, status="404 Not Found") if ask.path == "/bad" else echo(ask))
    give(peer, ["/1", "/2", "/3"])
    give(peer, ["/bad", "/3", "/4", "/1"], code=3)
    harness.succeed("normalise", "--outcomes", scratch("o.csv"), scratch("a.run"))
    rows = [(row["_key"], row["_outcome"]) for row in jobs.read_table(scratch("o.csv"))]
    check_equal(rows, [("bad", "failed"), ("3", "done"), ("4", "done"), ("1", "done")], "outcomes")


# --- values and patterns -----------------------------------------------------------------------------------


def job(peer, vars, **endpoint):
    return jobs.write_job("grown", base=peer.url, vars=vars, endpoints=[{"name": "x", "url": "/{v}", **endpoint}])


def run(path, *more, code=0):
    return harness.succeed("run", "--plain", "-o", scratch("a.run"), *more, path, code=code)


def test_values_of_a_job__grow_whatever_they_are():
    peer = Peer(echo)
    for values, asked in (("[1-3]", ["/1", "/2", "/3"]), ("[1-5]", ["/4", "/5"]), (["3", "6"], ["/6"]),
                          ({"values": [7, 6]}, ["/7"])):
        run(job(peer, {"v": values}), "--prune")
        check_equal(take(peer), asked, values)
    check_equal(column(), ["/7", "/6"], "the table")
    sound()


def test_a_job__goes_on_in_its_own_directory__when_its_values_have_grown():
    peer = Peer(echo)

    def anywhere(values):
        harness.succeed("run", "--plain", job(peer, {"v": values}), cwd=scratch(""))
        return take(peer)

    check_equal(len(anywhere("[1-3000]")), 3000, "asked at first")
    check_equal(anywhere("[1-3001]"), ["/3001"], "asked then")
    check_equal(anywhere(["x"]), ["/x"], "asked by another run")  # nothing in common
    check_equal(anywhere("[2-3002]"), ["/3002"], "asked by the first again")
    check_equal(anywhere(["x", "y"]), ["/y"], "asked by the other again")
    check_equal(sorted(n for n in os.listdir(scratch("")) if n.endswith(".run")), ["grown-2.run", "grown.run"], "runs")


def test_a_file_of_values__is_known_by_what_it_asks():
    peer = Peer(echo)
    path = jobs.write_job("csv", base=peer.url, vars={"row": {"file": "rows.csv"}},
                          endpoints=[{"name": "x", "url": "/{row.id}", "with": ["row.city"]}])
    write("rows.csv", "id,city\n1,Bern\n2,Basel\n")
    run(path)
    write("rows.csv", "id,city\n3,Genf\n2,Basle\n1,Bern\n")  # one more, another order, another word
    run(path)
    check_equal(take(peer), ["/1", "/2", "/3"], "asked in both")
    check_equal(column("row.city"), ["Genf", "Basle", "Bern"], "the table")
    os.remove(scratch("rows.csv"))
    harness.succeed("run", "--plain", "-o", scratch("a.run"))  # by the copy that it keeps
    check_equal(take(peer), [], "asked")


def test_days_in_words__move_on__when_all_of_them_have_been_asked():
    peer = Peer(echo)
    path = job(peer, {"v": {"from": "-2d", "to": "today"}})
    run(path)
    days = take(peer)
    check_equal(len(days), 3, "days")
    stored = json.loads(harness.read(scratch("a.run/job.json")))
    text = json.dumps(stored).replace(days[-1][1:], days[0][1:])  # it began two days ago
    check(text != json.dumps(stored), "no day in", text)
    with open(scratch("a.run/job.json"), "w", encoding="utf-8") as file:
        file.write(text)
    ended = run(path)
    check(b"the plan has changed" in ended.err, ended)


# --- pages, details, rounds ----------------------------------------------------------------------------------


def shop(ask):
    path, _, query = ask.path.partition("?")
    if path.startswith("/item/"):
        return reply({"item": path[6:]})
    page = int(query[5:] or 1) if query.startswith("page=") else 1
    return reply({"items": [{"id": f"{path[1:]}-{page}-{n}"} for n in range(2)] if page <= 2 else []})


def test_listings_and_details__go_with_their_seeds():
    peer = Peer(shop)

    def shops(*names):
        path = jobs.write_job("shops", base=peer.url, vars={"v": list(names)}, endpoints=[
            {"name": "list", "url": "/{v}", "records": "/items", "pages": {"param": "page", "size": 2}},
            {"name": "item", "url": "/item/{list.id}"}])
        ended = run(path, "--prune")
        return ended, [a for a in take(peer) if not a.startswith("/item/")], column("item", table="item")

    def items(*names):
        return [f"{name}-{page}-{n}" for name in names for page in (1, 2) for n in range(2)]

    _, _, table = shops("a", "b")
    check_equal(table, items("a", "b"), "the table at first")
    ended, asked, table = shops("c", "b", "a")
    check(asked and all(path.startswith("/c") for path in asked), "asked", asked, ended)
    check_equal(table, items("c", "b", "a"), "the table with one more before the others")
    _, asked, table = shops("b", "c")
    check_equal((asked, table), ([], items("b", "c")), "asked, and the table without what has gone")
    sound()


def test_rounds_of_polls__ask_for_the_list_of_now__and_know_what_is_unchanged():
    peer = Peer(echo)
    give(peer, ["/1", "/2"], "--every", "1s", "--count", "2")
    check_equal(take(peer), ["/1", "/1", "/2", "/2"], "asked at first")
    ended = give(peer, ["/3", "/2", "/1"], "--every", "1s", "--count", "3")
    asked = take(peer)
    check(asked.count("/3") >= 2 and asked.count("/1") == asked.count("/2") == 1, asked, ended)
    check_equal(column(), ["/3", "/2", "/1"], "the table: nothing has changed")
    sound()


# --- kills, and directories of before -----------------------------------------------------------------------


def test_kill__at_any_moment_of_the_merge__leaves_a_run_that_goes_on():
    peer, dice = Peer(echo), random.Random(11)
    count = harness.scaled(8000, 1500)
    first = [f"/{n}" for n in range(40)] + [f"/x{n}" for n in range(count)]
    give(peer, first, "--max-requests", "40", "-c", "1", code=4)
    check_equal(take(peer), sorted(f"/{n}" for n in range(40)), "asked at first")
    whole = scratch("whole.run")
    shutil.copytree(scratch("a.run"), whole)
    second = first[39:] + ["/last"] + first[:39]
    urls = write("second.txt", "".join(f"{peer.url}{path}\n" for path in second))
    words = ("run", "--plain", "-o", scratch("a.run"), "--max-requests", "1", "-c", "1", "-i", urls)
    began = time.monotonic()
    harness.succeed(*words, code=4)
    length = time.monotonic() - began
    for _ in range(8):
        shutil.rmtree(scratch("a.run"))
        shutil.copytree(whole, scratch("a.run"))
        child = harness.scrapetop(*words)
        time.sleep(dice.random() * length)
        child.send_signal(signal.SIGKILL)
        child.wait()
        take(peer)
        ended = harness.succeed("run", "--plain", "-o", scratch("a.run"), "--max-requests", "20", "-c", "1", "-i",
                                urls, code=4)
        again = [path for path in take(peer) if path in first[:40]]
        check_equal(again, [], f"asked again after a kill; {ended}")
        kept = [path for path in column() if path in first[:40]]
        check_equal(kept, [first[39]] + first[:39], "the table's order")
        sound()


def between(before, moved):
    """a.run as a kill leaves it when the ledger has the new plan, and so many of its files are in their places."""
    with sqlite3.connect(scratch("a.run/ledger.db")) as db:
        note = db.execute("SELECT text FROM kept WHERE name='plan'").fetchone()[0]
    db.close()
    for name in note.split(" ")[1 + moved:]:
        os.rename(scratch(f"a.run/{name}"), scratch(f"a.run/{name}.new"))
        shutil.copy(f"{before}/{name}", scratch(f"a.run/{name}"))
    with open(scratch("a.run/plan.new"), "w", encoding="ascii") as file:
        file.write(note)


def test_kill__before_the_new_list_is_in_its_place__loses_nothing():
    peer, before = Peer(echo), scratch("before")
    give(peer, ["/1", "/2"])
    shutil.copytree(scratch("a.run"), before)
    give(peer, ["/0", "/2", "/1"])
    copy = harness.read(scratch("a.run/urls-1.txt"))
    take(peer)
    for moved in range(3):  # the list and the job
        between(before, moved)
        harness.succeed("run", "--plain", "-o", scratch("a.run"))  # by itself
        check_equal(take(peer), [], "asked")
        check_equal(harness.read(scratch("a.run/urls-1.txt")), copy, "the list")
        check_equal([name for name in os.listdir(scratch("a.run")) if name.endswith(".new")], [], "left")
    between(before, 0)
    give(peer, ["/1", "/2"])  # the list of before is a change again
    check_equal(take(peer), [], "asked")
    check_equal(column(), ["/1", "/2", "/0"], "the table")
    sound()


def test_kill__before_new_values_are_in_their_place__loses_nothing():
    peer, before = Peer(echo), scratch("before")
    path = job(peer, {"v": {"file": "rows.txt"}})
    write("rows.txt", "1\n2\n")
    run(path)
    shutil.copytree(scratch("a.run"), before)
    write("rows.txt", "0\n2\n1\n")
    run(path)
    take(peer)
    for moved in range(3):  # the values and the job
        between(before, moved)
        harness.succeed("run", "--plain", "-o", scratch("a.run"))
        check_equal(take(peer), [], "asked")
        check_equal(harness.read(scratch("a.run/values-1")), b"0\n2\n1\n", "values")
    sound()


def test_a_note_of_another_plan__moves_nothing():
    peer = Peer(echo)
    give(peer, ["/1", "/2"])
    give(peer, ["/0", "/2", "/1"])
    copy = harness.read(scratch("a.run/urls-1.txt"))
    write("a.run/urls-1.txt.new", f"{peer.url}/evil\n")
    write("victim.new", "evil")
    write("victim", "good")
    for note in ("00 urls-1.txt", "", "urls-1.txt", "00 ../victim"):
        write("a.run/plan.new", note)
        harness.succeed("run", "--plain", "-o", scratch("a.run"))
        check_equal(harness.read(scratch("a.run/urls-1.txt")), copy, note)
    with sqlite3.connect(scratch("a.run/ledger.db")) as db:  # a directory that somebody else has made
        db.execute("UPDATE kept SET text='00 ../victim ledger.db lock' WHERE name='plan'")
    db.close()
    write("a.run/plan.new", "00 ../victim ledger.db lock")
    harness.succeed("run", "--plain", "-o", scratch("a.run"))
    check_equal(harness.read(scratch("victim")), b"good", "a file beside the directory")
    give(peer, ["/3", "/0"])  # and the next change takes all of its own
    check_equal(column()[:2], ["/3", "/0"], "the table")


def test_a_directory_of_an_older_version__grows_too():
    peer = Peer(echo)
    give(peer, ["/1", "/2"])
    with sqlite3.connect(scratch("a.run/ledger.db")) as db:
        db.executescript("DROP TABLE gone; ALTER TABLE polled DROP COLUMN request; ALTER TABLE polled DROP COLUMN at_us; PRAGMA user_version=3;")
    db.close()
    check_equal(column(), ["/1", "/2"], "an old ledger is read")
    give(peer, ["/0", "/2", "/1"])
    check_equal(take(peer), ["/0", "/1", "/2"], "asked in both")
    check_equal(column(), ["/0", "/2", "/1"], "the table")


if __name__ == "__main__":
    harness.main(globals())
