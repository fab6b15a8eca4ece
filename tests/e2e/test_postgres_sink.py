"""`-o postgresql://...`, into a PostgreSQL of its own: every value, keys and updates, tables of the user's, every way that a
server may refuse, be away or break off, and kills: the table is as it was, or whole.
"""

import contextlib
import csv
import io
import json
import os
import random
import shutil
import signal
import tempfile
import time

import harness
import postgres_server
from harness import check, check_equal, scratch

_kept = {}


def server():
    """One for all tests: each has a database of its own in it."""
    if "server" not in _kept:
        if b"no postgres" in harness.succeed("--version").out:
            raise harness.Skipped("built without libpq: scripts/deps")
        _kept["place"] = tempfile.mkdtemp(prefix="scrapetop-pg-")
        _kept["server"] = postgres_server.Postgres(os.path.join(_kept["place"], "pg"), access="scram-sha-256")
    return _kept["server"]


def stop_server():
    if "server" in _kept:
        _kept["server"].stop(signal.SIGQUIT)
    if "place" in _kept:
        shutil.rmtree(_kept["place"], ignore_errors=True)


class Database:
    def __init__(self, options=""):
        self.server = server()
        self.name = f"d{len(_kept)}"
        _kept[self.name] = True
        self.sql(f"CREATE DATABASE {self.name} {options}", "postgres")

    def sql(self, text, database=None):
        ended = self.server.run(text, database or self.name)
        check_equal(ended.returncode, 0, f"{text}: {ended.stderr.decode()}")
        return ended.stdout.decode()

    def rows(self, sql="SELECT * FROM items ORDER BY id"):
        return self.server.rows(sql, self.name)

    def url(self, **keywords):
        return self.server.url(self.name, **keywords)

    def types(self, table="items"):
        return {row["n"]: row["t"] for row in self.rows(
            f"SELECT column_name AS n, data_type AS t FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position")}

    def load(self, records, *options, code=0, url=None, **keywords):
        return harness.succeed("normalise", "-o", url or self.url(), *options, put(records), code=code, **keywords)

    def refuses(self, records, words, *options, code=2, **keywords):
        """The database is as it was, and the message says why."""
        before = self.content()
        ended = self.load(records, *options, code=code, **keywords)
        check(words in ended.err, words, ended)
        check_equal(self.content(), before, f"the database after {words}")

    def content(self):
        return self.sql("SELECT (SELECT count(*) FROM pg_class), query_to_xml(format('SELECT * FROM %I', relname), false, false, '') "
                        "FROM pg_class WHERE relname = 'items' AND relkind = 'r' UNION ALL SELECT count(*), NULL FROM pg_class")

    def tables(self):
        return [row["tablename"] for row in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]


def put(records, name="in.jsonl"):
    path = scratch(name)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records)
    return path


TEXTS = ["\\.", "\\N", "", "\t", "\r\n", "'; SELECT 1; --", '"', "\u00fc\U0001f600", " x ", "a" * 5000]


