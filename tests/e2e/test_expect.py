"""What is expected of a table: the one that breaks it is put aside, the old one stays, and the exit code is 6."""

import gzip
import json
import os
import sqlite3

import harness
from harness import check, check_equal, scratch

GOOD = b'{"id":1,"v":"a"}\n{"id":2,"v":"b"}\n'
BAD = b'{"id":1,"v":"a","t":"2001-01-01"}\n{"id":null,"v":"b"}\n{"id":1,"v":"c"}\n'


def put(name, content):
    with open(scratch(name), "wb") as file:
        file.write(content)
    return scratch(name)


# what is expected; the input; words on stderr, or None when it holds
CASES = [
    ("rows >= 3", BAD, None), ("rows = 3", BAD, None), ("rows <= 3", BAD, None), ("rows > 2", BAD, None), ("rows < 4", BAD, None),
    ("rows > 3", BAD, b"rows > 3: there are 3"), ("rows <3", BAD, b"there are 3"), ("rows>=3", BAD, None), ("rows<3", BAD, b"rows < 3: there are 3"), ("rows = 2", BAD, b"there are 3"),
    ("rows > 0", b"[]", b"there are 0"), ("rows >= 2", b'{"id":1}', b"there is 1"),
    ("unique v", BAD, None), ("unique id,v", BAD, None),
    ("unique id", BAD, b"unique id: 1 row has values that another has, first: 1\n"),
    ("unique q", BAD, b"no record has the column q"),
    ("unique a,b", b'{"a":"x","b":1}\n' * 3, b"2 rows have values that another has, first: x, 1; x, 1\n"),
    ("not_null v", BAD, None), ("not_null id", BAD, b":2: id"), ("not_null id,t", BAD, b"id: 1 row without a value, t: 2 rows"),
    ("fresh t < 200y", BAD, b"E-EXP2"), ("fresh t < 2d", BAD, b"old\n"), ("fresh /v < 2d", BAD, b"no value there is a time"),
    ("fresh t < 2d", b'{"t":"2026-11-01T00:00:00Z"}\n{"t":"2099-11-01T00:00:00Z"}', None), ("fresh /a/t < 2d", b'{"a":{"t":4102444800}}', None),
    ("types frozen", BAD, None),
]


def test_expectation__is_kept_or_broken__by_what_the_rows_are():
    for what, content, words in CASES:
        ended = harness.run("normalise", "--expect", what, "-o", scratch("t.csv"), put("in.jsonl", content))
        code = 0 if words is None else 2 if words == b"E-EXP2" else 6
        check(ended.code == code and (words or b"") in ended.err, what, ended)


def test_old_table__stays_and_the_new_one_is_beside_it__in_every_format():
    good, bad = put("good.jsonl", GOOD), put("bad.jsonl", BAD)
    for ending in ("csv", "csv.gz", "jsonl.zst", "json", "parquet", "sql", "db"):
        path, aside = scratch(f"t.{ending}"), scratch(f"t.rejected.{ending}")
        harness.succeed("normalise", "--expect", "unique id", "-o", path, good)
        before = harness.read(path)
        check(not os.path.exists(aside), aside, "is there though nothing is wrong")
        ended = harness.succeed("normalise", "--expect", "unique id", "-o", path, bad, code=6)
        check(b"error[E-EXP1]" in ended.err and f"it is in {aside}, and nothing was written to {path}".encode() in ended.err, ended)
        check_equal(harness.read(path), before, path)
        harness.succeed("normalise", "-o", scratch(f"want.{ending}"), bad)
        if ending not in ("db", "sql"):
            check_equal(harness.read(aside), harness.read(scratch(f"want.{ending}")), aside)
    check_equal(gzip.decompress(harness.read(scratch("t.rejected.csv.gz"))), b"id,v,t\n1,a,2001-01-01\n,b,\n1,c,\n", "aside")


def test_database__keeps_its_table__and_another_file_has_the_rejected_one():
    good, bad = put("good.jsonl", GOOD), put("bad.jsonl", BAD)
    options = ["--table", "x", "--key", "id", "--expect", "not_null id", "-o", scratch("t.db")]
    harness.succeed("normalise", *options, good)
    harness.succeed("normalise", *options, bad, code=6)
    harness.succeed("normalise", *options, bad, code=6)
    with sqlite3.connect(scratch("t.db")) as db:
        check_equal(db.execute("SELECT * FROM x").fetchall(), [(1, "a"), (2, "b")], "the table")
    with sqlite3.connect(scratch("t.rejected.db")) as db:
        check_equal(db.execute("SELECT id, v FROM x_rejected").fetchall(), [(1, "a"), (None, "b"), (1, "c")], "aside")


