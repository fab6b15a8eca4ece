"""`normalise -o table.sql`, run by psql into a PostgreSQL of its own: every value, keys and updates, wider columns, hostile
texts and names, and a script that ends too early.
"""

import gzip
import json
import os

import harness
import postgres_server
from harness import check, check_equal, scratch


def put(records, name="in.jsonl"):
    path = scratch(name)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records)
    return path


class Postgres(postgres_server.Postgres):
    def __init__(self):
        super().__init__(scratch("postgres"))

    def load(self, records, *options, code=0, name="items"):
        script = scratch(name + ".sql")
        harness.succeed("normalise", "-o", script, *options, put(records))
        ended = self.psql("-q", "-f", script)
        check_equal(ended.returncode, code, f"psql: {ended.stderr.decode()}")
        return ended

    def types(self, table="items"):
        return {row["n"]: row["t"] for row in self.rows(
            f"SELECT column_name AS n, data_type AS t FROM information_schema.columns WHERE table_name = '{table}'")}


HOSTILE = ["\\.", "a\n\\.\nDROP TABLE items;\n", "\\N", "", "\t", "a\\tb", "\r\n", "'; SELECT 1; --", '"', "$$", ":x", "\\! id",
           "\u00fc\U0001f600", "\\", "\\\\n", " x "]


def test_values__come_back_as_they_are__hostile_ones_too():
    with Postgres() as db:
        db.load([{"n": i, "s": s} for i, s in enumerate(HOSTILE)])
        check_equal([row["s"] for row in db.rows("SELECT s FROM items ORDER BY n")], HOSTILE, "texts")
        db.load(['{"big":9007199254740993,"real":1.5e-7,"yes":true,"at":"2026-01-31T23:59:59.5+01:00","here":"2026-01-31 23:59:59","day":"2026-01-31",'
                 '"zip":"007","list":[1, {"a":"\\t"}],"nul":"a\\u0000b","none":null,"old":"0001-01-01T00:00:00Z"}',
                 '{"big":-9223372036854775808,"real":1234567890123456,"yes":false,"day":"1969-12-31"}'], name="values")
        check_equal(db.types("values"), {
            "big": "bigint", "real": "double precision", "yes": "boolean", "at": "timestamp with time zone",
            "here": "timestamp without time zone", "day": "date",
            "zip": "text", "list": "text", "nul": "text", "none": "text", "old": "timestamp with time zone"}, "types")
        check_equal(db.rows("SELECT big::text, real, yes, at AT TIME ZONE 'UTC' AS at, here, day, zip, list, nul, none FROM values"), [
            {"big": "9007199254740993", "real": 1.5e-07, "yes": True, "at": "2026-01-31T22:59:59.5", "here": "2026-01-31T23:59:59", "day": "2026-01-31",
             "zip": "007", "list": '[1,{"a":"\\t"}]', "nul": "a\ufffdb", "none": None},
            {"big": "-9223372036854775808", "real": 1234567890123456, "yes": False, "at": None, "here": None, "day": "1969-12-31",
             "zip": None, "list": None, "nul": None, "none": None}], "values")


def test_key__updates_what_is_there__and_of_doubles_the_last_counts():
    with Postgres() as db:
        db.load([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}], "--key", "id")
        db.load([{"id": 2, "v": "c"}, {"id": 3, "v": "d"}, {"id": 3, "v": "e", "w": 1}], "--key", "id")
        check_equal(db.rows("SELECT id, v, w FROM items ORDER BY id"),
                    [{"id": 1, "v": "a", "w": None}, {"id": 2, "v": "c", "w": None}, {"id": 3, "v": "e", "w": 1}], "rows")
        db.load([{"id": 9, "v": "only"}])
        check_equal(db.rows("SELECT id, v FROM items"), [{"id": 9, "v": "only"}], "without a key the rows are replaced")
        db.load([{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 1, "b": "x"}], "--key", "a,b", name="pairs")
        check_equal(len(db.rows("SELECT a, b FROM pairs")), 2, "a table that is all key")