def test_values__come_back_as_they_are():
    db = Database()
    db.load([{"id": i, "s": s} for i, s in enumerate(TEXTS)])
    check_equal([row["s"] for row in db.rows()], TEXTS, "texts")
    ended = db.load([
        '{"big":9007199254740993,"real":1.5e-7,"yes":true,"at":"2026-01-31T23:59:59.5+01:00","here":"2026-01-31 23:59:59","day":"2026-01-31",'
        '"zip":"007","list":[1, {"a":"\\t"}],"nul":"a\\u0000b\\u0000","none":null,"old":"0001-01-01T00:00:00Z","o":{"k":1}}',
        '{"big":-9223372036854775808,"real":1234567890123456,"yes":false,"day":"1969-12-31"}'], "--table", "values")
    check(b"2 escapes of half a character became U+FFFD" in ended.err, ended)
    check_equal(db.types("values"), {
        "big": "bigint", "real": "double precision", "yes": "boolean", "at": "timestamp with time zone",
        "here": "timestamp without time zone", "day": "date", "zip": "text", "list": "text", "nul": "text", "none": "text",
        "old": "timestamp with time zone", "o.k": "bigint"}, "types")
    check_equal(db.rows("SELECT big::text, real, yes, at AT TIME ZONE 'UTC' AS at, here, day, zip, list, nul, none, "
                        "(old AT TIME ZONE 'UTC')::text AS old, \"o.k\" FROM \"values\""), [
        {"big": "9007199254740993", "real": 1.5e-07, "yes": True, "at": "2026-01-31T22:59:59.5", "here": "2026-01-31T23:59:59", "day": "2026-01-31",
         "zip": "007", "list": '[1,{"a":"\\t"}]', "nul": "a\ufffdb\ufffd", "none": None, "old": "0001-01-01 00:00:00", "o.k": 1},
        {"big": "-9223372036854775808", "real": 1234567890123456, "yes": False, "at": None, "here": None, "day": "1969-12-31",
         "zip": None, "list": None, "nul": None, "none": None, "old": None, "o.k": None}], "values")


