"""Rows into databases: SQLite beside `sqlite3 .import` and pandas.to_sql, PostgreSQL beside `\\copy` and pandas.to_sql,
in one run.

    sinks.py [--scale N]     1 makes a file of 1,000,000 rows; the default, a fifth of it

We read JSON Lines; the others are given a CSV that is ready, which is the easier half of the work. `--key id` makes a table with
a PRIMARY KEY, as `.import, keyed` does; without one, all columns that .import makes are text. `script` is psql
alone with what we made before, as \\copy is with its CSV. The database is made anew for each. pandas writes to PostgreSQL by
SQLAlchemy; where that is missing, it is left out.
"""

import argparse
import contextlib
import glob
import json
import os
import pwd
import random
import subprocess
import tempfile
import time

import measure
from measure import BINARY, Peer, PYTHON

ROUNDS = 3
COLUMNS = "id bigint, name text, price double precision, at timestamptz, tag text, ok boolean, note text"
PANDAS = """
import sqlite3, pandas
with sqlite3.connect("t.db") as db:
    pandas.read_csv(%r).to_sql("t", db, index=False, chunksize=50000)
"""
PANDAS_POSTGRES = """
import pandas, sqlalchemy
at = sqlalchemy.create_engine(%r)
pandas.read_csv(%r).to_sql("t", at, index=False, chunksize=50000)
"""
KEYED = "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, price REAL, at TIMESTAMP, tag TEXT, ok BOOLEAN, note TEXT)"
ABSENT = {"sqlite3 .import": "apt install sqlite3", ".import, keyed": "apt install sqlite3",
          "pandas.to_sql": "apt install python3-pandas"}


def make_rows(path, count):
    chance = random.Random(1)
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            file.write(json.dumps({
                "id": i, "name": f"item {i} {'x' * (i % 30)}", "price": round(chance.random() * 1000, 2),
                "at": f"2026-01-{1 + i % 28:02}T12:{i % 60:02}:{i % 59:02}Z", "tag": f"t{i % 100}", "ok": i % 2 == 0,
                "note": None if i % 3 else "some text here, with a comma"}) + "\n")


def tell(title, results, rows, basis):
    print(title)
    measure.table(["", "rows/s", "wall s", "CPU s", f"of {basis}"], [
        [name, f"{rows / m.wall_s:,.0f}", f"{m.wall_s:.2f}", f"{m.cpu_s:.2f}", f"{m.wall_s / results[basis].wall_s:.2f}"]
        for name, m in results.items()])


def sqlite(json_path, csv_path, rows):
    def stored(directory):
        said = subprocess.run(["sqlite3", os.path.join(directory, "t.db"), "SELECT count(*) FROM t"], capture_output=True, text=True,
                              check=True)
        return int(said.stdout)

    ours = [BINARY, "normalise", "-o", "t.db", "--table", "t"]
    version = measure.version_of(BINARY, "--version")
    peers = measure.installed([
        Peer("sqlite3 .import", measure.version_of("sqlite3", "--version"),
             lambda _: ["sqlite3", "t.db", ".mode csv", f".import {csv_path} t"], stored),
        Peer(".import, keyed", measure.version_of("sqlite3", "--version"),
             lambda _: ["sqlite3", "t.db", KEYED, ".mode csv", f".import --skip 1 {csv_path} t"], stored),
        Peer("scrapetop", version, lambda _: [*ours, json_path], stored),
        Peer("scrapetop --key id", version, lambda _: [*ours, "--key", "id", json_path], stored),
        Peer("pandas.to_sql", measure.module_version("pandas"), lambda _: [PYTHON, "-c", PANDAS % csv_path], stored),
    ], ABSENT)
    if any(peer.name == "sqlite3 .import" for peer in peers):
        tell("SQLite", measure.rounds(peers, ROUNDS, rows), rows, "sqlite3 .import")


