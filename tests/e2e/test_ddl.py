"""`normalise --ddl`: the statement that makes a table for what was found, as PostgreSQL runs it, and as the others want it."""

import gzip
import json
import os

import harness
from harness import check, check_equal, scratch
from test_postgres import Postgres

ROWS = [{"id": n, "text": "x", 'odd "name"\\': "y", "f": 0.5 * n, "b": n == 1, "at": "2026-01-01T10:00:00Z",
         "local": "2026-01-01T10:00:00", "day": "2026-01-01", "list": [1], "'); DROP TABLE t; --": n} for n in (1, 2)]


def ddl(dialect, *words, records=ROWS, code=0):
    return harness.succeed("normalise", "--ddl", dialect, *words, "-", stdin=json.dumps(records).encode(), code=code)


def test_ddl__makes_a_table_in_postgres__that_takes_the_rows():
    with Postgres() as server:
        for words in ([], ["--key", "id"], ["--key", 'id,odd "name"\\']):
            server.run("DROP TABLE IF EXISTS \"my ta\"\"ble\"")
            made = server.psql("-q", "-v", "ON_ERROR_STOP=1", input=ddl("postgres", "--table", 'my ta"ble', *words).out)
            check_equal((made.returncode, made.stderr), (0, b""), "the statement")
            types = server.types('my ta"ble')
            check_equal(types, {
                "id": "bigint", "text": "text", 'odd "name"\\': "text", "f": "double precision", "b": "boolean",
                "at": "timestamp with time zone", "local": "timestamp without time zone", "day": "date", "list": "text",
                "'); DROP TABLE t; --": "bigint"}, "types")
            keys = server.rows("SELECT count(*) AS n FROM pg_constraint WHERE contype='p' AND connamespace='public'::regnamespace")[0]["n"]
            check_equal(keys, 1 if words else 0, "primary keys")
            script = harness.succeed("normalise", "--format", "postgres", "--table", 'my ta"ble', *words, "-o", "-", "-",
                                     stdin=json.dumps(ROWS).encode()).out
            check_equal(server.psql("-q", "-v", "ON_ERROR_STOP=1", input=script).returncode, 0, "the rows")
            check_equal(len(server.rows('SELECT id FROM "my ta""ble"')), 2, "rows")


def test_ddl__in_the_words_of_each_database():
    records = [{"id": 1, 'a"\\': None, "at": "2026-01-01T10:00:00Z", "day": "2026-01-01", "ok": True, "f": 1.5}]
    check_equal(ddl("duckdb", "--table", "t", "--key", "id", records=records).out.decode(),
                'CREATE TABLE "t" (\n  "id" BIGINT NOT NULL,\n  "a""\\" VARCHAR,\n  "at" TIMESTAMP WITH TIME ZONE,\n'
                '  "day" DATE,\n  "ok" BOOLEAN,\n  "f" DOUBLE,\n  PRIMARY KEY ("id")\n);\n', "duckdb")
    check_equal(ddl("clickhouse", "--key", "id", records=records).out.decode(),
                'CREATE TABLE "items" (\n  "id" Int64,\n  "a\\"\\\\" Nullable(String),\n  "at" Nullable(DateTime64(6, \'UTC\')),\n'
                '  "day" Nullable(Date32),\n  "ok" Nullable(Bool),\n  "f" Nullable(Float64)\n'
                ') ENGINE = ReplacingMergeTree ORDER BY ("id");\n', "clickhouse")
    check(ddl("clickhouse", records=records).out.endswith(b") ENGINE = MergeTree ORDER BY tuple();\n"), "without a key")
    ddl("duckdb", "-o", scratch("made.sql"), records=records)
    made = harness.read(scratch("made.sql"))
    check(made.startswith(b'CREATE TABLE "made" ('), "to a file")
    for name in ("made.sql.gz", "made.gz"):
        ddl("duckdb", "--table", "made", "-o", scratch(name), records=records)
        check_equal(gzip.decompress(harness.read(scratch(name))), made, name)
    ddl("duckdb", "--table", "made", "-o", scratch("made"), records=records)
    check_equal(harness.read(scratch("made")), made, "a name without an ending")


def test_ddl__refuses__what_makes_no_table():
    for words, records, why in ((["--ddl", "oracle"], ROWS, b"want one of postgres duckdb clickhouse"),
                                (["--ddl", "duckdb", "--key", "no"], ROWS, b"the table has no such column"),
                                (["--ddl", "duckdb", "-o", scratch("made.db")], ROWS, b"end its name in .sql"),
                                (["--ddl", "postgres", "-o", "postgresql://a@localhost/b"], ROWS, b"end its name in .sql"),
                                (["--ddl", "duckdb"], [{"a\0": 1}], b"no NUL")):
        refused = harness.run("normalise", *words, "-", stdin=json.dumps(records).encode())
        check(refused.code not in (0, None) and why in refused.err and not refused.out, words, refused)
    check(not os.path.exists(scratch("made.sql")) and not os.path.exists(scratch("made.db")), "a file of what was refused")


if __name__ == "__main__":
    harness.main(globals())