def test_key__writes_rows_that_are_new_or_differ__and_no_others():
    db = Database()
    first = [{"id": i, "v": f"v{i}", "n": i / 2} for i in range(300)]
    db.load([*first, {"id": 7, "v": "last", "n": 0.5}], "--key", "id")
    check_equal(db.rows("SELECT v FROM items WHERE id = 7"), [{"v": "last"}], "of doubles the last, in a new table")
    db.load(first, "--key", "id")
    before = {row["id"]: row["x"] for row in db.rows("SELECT id, xmin::text AS x FROM items")}
    first[8]["v"], first[9]["v"] = "new", None
    db.load([*first, {"id": 8, "v": "newer", "n": 4.0}, {"id": 300, "v": "more", "n": 7, "extra": 1}], "--key", "id")
    after = {row["id"]: row["x"] for row in db.rows("SELECT id, xmin::text AS x FROM items")}
    check_equal(sorted(i for i in after if after[i] != before.get(i)), [8, 9, 300], "rows that were written")
    check_equal(db.rows("SELECT id, v, extra FROM items WHERE id IN (8, 9, 300) ORDER BY id"), [
        {"id": 8, "v": "newer", "extra": None}, {"id": 9, "v": None, "extra": None}, {"id": 300, "v": "more", "extra": 1}], "values")
    check_equal(db.sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'items'::regclass"), "PRIMARY KEY (id)\n", "the key")
    db.load([{"id": 1, "v": "a"}, {"id": 1, "v": "b"}], "--key", "v,id", "--table", "pairs")
    db.load([{"id": 1, "v": "b"}, {"id": 2, "v": "b"}], "--key", "id,v", "--table", "pairs")
    check_equal(len(db.rows("TABLE pairs")), 3, "a table that is all key")


def test_without_a_key__rows_are_replaced__and_the_table_is_the_user_s():
    db = Database()
    db.sql("CREATE TABLE items (id int, v varchar(3), more text DEFAULT 'd'); CREATE VIEW seen AS TABLE items; INSERT INTO items VALUES (9, 'x', 'y')")
    db.load([{"id": 1, "v": "abc"}, {"id": 2}])
    check_equal(db.rows("TABLE seen"), [{"id": 1, "v": "abc", "more": "d"}, {"id": 2, "v": None, "more": "d"}], "rows")
    db.refuses([{"id": 1, "v": "abcd"}], b"a value does not fit the table's column: value too long for type character varying(3)")
    db.refuses([{"id": 3000000000}], b"a value does not fit the table's column")


def test_column__becomes_wide_enough__and_types_of_the_user_s_get_casts():
    db = Database()
    db.load([{"id": 1, "n": 1, "d": 1.5, "t": 5, "b": True}], "--key", "id")
    db.load([{"id": 2, "n": 0.1, "d": 3, "t": "x", "b": None}], "--key", "id")
    check_equal(db.types(), {"id": "bigint", "n": "numeric", "d": "double precision", "t": "text", "b": "boolean"}, "types")
    db.load(['{"id":3,"d":9007199254740993,"n":12345678901234567}'], "--key", "id")
    check_equal(db.types()["d"], "numeric", "a double that cannot hold what comes")
    check_equal(db.sql("SELECT id, n, d, t, b FROM items ORDER BY id"),
                "1|1|1.5|5|t\n2|0.1|3|x|\n3|12345678901234567|9007199254740993||\n", "values")
    db.load([{"id": "x", "t": "key of texts"}], "--key", "id")
    check_equal(db.types()["id"], "text", "a key that changes its type")
    check_equal(len(db.rows()), 4, "rows")
    db.sql("CREATE TABLE own (id uuid PRIMARY KEY, price numeric(10,2), doc json, tags jsonb, at timestamptz, n smallint)")
    record = {"id": "00000000-0000-0000-0000-000000000001", "price": 1.25, "doc": [1, 2], "tags": ["a"], "at": "2026-01-01T00:00:00Z", "n": 3}
    for _ in range(2):
        db.load([record], "--key", "id", "--table", "own")
        check_equal(db.rows("SELECT id, price, doc::text, tags, n, xmin = pg_current_xact_id()::xid AS x FROM own"), [
            {"id": record["id"], "price": 1.25, "doc": "[1,2]", "tags": ["a"], "n": 3, "x": False}], "values")


def test_bad_input__is_refused_with_its_reason__and_changes_nothing():
    db = Database()
    db.sql("CREATE TABLE items (id bigint PRIMARY KEY, v text UNIQUE, twice bigint GENERATED ALWAYS AS (id * 2) STORED); "
           "INSERT INTO items VALUES (1, 'a'); CREATE VIEW seen AS TABLE items; CREATE TABLE doubled AS SELECT 1 AS id FROM generate_series(1, 2)")
    key = ("--key", "id")
    db.refuses([{"id": 2, "v": "a"}], b'a row breaks a rule of the table: duplicate key value violates unique constraint "items_v_key"', *key)
    db.refuses([{"id": 2, "twice": 4}], b"column twice of table items is generated", *key)
    db.refuses([{"id": 2}], b"seen is no table", *key, "--table", "seen")
    db.refuses([{"id": 2}], b"--key: the rows of table doubled cannot be told apart by it", *key, "--table", "doubled")
    db.refuses([{"v": "b"}], b"--key id: the table has no such column", *key, code=3)
    db.refuses([{"id": 2}, {"v": "b"}], b"--key id: a row has no value there", *key)
    db.refuses([{"id": 2, "n" * 64: 1}], b"PostgreSQL's names have 1 to 63 bytes", *key)
    db.refuses([{"id": 2, "a\0b": 1}], b"PostgreSQL's names have 1 to 63 bytes and no NUL", *key)
    db.refuses([{"id": 2, "ctid": 1}], b"the table that is there does not fit", *key)
    db.refuses([{f"c{i}": i for i in range(1601)}], b"1601 columns; PostgreSQL's tables have 1600 at most")
    db.load([{"id": 1, "Id": 2, 'q"': 3, "select": 4}], *key, "--table", "Names; DROP")
    check_equal(db.rows('TABLE "Names; DROP"'), [{"id": 1, "Id": 2, 'q"': 3, "select": 4}], "names")


def test_server__that_refuses__is_told_of_at_once():
    db = Database()
    db.sql("CREATE ROLE u" + db.name + " LOGIN PASSWORD 'p@ss/w:rd%'; CREATE TABLE items (id bigint); REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    user, rows = "u" + db.name, [{"id": 1}]
    db.refuses(rows, b"the server wants a password", url=db.url(user=user), code=8)
    db.refuses(rows, b"the server lets nobody in by this name and password", url=db.url(user=user + ":wrong"), code=8)
    db.refuses(rows, b"the user has no right to do this", url=db.url(user=user + ":p%40ss%2Fw%3Ard%25"), code=8)
    db.refuses(rows, b"the user has no right to do this", url=db.url(user=user, more="&password=p%40ss/w:rd%25"), code=8)
    db.refuses(rows, b"no right to do this", url=db.url(user=user), code=8, env=harness.environment(PGPASSWORD="p@ss/w:rd%"))
    passwords = scratch("pgpass")
    with open(passwords, "w", encoding="ascii") as file:
        file.write(f"*:*:*:{user}:p@ss/w\\:rd%\n")
    os.chmod(passwords, 0o600)
    db.refuses(rows, b"no right to do this", url=db.url(user=user), code=8, env=harness.environment(PGPASSFILE=passwords))
    ended = harness.succeed("normalise", "-o", f"postgres://{user}:p@ss/w:rd%@/x?host={db.server.place}", put(rows), code=2)
    check(b"write @ as %40" in ended.err and b"ss/w" not in ended.err, ended)
    db.refuses(rows, b"there is no such database", url=db.server.url("nowhere"), code=8)
    db.refuses(rows, b'invalid sslmode value: "maybe"', url=db.url(more="&sslmode=maybe"))
    db.refuses(rows, b'invalid URI query parameter: "colour"', url=db.url(more="&colour=red"))
    db.refuses(rows, b"the URL says postgresql, not csv", "--format", "csv")
    db.sql(f"ALTER DATABASE {db.name} SET default_transaction_read_only = on")
    db.refuses(rows, b"the server takes no writes", code=8)
    shut = Database()
    shut.sql("DROP SCHEMA public CASCADE")
    ended = shut.load(rows, code=8)
    check(b"no schema of the search_path is there" in ended.err, ended)


def test_disk_that_is_full_and_table_that_is_locked__pass_and_are_told_of():
    db = Database()
    db.load([{"id": 1, "v": "a"}], "--key", "id")
    db.sql("CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
           "$$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$; "
           "CREATE TRIGGER full_disk BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION full_disk()")
    db.refuses([{"id": 2, "v": "b"}], b"no space is left on the server; the table is as it was", "--key", "id", code=8)
    db.sql("DROP TRIGGER full_disk ON items")
    locker = harness.start(["psql", "-X", "-h", db.server.place, "-U", "tester", db.name], stdin=-1, stdout=-1)
    locker.stdin.write(b"BEGIN; LOCK TABLE items; SELECT 'locked';\n")
    locker.stdin.flush()
    while b"locked" not in locker.stdout.readline():
        pass
    ended = db.load([{"id": 2, "v": "b"}], "--key", "id", code=8, url=db.url(more="&options=-clock_timeout%3D50"))
    check(b"another program has locked the table" in ended.err, ended)
    locker.stdin.close()
    locker.wait()
    db.load([{"id": 2, "v": "b"}], "--key", "id")
    check_equal(len(db.rows()), 2, "rows")


def test_encoding__that_lacks_a_character__refuses__and_others_convert():
    latin = Database("ENCODING 'LATIN1' TEMPLATE template0")
    latin.load([{"id": 1, "v": "\u00fc"}], "--key", "id")
    check_equal(latin.rows(), [{"id": 1, "v": "\u00fc"}], "rows")
    latin.refuses([{"id": 2, "v": "\U0001f600"}], b"the database's encoding has no such character", "--key", "id")
    ascii_only = Database("ENCODING 'SQL_ASCII' TEMPLATE template0")
    ascii_only.load([{"id": 1, "v": "\U0001f600"}])
    check_equal(ascii_only.sql("SELECT v::bytea FROM items"), "\\xf09f9880\n", "SQL_ASCII keeps the bytes of UTF-8")


def test_table_of_a_run__is_that_of_its_csv__and_each_endpoint_has_its_own():
    db = Database()
    run_dir, csv_path = scratch("r.run"), scratch("posts.csv")
    with harness.api() as api:
        job = {"base": api.url, "endpoints": [{"name": "posts", "url": "/posts/{id}"}, {"name": "comments", "url": "/posts/{few}"}], "vars": {"id": "[1-60]", "few": "[1-5]"},
               "tables": {"posts": {"unique": ["id"]}}}
        path = put([json.dumps(job)], "job.json")
        harness.succeed("run", "--plain", path, "-o", run_dir, "--to", db.url())
        check_equal(db.tables(), ["comments", "posts"], "tables")
        harness.succeed("normalise", "--endpoint", "posts", "-o", csv_path, run_dir)
        with open(csv_path, encoding="utf-8", newline="") as file:
            want = list(csv.reader(file))
        got = list(csv.reader(io.StringIO(db.sql("COPY (SELECT * FROM posts ORDER BY id) TO STDOUT CSV HEADER"))))
        check_equal(got[0], want[0], "columns")
        check_equal(len(got), 61, "rows")
        types = list(db.types("posts").values())
        for one, other in zip(got[1:], want[1:], strict=True):
            for text, expected, kind in zip(one, other, types, strict=True):
                if kind == "boolean":
                    expected = expected[:1]
                if not kind.startswith("timestamp"):
                    check_equal(text, expected, f"a cell, {kind}")
        check_equal(db.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND conrelid = 'posts'::regclass"), "1\n", "the job's unique is the key")
        harness.succeed("run", "--plain", path, "-o", run_dir, "--to", db.url())
        check_equal(db.sql("SELECT count(*) FROM posts"), "60\n", "rows after the same again")


def test_table__that_is_not_as_expected__goes_aside():
    db = Database()
    db.load([{"id": 1}], "--key", "id")
    ended = db.load([{"id": 2}], "--key", "id", "--expect", "rows >= 5", code=6)
    check(b"E-EXP1" in ended.err, ended)
    check_equal((db.rows(), db.rows("TABLE items_rejected")), ([{"id": 1}], [{"id": 2}]), "tables")


KILLED_ROWS = 10000


def many(version):
    return put([{"id": i, "v": f"{version} of {i}", "n": i * 1.5} for i in range(KILLED_ROWS)], f"{version}.jsonl")


def test_kill__at_any_moment__leaves_the_old_table_or_the_new():
    db = Database()
    chance = random.Random(11)
    paths = {version: many(version) for version in ("old", "new")}
    harness.succeed("normalise", "-o", db.url(), "--key", "id", paths["old"])
    began = time.monotonic()
    harness.succeed("normalise", "-o", db.url(), "--key", "id", paths["new"])
    takes = time.monotonic() - began
    there = "new"
    for options in (("--key", "id"),) * 4 + ((),) * 2:
        other = "old" if there == "new" else "new"
        child = harness.scrapetop("normalise", "-o", db.url(), *options, paths[other], stderr=-1)
        with contextlib.suppress(Exception):
            child.wait(chance.random() * takes)
        child.kill()
        harness.finish(child)
        harness.wait_for(lambda: db.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'scrapetop'") == "0\n",
                         "the server that knows of the kill")
        found = db.rows("SELECT split_part(v, ' ', 1) AS version, count(*) AS n FROM items GROUP BY 1")
        check(len(found) == 1 and found[0]["n"] == KILLED_ROWS, found)
        there = found[0]["version"]


ROWS = 200000


def stop_amid_rows(db, path, *options):
    """A child that is stopped while it copies rows; None: it was too fast."""
    child = harness.scrapetop("normalise", "-o", db.url(), *options, path, stderr=-1)
    while child.poll() is None:
        if "COPY" in db.sql("SELECT query FROM pg_stat_activity WHERE application_name = 'scrapetop' AND state = 'active'"):
            child.send_signal(signal.SIGSTOP)
            return child
    harness.finish(child)
    return None


def end_backends(db):
    db.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'scrapetop'")


def test_connection__that_breaks_amid_the_rows__has_them_sent_again():
    db = Database()
    db.load([{"id": 1, "v": "a"}], "--key", "id")
    path = put(({"id": i, "v": "x" * 100} for i in range(ROWS)), "rows.jsonl")
    child = harness.wait_for(lambda: stop_amid_rows(db, path), "a table amid its rows")
    end_backends(db)
    check(int(db.sql("SELECT count(*) FROM items")) in (1, ROWS), "half a table")
    child.send_signal(signal.SIGCONT)
    ended = harness.finish(child)
    check(ended.code == 0 and b"E-DB4" in ended.err and b"all rows are sent again in 0.5 s (2 of 4)" in ended.err, ended)
    check_equal(db.sql("SELECT count(*), min(id), max(id) FROM items"), f"{ROWS}|0|{ROWS - 1}\n", "the table")


def test_connection__that_breaks_each_time__leaves_the_table_as_it_was():
    db = Database()
    db.load([{"id": 1, "v": "a"}])
    # Whoever is let in breaks off when the rows have come.
    db.sql("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); "
           "RETURN NEW; END $$; CREATE TRIGGER die BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION die()")
    ended = db.load([{"id": 2, "v": "b"}], "--key", "id", code=8)
    check_equal(ended.err.count(b"all rows are sent again"), 3, ended)
    check(b"2 of 4" in ended.err and b"4 of 4" in ended.err and b"E-DB4" in ended.err.splitlines()[-1], ended)
    check_equal(db.rows(), [{"id": 1, "v": "a"}], "the table")
    # What comes by standard input is there only once.
    with open(put([{"id": 2, "v": "b"}]), "rb") as file:
        ended = harness.finish(harness.scrapetop("normalise", "-o", db.url(), "--key", "id", "-", stdin=file, stderr=-1))
    check(ended.code == 8 and b"sent again" not in ended.err and b"E-DB4" in ended.err, ended)
    check_equal(db.rows(), [{"id": 1, "v": "a"}], "the table")


def test_server_that_is_away__pauses_the_table__and_gets_it_when_it_is_back():
    server()
    own = postgres_server.Postgres(scratch("own"))
    own.stop()

    def start(api, name, *options, user="tester"):
        return harness.scrapetop("run", "--plain", "-o", scratch(name), "--to", own.url(user=user), *options, f"{api.url}/posts/[1-30]", stderr=-1)

    with harness.api() as api, harness.api() as polled_api:  # all three wait at the same time
        child = start(api, "away.run", user="tester:geheim77")
        drained = start(api, "drained.run")
        polled = harness.scrapetop("run", "--plain", "-o", scratch("polled.run"), "--every", "200ms", "--to", own.url(),
                                   f"{polled_api.url}/posts/1", stderr=-1)
        try:
            for name in ("away.run", "drained.run", "polled.run"):
                harness.wait_for(lambda run=scratch(name): b"table waits, again in" in events(run), f"a table that waits: {name}")
            with open(f"/proc/{child.pid}/cmdline", "rb") as file:
                check(b"geheim77" not in file.read(), "a password that ps shows")
            check_equal(len(harness.bodies(scratch("away.run"))), 30, "answers that came all the same")
            drained.send_signal(signal.SIGTERM)
            ended = harness.finish(drained)
            check(ended.code in (8, 143) and b"the server is away" in ended.err, ended)  # 143: not within 5 s
            harness.wait_for(lambda: polled_api.count() > 10, "rounds that go on without the table")
            polled.send_signal(signal.SIGTERM)
            ended = harness.finish(polled)
            check(ended.code in (7, 8, 143) and b"table failed" in ended.err, ended)  # 7: amid a round
            own.start()
            ended = harness.finish(child)
            check_equal(ended.code, 0, ended)
            check(b"the server is away" in ended.err, ended)
            name = own.rows("SELECT relname AS n FROM pg_stat_user_tables")[0]["n"]
            check_equal(own.rows(f'SELECT count(*) AS n FROM "{name}"'), [{"n": 30}], "rows")
            check(b"geheim77" not in ended.err + ended.out + repr(harness.everything_in(scratch("away.run"))).encode(), "a password that is kept")
        finally:
            own.stop(signal.SIGQUIT)


def test_server_that_is_frozen__amid_a_merge__is_away():
    db = Database()
    db.load([{"id": 1, "v": "a"}], "--key", "id")
    db.sql("CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$; "
           "CREATE TRIGGER rest BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION rest()")
    child = harness.scrapetop("normalise", "-o", db.url(more="&connect_timeout=1"), "--key", "id", put([{"id": 2, "v": "b"}]), stderr=-1)
    harness.wait_for(lambda: "INSERT" in db.sql("SELECT query FROM pg_stat_activity WHERE application_name = 'scrapetop' AND state = 'active'"),
                     "a merge")
    db.server.signal(signal.SIGSTOP)
    try:
        ended = harness.finish(child)
    finally:
        db.server.signal(signal.SIGCONT)
    check(ended.code == 8 and b"the server is away: it does not answer" in ended.err, ended)
    db.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'scrapetop'")
    check_equal(db.rows(), [{"id": 1, "v": "a"}], "the table")


def test_statement_timeout__of_the_url__holds_for_a_process_that_is_frozen_too():
    db = Database()
    db.load([{"id": 1, "v": "a"}], "--key", "id")
    db.sql("CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$; "
           "CREATE TRIGGER rest BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION rest()")
    ended = db.load([{"id": 2, "v": "b"}], "--key", "id", url=db.url(more="&options=-cstatement_timeout%3D1s"), code=8)
    check(b"the server broke it off" in ended.err and b"statement timeout" in ended.err and b"sent again" not in ended.err, ended)
    url = db.url(more="&options=-cstatement_timeout%3D6s")
    child = harness.scrapetop("normalise", "-o", url, "--key", "id", put([{"id": 2, "v": "b"}]), stderr=-1)

    def merging():
        return db.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'scrapetop' AND state = 'active' AND query LIKE '%INSERT%'")

    pid = int(harness.wait_for(merging, "a merge"))
    os.kill(pid, signal.SIGSTOP)  # this one alone: the server answers all others
    try:
        ended = harness.finish(child)
    finally:
        os.kill(pid, signal.SIGCONT)
    check(ended.code == 8 and b"the server's process for us hangs" in ended.err, ended)
    harness.wait_for(lambda: not merging(), "a process that ends")
    check_equal(db.rows(), [{"id": 1, "v": "a"}], "the table")


def test_run_that_polls__updates_the_table_after_each_round():
    db = Database()
    run_dir = scratch("polled.run")
    with harness.api() as api:
        child = harness.scrapetop("run", "--plain", "-o", run_dir, "--every", "300ms", "--to", db.url(), f"{api.url}/posts/[1-3]", stderr=-1)
        harness.wait_for(lambda: events(run_dir).count(b"table: 3 rows") >= 2 or child.poll() is not None, "the tables of two rounds")
        check(child.poll() is None, "the run has ended")
        child.send_signal(signal.SIGTERM)
        ended = harness.finish(child)
    check(b"table failed" not in ended.err, ended)
    check_equal(db.sql(f'SELECT count(*) FROM "{db.tables()[0]}"'), "3\n", "rows, of answers that do not change")


def events(run_dir):
    path = os.path.join(run_dir, "events.jsonl")
    return harness.read(path) if os.path.exists(path) else b""


if __name__ == "__main__":
    import atexit
    atexit.register(stop_server)
    harness.main(globals())