def test_pipe__gets_no_row__when_the_table_is_not_as_expected():
    ended = harness.succeed("normalise", "--expect", "rows > 3", "-", stdin=BAD, code=6)
    check(ended.out == b"" and b"none is written" in ended.err, ended)
    ended = harness.succeed("normalise", "--expect", "rows > 2", "--columns", "v", "-", stdin=BAD)
    check_equal(ended.out, b"v\na\nb\nc\n", "the table")


def test_rows_are_judged__as_they_would_be_written():
    bad = put("bad.jsonl", BAD)
    harness.succeed("normalise", "--unique", "id", "--where-present", "id", "--expect", "unique id", "--expect", "rows = 1",
                    "--expect", "not_null id", "-o", scratch("t.csv"), bad)
    check_equal(harness.read(scratch("t.csv")), b"id,v,t\n1,a,2001-01-01\n", "the table")
    ended = harness.run("normalise", "--json", "--expect", "rows = 1", "--expect", "unique id", "-o", scratch("t.csv"), bad)
    report = json.loads(ended.out)
    check_equal((ended.code, report["error"]["code"], len(report["unexpected"])), (6, "E-EXP1", 2), "the report")


def test_run__ends_with_6_and_keeps_the_table_of_before__when_the_job_expects_more():
    run_dir, path = scratch("x.run"), scratch("job.json")
    with harness.api() as server:
        job = {"base": server.url, "endpoints": [{"name": "posts", "url": "/posts"}], "output": ["csv"],
               "tables": {"posts": {"expect": {"rows": ">= 5", "unique": ["id"], "not_null": ["id"], "types": "frozen"}}}}
        put("job.json", json.dumps(job).encode())
        harness.succeed("run", path, "-o", run_dir)
        before = harness.read(os.path.join(run_dir, "posts.csv"))
        job["tables"]["posts"]["expect"]["rows"] = ">= 5000"
        put("job.json", json.dumps(job).encode())
        ended = harness.succeed("run", path, "-o", scratch("other.run"), code=6)
        check(b"rows >= 5000: there are" in ended.err, ended)
        check(os.path.exists(scratch("other.run/posts.rejected.csv")), "no table aside")
        check(not os.path.exists(scratch("other.run/posts.csv")), "a table that is not as expected")
    tables = os.path.join(run_dir, "tables.json")
    kept = json.loads(harness.read(tables))
    kept["posts"]["columns"]["id"] = "text"
    kept["posts"]["columns"]["gone"] = "text"
    with open(tables, "w", encoding="utf-8") as file:
        json.dump(kept, file)
    ended = harness.succeed("normalise", run_dir, code=6)
    check(b"types frozen: id is int64, was text, gone is gone" in ended.err, ended)
    check_equal(harness.read(os.path.join(run_dir, "posts.csv")), before, "the table")
    check_equal(json.loads(harness.read(tables)), kept, "what the next table is compared with")
    os.remove(tables)  # the way to take the new columns
    harness.succeed("normalise", run_dir)


def test_expectation__is_refused__when_it_says_nothing():
    for what in ("rows", "rows 5", "rows >= five", "types loose", "fresh t", "fresh < 2d", "fresh t < soon", "unique ", "unique=id", "best"):
        ended = harness.run("normalise", "--expect", what, "-", stdin=GOOD)
        check(ended.code == 2 and (b"E-EXP2" in ended.err or b"E-ARG1" in ended.err), what, ended)
    path = put("job.json", json.dumps({"base": "http://127.0.0.1:1", "endpoints": [{"name": "a", "url": "/"}],
                                       "tables": {"a": {"expect": {"rows": "many"}}}}).encode())
    ended = harness.run("run", path, "--show-config")
    check(ended.code == 2 and b"E-CFG2" in ended.err and b">= 1000" in ended.err, ended)


if __name__ == "__main__":
    harness.main(globals())