def indexes(db, table):
    return sorted(row["keys"] for row in db.rows(
        "SELECT ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])"
        f" ORDER BY 1) AS keys FROM pg_index i WHERE i.indrelid = '{table}'::regclass AND i.indisunique"))


def test_key__has_its_index__when_there_was_another_or_its_name_is_taken():
    with Postgres() as db:
        db.run("CREATE TABLE items_key (x int); CREATE INDEX items_id_idx ON items_key (x)")
        db.load([{"id": 1, "v": "a"}, {"id": 1, "v": "b"}], "--key", "id")
        check_equal(indexes(db, "items"), [["id"]], "indexes")
        check_equal(db.rows("SELECT id, v FROM items"), [{"id": 1, "v": "b"}], "of doubles the last, in a new table too")
        for _ in range(2):
            db.load([{"id": 1, "v": "b", "w": 1}, {"id": 2, "v": "c", "w": 1}], "--key", "v,id")
            check_equal(indexes(db, "items"), [["id"], ["id", "v"]], "indexes")
        db.load([{"id": 3, "v": "x"}, {"id": 4, "v": "x"}], "--key", "id,v")
        check_equal(indexes(db, "items"), [["id"], ["id", "v"]], "indexes: the order of a key's columns is no other key")
        db.run("CREATE TABLE doubled AS SELECT 1 AS id, 'a'::text AS v FROM generate_series(1, 2)")
        ended = db.load([{"id": 2, "v": "b"}], "--key", "id", name="doubled", code=3)
        check(b"is duplicated" in ended.stderr, ended)
        check_equal(len(db.rows("SELECT id FROM doubled")), 2, "a table whose keys stand twice is as it was")


def test_row_that_is_as_it_was__is_not_written_again():
    with Postgres() as db:
        db.run("CREATE TABLE items (id bigint PRIMARY KEY, v text, doc json)")
        first = [{"id": i, "v": f"v{i}", "doc": [i]} for i in range(100)]
        db.load(first, "--key", "id")
        before = {row["id"]: row["x"] for row in db.rows("SELECT id, xmin::text AS x FROM items")}
        first[7]["v"], first[8]["doc"], first[9]["v"] = "new", [0], None
        db.load(first + [{"id": 100, "v": "more", "doc": None}], "--key", "id")
        after = {row["id"]: row["x"] for row in db.rows("SELECT id, xmin::text AS x FROM items")}
        check_equal(sorted(i for i in after if after[i] != before.get(i)), [7, 8, 9, 100], "rows that were written")
        check_equal(db.rows("SELECT v, doc FROM items WHERE id IN (7, 8, 9) ORDER BY id"), [
            {"v": "new", "doc": [7]}, {"v": "v8", "doc": [0]}, {"v": None, "doc": [9]}], "values")


def test_column__becomes_wide_enough__for_what_comes_later():
    with Postgres() as db:
        db.load([{"id": 1, "n": 9007199254740993, "x": 0.1, "b": True, "d": "2026-01-31", "t": "2026-01-31T00:00:00Z", "s": 5}],
                "--key", "id")
        db.load([{"id": 2, "n": 0.5, "x": 9007199254740993, "b": "maybe", "d": "2026-02-01T10:00:00Z", "t": "2026-02-01",
                  "s": "five"}], "--key", "id")
        check_equal(db.types(), {"id": "bigint", "n": "numeric", "x": "numeric", "b": "text", "d": "text", "t": "text",
                                 "s": "text"}, "types")
        check_equal(db.rows("SELECT n::text, x::text, b, d, s FROM items ORDER BY id"), [
            {"n": "9007199254740993", "x": "0.1", "b": "true", "d": "2026-01-31", "s": "5"},
            {"n": "0.5", "x": "9007199254740993", "b": "maybe", "d": "2026-02-01T10:00:00.000000Z", "s": "five"}], "values")
        db.run("CREATE TABLE own (id bigint PRIMARY KEY, u uuid, note text DEFAULT 'mine')")
        db.load([{"id": 1, "u": "6ecd8c99-4036-403d-bf84-cf8400f67836"}], "--key", "id", name="own")
        check_equal(db.types("own")["u"], "uuid", "a type that is the user's stays")
        ended = db.load([{"id": 1, "u": "none"}], "--key", "id", name="own", code=3)
        check(b"invalid input syntax for type uuid" in ended.stderr, ended)
        check_equal(db.rows("SELECT u FROM own"), [{"u": "6ecd8c99-4036-403d-bf84-cf8400f67836"}], "as it was")