@contextlib.contextmanager
def postgres(place, tools):
    """A server on a Unix socket; as another user where we are root, whom PostgreSQL refuses."""
    user = {}
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(place, nobody.pw_uid, nobody.pw_gid)
    data = os.path.join(place, "data")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", **user}
    subprocess.run([tools + "/initdb", "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C"], check=True, **quiet)
    server = subprocess.Popen([tools + "/postgres", "-D", data, "-k", place, "-h", ""], **quiet)
    psql = ["psql", "-X", "-q", "-At", "-h", place, "-U", "tester", "postgres"]
    try:
        while subprocess.run([*psql, "-c", "SELECT 1"], capture_output=True, check=False).returncode != 0:
            time.sleep(0.05)
        yield psql, f"postgresql://tester@/postgres?host={place}"
    finally:
        server.terminate()
        server.wait()


def pandas(peer, url, csv_path):
    found = subprocess.run([PYTHON, "-c", "import pandas, sqlalchemy, psycopg2"], capture_output=True, check=False)
    if found.returncode != 0:
        print("missing: pandas.to_sql into PostgreSQL (apt install python3-pandas python3-sqlalchemy python3-psycopg2)")
        return []
    return [peer("pandas.to_sql", [PYTHON, "-c", PANDAS_POSTGRES % (url, csv_path)])]


def into_postgres(json_path, csv_path, rows, place):
    tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not tools:
        print("missing: PostgreSQL (scripts/deps --test)")
        return
    scripts = {}
    for name, options in (("script", []), ("script --key id", ["--key", "id"])):
        scripts[name] = os.path.join(place, name.replace(" ", "_") + ".sql")
        subprocess.run([BINARY, "normalise", "-o", scripts[name], "--table", "t", *options, json_path], check=True, capture_output=True)
    with tempfile.TemporaryDirectory(prefix="scrapetop-pg-") as directory, postgres(directory, tools[-1]) as (psql, url):
        def peer(name, command, fresh=True):
            def begin(_):
                if fresh:
                    subprocess.run([*psql, "-c", "DROP TABLE IF EXISTS t", "-c", "CHECKPOINT"], check=True, capture_output=True)
                return command
            return Peer(name, "", begin, lambda _: int(subprocess.run([*psql, "-c", "SELECT count(*) FROM t"], capture_output=True,
                                                                      text=True, check=True).stdout))

        pipe = f"{BINARY} normalise --format postgres --table t -o - {json_path} | {' '.join(psql)}"
        tell("PostgreSQL", measure.rounds([
            peer("\\copy", [*psql, "-c", f"CREATE TABLE t ({COLUMNS})", "-c", f"\\copy t FROM '{csv_path}' CSV HEADER"]),
            peer("scrapetop", [BINARY, "normalise", "-o", url, "--table", "t", json_path]),
            peer("scrapetop --key id", [BINARY, "normalise", "-o", url, "--table", "t", "--key", "id", json_path]),
            peer("the same again", [BINARY, "normalise", "-o", url, "--table", "t", "--key", "id", json_path], fresh=False),
            *pandas(peer, url, csv_path),
            peer("script", [*psql, "-f", scripts["script"]]),
            peer("JSON | psql", ["sh", "-c", pipe]),
            peer("script --key id", [*psql, "-f", scripts["script --key id"]]),
            peer("that again", [*psql, "-f", scripts["script --key id"]], fresh=False),
        ], ROUNDS, rows), rows, "\\copy")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=0.2)
    rows = int(1_000_000 * parser.parse_args().scale)
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as place:
        json_path, csv_path = os.path.join(place, "rows.jsonl"), os.path.join(place, "rows.csv")
        make_rows(json_path, rows)
        subprocess.run([BINARY, "normalise", "-o", csv_path, json_path], check=True, capture_output=True)
        print(f"{rows:,} rows, {os.path.getsize(json_path) / 1e6:.0f} MB of JSON Lines, on {measure.file_system()}\n")
        sqlite(json_path, csv_path, rows)
        into_postgres(json_path, csv_path, rows, place)


if __name__ == "__main__":
    main()
