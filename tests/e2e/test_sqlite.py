"""`normalise -o data.db`, read back by the SQLite of Python: every value, keys and updates, new columns, what else is in
the database, and every way that it may refuse or be interrupted.
"""

import json
import os
import random
import resource
import signal
import sqlite3
import stat
import subprocess
import time

import harness
from harness import check, check_equal, scratch


def put(records, name="in.jsonl"):
    path = scratch(name)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records)
    return path


def rows(path, sql="SELECT * FROM items ORDER BY rowid"):
    db = sqlite3.connect(path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def load(path, records, *options, **keywords):
    return harness.run("normalise", "-o", path, "--table", "items", *options, put(records), **keywords)


def loaded(path, records, *options):
    ended = load(path, records, *options)
    check(ended.code == 0, "load failed:", ended)
    return rows(path)


def test_values__are_those_of_the_records__typed():
    path = scratch("t.db")
    text = ['{"id":1,"big":9007199254740993,"real":1.5,"yes":true,"at":"2026-01-31T23:59:59.5+01:00","day":"2026-01-31",'
            '"s":"a\\u0000\\"\\n\\u00e9\\ud83d\\ude00","zip":"007","list":[1, 2],"mixed":1,"none":null,"o":{"k":""}}',
            '{"id":2,"big":-9223372036854775808,"real":1e300,"yes":false,"at":"1969-12-31T23:59:59.999999Z","day":"0001-01-01",'
            '"s":"\\ud800","zip":"x","list":[],"mixed":"01"}',
            '{"id":3}']
    got = loaded(path, text)
    check_equal(got, [
        (1, 9007199254740993, 1.5, 1, "2026-01-31T22:59:59.500000Z", "2026-01-31", "a\0\"\n\u00e9\U0001f600", "007", "[1,2]",
         "1", None, ""),
        (2, -9223372036854775808, 1e300, 0, "1969-12-31T23:59:59.999999Z", "0001-01-01", "\ufffd", "x", "[]", "01", None, None),
        (3,) + (None,) * 11], "values")
    check_equal(rows(path, "SELECT name, type FROM pragma_table_info('items')"),
                [("id", "INTEGER"), ("big", "INTEGER"), ("real", "REAL"), ("yes", "BOOLEAN"), ("at", "TIMESTAMP"),
                 ("day", "DATE"), ("s", "TEXT"), ("zip", "TEXT"), ("list", "TEXT"), ("mixed", "TEXT"), ("none", ""),
                 ("o.k", "TEXT")], "columns")
    check_equal(rows(path, "SELECT typeof(real), typeof(yes), date(at, '+1 day') FROM items WHERE id = 1"),
                [("real", "integer", "2026-02-01")], "SQLite's own view of them")
    check_equal(rows(path, "PRAGMA journal_mode"), [("wal",)], "journal")
    check_equal(rows(path, "PRAGMA integrity_check"), [("ok",)], "integrity")
    epochs = loaded(path, ['{"id":"7","created_at":1700000000}'], "--types")
    check_equal(epochs, [(7, "2023-11-14T22:13:20.000000Z")], "--types")


def test_names__are_kept__whatever_they_hold():
    path = scratch("n.db")
    got = loaded(path, ['{"a\\"b":1,"":2,"select":3,"ID":4,"id":5,"Id":6,"x\\u0000y":7,"é; DROP TABLE items":8}'])
    check_equal(got, [(1, 2, 3, 4, 5, 6, 7, 8)], "values")
    check_equal([n for n, in rows(path, "SELECT name FROM pragma_table_info('items')")],
                ['a"b', "", "select", "ID", "id_2", "Id_3", "x y", "é; DROP TABLE items"], "names")
    for _ in range(2):  # the names are found again
        harness.succeed("normalise", "-o", path, "--table", "again", "--key", "a\"b", scratch("in.jsonl"))
    check_equal(rows(path, "SELECT * FROM again"), got, "a second time")
    harness.succeed("normalise", "-o", scratch("n.db"), "--table", "It's \"so\"", put([{"a": 1}]))
    check_equal(rows(path, 'SELECT a FROM "It\'s ""so"""'), [(1,)], "a table's name")
    harness.succeed("normalise", "-o", scratch("other name.sqlite"), put([{"a": 1}]))
    check_equal(rows(scratch("other name.sqlite"), 'SELECT a FROM "other name"'), [(1,)], "the file's name")
    for empty in ([], ["{}", "{}"]):
        check_equal(loaded(scratch("e.db"), empty), [(None,)] * len(empty), "a table without columns")


def test_names__differ__of_as_many_columns_as_a_table_may_have():
    """All are one name to SQLite."""
    letters = "abcdefghijk"
    names = ["".join(c.upper() if n >> i & 1 else c for i, c in enumerate(letters)) for n in range(2000)]
    path = scratch("one-name.db")
    check_equal(loaded(path, [{name: n for n, name in enumerate(names)}]), [tuple(range(2000))], "values")
    want = [names[0]] + [f"{name}_{n}" for n, name in enumerate(names[1:], 2)]
    check_equal([row[0] for row in rows(path, "SELECT name FROM pragma_table_info('items')")], want, "names")


def test_new_database__stays__when_another_program_began_it_and_fails():
    for number in range(harness.scaled(40, 10)):
        path = scratch(f"race{number}.db")
        source = put([{"id": 1}])
        bad = [harness.scrapetop("normalise", "-o", path, "--table", "items", "--key", "missing", source,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
        good = harness.scrapetop("normalise", "-o", path, "--table", "items", source,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        ended = [harness.finish(child) for child in (good, *bad)]
        check_equal([one.code for one in ended[1:]], [2, 2], f"exit codes of those that fail: {ended}")
        check_equal(ended[0].code, 0, f"exit code: {ended[0]}")
        check_equal(rows(path), [(1,)], f"rows of round {number}")


def test_key__replaces_adds_and_keeps__as_if_all_had_come_at_once():
    random.seed(4)
    path, want = scratch("k.db"), {}
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE other(x); INSERT INTO other VALUES ('stays');")
    db.close()
    for turn in range(6):
        batch = []
        for _ in range(300):
            key = random.randrange(400)
            record = {"id": key, "turn": turn, "v": random.choice([1, 2.5, None])}
            record.update({f"new{turn}": turn} if key % 2 else {})
            batch.append(record)
            old = want.setdefault(key, {})
            old.update({name: record.get(name) for name in ("id", "turn", "v", f"new{turn}")})
        random.shuffle(batch)
        for record in batch:  # in the order that the rows came, the last wins
            want[record["id"]].update({n: record.get(n) for n in ("id", "turn", "v", f"new{turn}")})
        ended = load(path, batch, "--key", "id")
        check(ended.code == 0, f"turn {turn}:", ended)
    names = ["id", "turn", "v"] + [f"new{t}" for t in range(6)]
    got = rows(path, "SELECT * FROM items ORDER BY id")
    check_equal([n for n, in rows(path, "SELECT name FROM pragma_table_info('items')")], names, "columns")
    check_equal(got, [tuple(want[key].get(n) for n in names) for key in sorted(want)], "rows")
    check_equal(rows(path, "SELECT * FROM other"), [("stays",)], "another table")
    # Without a key the table is what the records say, and no more.
    check_equal(loaded(path, [{"id": 1}]), [(1,)], "made anew")
    check_equal(rows(path, "SELECT * FROM other"), [("stays",)], "another table")


def test_key__writes_only_rows_that_differ():
    path, count = scratch("same.db"), 3000
    records = [{"id": i, "v": f"v{i}", "x": i / 7, "n": None if i % 2 else i} for i in range(count)]
    loaded(path, records, "--key", "id")
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE log(id, v); CREATE TRIGGER changed AFTER UPDATE ON items BEGIN "
                     "INSERT INTO log VALUES (new.id, new.v); END;")
    db.close()
    loaded(path, records, "--key", "id")
    check_equal(rows(path, "SELECT * FROM log"), [], "of rows that are the same")
    records[7]["v"], records[1999]["n"], records[2000]["n"] = "new", 5, None
    loaded(path, records, "--key", "id")
    check_equal(rows(path, "SELECT * FROM log ORDER BY id"), [(7, "new"), (1999, "v1999"), (2000, "v2000")], "of changed rows")


def test_key__writes_a_row_of_as_many_columns_as_a_table_may_have():
    path = scratch("widest.db")
    record = {f"c{i}": i for i in range(2000)}
    for value in (1, 1, 2):
        loaded(path, [{**record, "c1999": value}], "--key", "c0")
    check_equal(rows(path, "SELECT c0, c1999 FROM items"), [(0, 2)], "the last")


def test_key__may_be_text_and_several_columns__or_of_a_table_that_others_made():
    path = scratch("m.db")
    loaded(path, [{"a": "x", "b": 1, "v": 1}, {"a": "x", "b": 2, "v": 2}], "--key", "a,b")
    check_equal(loaded(path, [{"b": 1, "a": "x", "v": 9}, {"a": "X", "b": 1, "v": 3}], "--key", "a,b"),
                [("x", 1, 9), ("x", 2, 2), ("X", 1, 3)], "two columns")
    check_equal(loaded(path, [{"a": "x", "b": 1}], "--key", "a,b"), [("x", 1, 9), ("x", 2, 2), ("X", 1, 3)],
                "columns that did not come stay")
    theirs = scratch("theirs.db")
    db = sqlite3.connect(theirs)
    db.executescript("CREATE TABLE items(v REAL, Id VARCHAR(9), n INT); INSERT INTO items VALUES (1, '007', 1);"
                     "CREATE TRIGGER t AFTER INSERT ON items BEGIN UPDATE items SET n = 5 WHERE n = 4; END;")
    db.close()
    check_equal(loaded(theirs, [{"id": "007", "v": 2}, {"id": 8, "v": 3, "n": 4}], "--key", "id"),
                [(2.0, "007", None), (3.0, "8", 5)], "a table of others")


REFUSED = [
    # what is there, records, options, exit code, words
    ("CREATE TABLE items(id INTEGER PRIMARY KEY, zip INTEGER)", [{"id": 1, "zip": "007"}], ["--key", "id"], 2,
     b"E-DB2]: column zip of table items is INTEGER, but now holds text"),
    ("CREATE TABLE items(id INTEGER PRIMARY KEY, v REAL)", [{"id": 1, "v": 9007199254740993}], ["--key", "id"], 2,
     b"is REAL and would round 9007199254740993"),
    ("CREATE TABLE items(id); INSERT INTO items VALUES (1), (1)", [{"id": 1}], ["--key", "id"], 2, b"cannot be told apart"),
    ("CREATE TABLE t(id); CREATE VIEW items AS SELECT * FROM t", [{"id": 1}], ["--key", "id"], 2, b"items is a view"),
    ("CREATE TABLE items(id INTEGER PRIMARY KEY, v CHECK (v > 0))", [{"id": 1, "v": -1}], ["--key", "id"], 8,
     b"E-DB3]"),
    ("CREATE TABLE t(x)", [{"id": 1}, {"id": None}], ["--key", "id"], 2, b"--key id: a row has no value there"),
    ("CREATE TABLE t(x)", [{"id": 1}], ["--key", "no"], 2, b"--key no: the table has no such column"),
    ("CREATE TABLE items(id INTEGER PRIMARY KEY)", [{"id": "x"}], ["--key", "id"], 2, b"is INTEGER, but now holds text"),
]


def test_table_of_others__is_refused_and_stays__when_it_does_not_fit():
    for there, records, options, code, words in REFUSED:
        path = scratch("r.db")
        if os.path.exists(path):
            os.remove(path)
        db = sqlite3.connect(path)
        db.executescript(there + ";")
        before = list(db.iterdump())
        db.close()
        ended = load(path, records, *options)
        check(ended.code == code and words in ended.err, there, ended)
        db = sqlite3.connect(path)
        check_equal(list(db.iterdump()), before, there)
        db.close()


def test_database__is_refused__when_it_cannot_be_written():
    path = scratch("w.db")
    with open(path, "w", encoding="utf-8") as file:
        file.write("this is no database, but as long as a page of one may be\n" * 40)
    ended = load(path, [{"id": 1}])
    check(ended.code == 8 and b"is no SQLite database" in ended.err, ended)
    check(harness.read(path).startswith(b"this is no"), "the file was written")
    ended = load(os.path.join(path, "x.db"), [{"id": 1}])
    check(ended.code == 8 and b"E-OUT1]" in ended.err, ended)
    os.remove(path)
    loaded(path, [{"id": 1}])
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    ended = load(path, [{"id": 2}])
    check(ended.code == 8 and b"is locked" in ended.err, ended)
    db.execute("ROLLBACK")
    # Who reads sees the old rows, and is in nobody's way.
    db.execute("BEGIN")
    check_equal(db.execute("SELECT * FROM items").fetchall(), [(1,)], "a reader")
    check_equal(loaded(path, [{"id": 2}]), [(2,)], "beside a reader")
    check_equal(db.execute("SELECT * FROM items").fetchall(), [(1,)], "the reader goes on")
    db.close()
    if os.getuid() != 0:
        os.chmod(path, stat.S_IRUSR)
        ended = load(path, [{"id": 3}])
        check(ended.code == 8 and b"E-DB1]" in ended.err, ended)
    for arguments, words in ((["-o", "-", "--format", "sqlite"], b"wants a file, not stdout"),
                             (["-o", scratch("x.csv"), "--key", "id"], b"are of a database"),
                             (["-o", scratch("x.db.gz")], b"leave out .gz")):
        ended = harness.run("normalise", *arguments, put([{"id": 1}]))
        check(ended.code == 2 and words in ended.err, arguments, ended)


def test_space__that_runs_out__leaves_the_old_rows():
    path = scratch("full.db")
    loaded(path, [{"id": 1, "v": "old"}], "--key", "id")

    def limit():  # a limit to files stands for a full disk
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    many = put(({"id": i, "v": "x" * 200} for i in range(20000)), "many.jsonl")
    ended = harness.run("normalise", "-o", path, "--table", "items", "--key", "id", many, preexec_fn=limit)
    check(ended.code == 8 and (b"E-DB3]" in ended.err or b"E-DB1]" in ended.err), ended)
    check_equal(rows(path), [(1, "old")], "rows")
    check_equal(rows(path, "PRAGMA integrity_check"), [("ok",)], "integrity")
    fresh = scratch("fresh.db")
    ended = harness.run("normalise", "-o", fresh, "--table", "items", many, preexec_fn=limit)
    check(ended.code == 8 and not os.path.exists(fresh), "an empty database is left:", ended)


def test_kill__leaves_the_old_state_or_the_new__at_any_moment():
    path, count = scratch("kill.db"), harness.scaled(20000, 4000)
    old = put(({"id": i, "v": "old"} for i in range(count)), "old.jsonl")
    new = put(({"id": i, "v": "new", "w": i} for i in range(count + 10)), "new.jsonl")
    arguments = ["normalise", "-o", path, "--table", "items", "--key", "id"]
    harness.succeed(*arguments, old)
    began = time.monotonic()
    harness.succeed("normalise", "-o", scratch("whole.db"), "--table", "items", "--key", "id", new)
    whole, seen = time.monotonic() - began, set()
    for n in range(12):
        child = harness.scrapetop(*arguments, new, stderr=subprocess.DEVNULL)
        try:
            child.wait(whole * n / 8)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL if n % 3 else signal.SIGTERM)
            child.wait()
        check_equal(rows(path, "PRAGMA integrity_check"), [("ok",)], "integrity")
        (got,) = rows(path, "SELECT count(*), min(v), max(v) FROM items")
        check(got in ((count, "old", "old"), (count + 10, "new", "new")), "neither old nor new:", got)
        seen.add(got[1])
        if got[1] == "new":
            os.remove(path)
            harness.succeed(*arguments, old)
    harness.succeed(*arguments, new)
    check_equal(rows(path, "SELECT count(*), min(v), max(v) FROM items"), [(count + 10, "new", "new")], "the end")
    check("old" in seen, "nothing was killed in time:", seen)
    for n in range(1, 8):  # a file that was not there: no table of it, or all of it
        fresh = scratch(f"fresh{n}.db")
        child = harness.scrapetop("normalise", "-o", fresh, "--table", "items", "--key", "id", new, stderr=subprocess.DEVNULL)
        time.sleep(whole * n / 8)
        child.send_signal(signal.SIGKILL)
        child.wait()
        if os.path.exists(fresh):
            check_equal(rows(fresh, "PRAGMA integrity_check"), [("ok",)], "integrity of a new file")
            if rows(fresh, "SELECT 1 FROM sqlite_master WHERE name = 'items'"):
                check_equal(rows(fresh, "SELECT count(*) FROM items"), [(count + 10,)], "half a table")
        harness.succeed("normalise", "-o", fresh, "--table", "items", "--key", "id", new)
        check_equal(rows(fresh, "SELECT count(*) FROM items"), [(count + 10,)], "after a kill")
    left = [name for name in os.listdir(os.path.dirname(path)) if ".tmp" in name or "-journal" in name]
    check_equal(left, [], "what killed processes left")


def test_rows__are_the_same__for_more_workers_and_beside_csv():
    random.seed(9)
    source = put(({"id": i, "f": random.random(), "s": f"r{i % 300}", "t": [i], **({"late": 1} if i % 700 == 699 else {})}
                  for i in range(harness.scaled(30000, 8000))), "many.jsonl")
    want = None
    for workers in ("1", "6"):
        path, table = scratch(f"w{workers}.db"), scratch(f"w{workers}.csv")
        harness.succeed("normalise", "-o", path, "-o", table, "--table", "items", source,
                        env=harness.environment(UV_THREADPOOL_SIZE=workers))
        got = rows(path)
        want = want or got
        check(got == want, f"rows differ with {workers} workers")
        lines = harness.read(table).decode().splitlines()
        check_equal(len(lines) - 1, len(got), "rows beside CSV")
        check_equal([f"{row[0]},{row[1]!r},{row[2]},{row[3]}," for row in got[:5]], lines[1:6], "first rows")


def test_run__fills_a_database__with_a_table_for_each_endpoint():
    with harness.api() as api:
        job = scratch("job.json")
        with open(job, "w", encoding="utf-8") as file:
            json.dump({"name": "shop", "base": api.url, "vars": {"i": "[1-5]"}, "output": ["db"],
                       "endpoints": [{"name": "a", "url": "/posts/{i}"}, {"name": "b", "url": "/posts/{i}?b"}],
                       "tables": {"a": {"unique": ["id"]}}}, file)
        run = scratch("j.run")
        report = harness.succeed("run", "--plain", "--json", "-o", run, job).report()
        check_equal(report["sqlite"], os.path.join(run, "shop.db"), "path in the report")
        for table in "ab":
            check_equal(rows(report["sqlite"], f"SELECT id FROM {table} ORDER BY id"), [(i,) for i in range(1, 6)], table)
        harness.succeed("normalise", "-o", scratch("all.db"), run)
        check_equal(rows(scratch("all.db"), "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)"), [(5, 5)], "all.db")
        harness.succeed("run", "--plain", "-o", scratch("one.run"), "--to", scratch("one.db"), f"{api.url}/posts/[1-3]")
        check_equal(rows(scratch("one.db"), 'SELECT count(*) FROM "127.0.0.1"'), [(3,)], "--to")
        with open(scratch("bad.db"), "wb") as file:
            file.write(b"no database" * 1000)
        ended = harness.run("run", "--plain", "-o", scratch("bad.run"), "--to", scratch("bad.db"), f"{api.url}/posts/1")
        check(b"is no SQLite database" in ended.err and not os.path.exists(scratch("bad.run")), "told too late:", ended)


if __name__ == "__main__":
    harness.main(globals())