def test_names__are_quoted__whatever_they_are():
    names = ['a"b', "c'd", "select", "e\nf", "$$ g", "\\. h", ":i", 'j"; DROP TABLE safe; --', "K", "k", "\u00fc"]
    with Postgres() as db:
        db.run("CREATE TABLE safe (x int)")
        for _ in range(2):
            db.load([dict.fromkeys(names, 1)], "--table", 'ta"ble; --', "--key", 'a"b', name="x")
        check_equal(sorted(db.types('ta"ble; --')), sorted(names), "columns")
        check_equal(db.run("SELECT count(*) FROM safe").returncode, 0, "the other table is there")
        for name in ("scrapetop_new", "t" * 63, "\u00fc" * 31 + "u"):
            db.load([{"id": 1}, {"id": 2}], "--table", name, "--key", "id", name="y")
            db.load([{"id": 2}, {"id": 3}], "--table", name, "--key", "id", name="y")
            check_equal(len(db.rows(f'SELECT id FROM "{name}"')), 3, f"rows of {name}")
    for record, words, told in (({"x" * 64: 1}, [], b"63 bytes"), ({"a\0b": 1}, [], b"no NUL"),
                                ({"a": 1}, ["--table", "t" * 64], b"63 bytes"), ({"a": 1}, ["--key", "b"], b"no such column"),
                                ({"a": None, "b": 1}, ["--key", "a"], b"has no value there"),
                                ({f"c{i}": 1 for i in range(1601)}, [], b"1600 at most")):
        ended = harness.run("normalise", "-o", scratch("no.sql"), *words, put([record]))
        check(ended.code != 0 and told in ended.err, words, ended)
        check(not os.path.exists(scratch("no.sql")), "a script of", words)


def test_script_that_ends_too_early__changes_nothing():
    with Postgres() as db:
        db.load([{"id": 1}, {"id": 2}])
        script = scratch("new.sql")
        harness.succeed("normalise", "-o", script, "--table", "items", put([{"id": i, "w": i} for i in range(10, 2000)]))
        text = harness.read(script)
        for part in (1, 3, 6, 9):
            db.psql("-q", input=text[:len(text) * part // 10])
            check_equal(db.rows("SELECT id FROM items ORDER BY id"), [{"id": 1}, {"id": 2}], f"after {part} tenths")
            check_equal(list(db.types()), ["id"], "columns")
        db.psql("-q", input=text)
        check_equal(len(db.rows("SELECT id FROM items")), 1990, "after all of it")


def test_pipe_and_packed__and_a_run():
    with Postgres() as db, harness.api() as api:
        run = scratch("p.run")
        harness.succeed("run", "--plain", "-o", run, f"{api.url}/posts/[1-40]")
        made = harness.succeed("normalise", "--format", "postgres", "--table", "posts", "--key", "id", "-o", "-", run).out
        check_equal(db.psql("-q", input=made).returncode, 0, "from a pipe")
        check_equal(len(db.rows("SELECT id FROM posts")), 40, "rows")
        packed = scratch("posts.sql.gz")
        harness.succeed("normalise", "-o", packed, run)
        with gzip.open(packed) as file:
            check_equal(db.psql("-q", input=file.read()).returncode, 0, "packed")
        check_equal(len(db.rows("SELECT id FROM posts")), 40, "rows")


if __name__ == "__main__":
    harness.main(globals())
