"""`normalise --partition`: a dataset of parts, one a segment: only what has changed is made again, all parts have the same types,
and what DuckDB reads of them is what the one table has."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import threading

import harness
from harness import check, check_equal, scratch

READER = r"""
import { DuckDBInstance } from '@duckdb/node-api';
const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
const rows = async (sql) => (await duckdb.runAndReadAll(sql)).getRows().map((r) => r.map(String).join('|')).sort();
const [parts, whole] = process.argv.slice(2);
const read = `read_parquet('${parts}/**/*.parquet', union_by_name=true, hive_partitioning=true)`;
const columns = (await rows(`SELECT column_name FROM (DESCRIBE SELECT * FROM '${whole}') ORDER BY 1`)).map((c) => `"${c}"`);
const [a, b] = [await rows(`SELECT ${columns} FROM ${read}`), await rows(`SELECT ${columns} FROM '${whole}'`)];
const types = async (from) => rows(`SELECT column_name || ' ' || column_type FROM (DESCRIBE SELECT ${columns} FROM ${from})`);
const same = `${a}` === `${b}` && `${await types(read)}` === `${await types(`'${whole}'`)}`;
const files = await rows(`SELECT DISTINCT file_name || ' ' || name || ' ' || coalesce(type, '') FROM parquet_schema('${parts}/**/*.parquet')
  WHERE name <> 'schema'`);
console.log(JSON.stringify({ same, rows: a.length, want: b.length, a: a.slice(0, 5), b: b.slice(0, 5), files: files.length,
  levels: await rows(`SELECT DISTINCT * EXCLUDE (${columns}) FROM ${read}`) }));
"""


class Api(http.server.BaseHTTPRequestHandler):
    """An item of each id; some say other kinds of things."""

    protocol_version = "HTTP/1.1"
    answers = {}
    empty = set()
    asked = []

    def do_GET(self):
        number = int(self.path.strip("/"))
        self.asked.append(number)
        made = self.answers.get(number, {"id": number, "price": number, "name": f"item {number}"})
        body = json.dumps({"items": [] if number in self.empty else [made]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def job(base, last, name="things", table=None):
    path = scratch(f"{name}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": name, "base": base, "vars": {"n": [str(n) for n in range(1, last + 1)]},
                   "endpoints": [{"name": "items", "url": "/{n}", "records": "/items"}],
                   **({"tables": {"items": table}} if table else {})}, file)
    return path


def fetch(path, run_dir, *options):
    harness.succeed("run", "--plain", "-o", run_dir, *options, path)


def parts_of(place):
    found = {}
    for folder, _, names in os.walk(place):
        for name in names:
            if name.endswith(".parquet"):
                path = os.path.join(folder, name)
                found[os.path.relpath(path, place)] = (os.stat(path).st_ino, os.stat(path).st_mtime_ns)
    return found


def partition(out, *runs, code=0):
    return harness.succeed("normalise", "--partition", "-o", out, *runs, code=code)


def reader():
    """DuckDB, as tests/parquet_reads.sh installs it; None without."""
    place = os.path.join(os.path.dirname(harness.BINARY), "parquet_readers")
    if not shutil.which("node") or not os.path.exists(os.path.join(place, "installed")):
        return None
    path = os.path.join(place, "partition.mjs")
    with open(path, "w", encoding="ascii") as file:
        file.write(READER)
    return path


def compare(out, *runs):
    """The parts and the one table are the same rows of the same types."""
    script = reader()
    whole = scratch("whole.parquet")
    harness.succeed("normalise", "-o", whole, *runs)
    if not script:
        print("DuckDB is not installed (tests/parquet_reads.sh does it): the parts are read by nobody")
        return None
    said = json.loads(subprocess.run(["node", script, out, whole], check=True, capture_output=True, text=True, timeout=120).stdout)
    check(said["same"] and said["rows"] == said["want"], "the parts say otherwise:", said)
    return said


def test_partition__makes_what_has_changed__when_a_run_grows():
    base, run_dir, out = api(), scratch("things.run"), scratch("set")
    fetch(job(base, 5), run_dir)
    partition(out, run_dir)
    first = parts_of(out)
    check(first and all(p.startswith("endpoint=items/part-0") for p in first), "parts:", first)
    compare(out, run_dir)
    partition(out, run_dir)
    check_equal(parts_of(out), first, "parts of a run that is what it was")
    harness.succeed("compact", run_dir)  # what comes now goes to a new segment
    fetch(job(base, 6), run_dir)
    partition(out, run_dir)
    grown = parts_of(out)
    check(len(grown) > len(first) and grown.items() >= first.items(), "a new segment is a new part, and no other:", first, grown)
    compare(out, run_dir)
    Api.answers[7] = {"id": 7, "price": 7.5, "name": "seven", "extra": [1, 2]}
    fetch(job(base, 9), run_dir)
    partition(out, run_dir)
    check(parts_of(out) != first, "nothing was made of what came")
    compare(out, run_dir)
    Api.answers[11] = {"id": "eleven", "price": "none"}
    fetch(job(base, 12), run_dir)
    partition(out, run_dir)
    compare(out, run_dir)
    again = parts_of(out)
    partition(out, run_dir)
    check_equal(parts_of(out), again, "parts after the types have changed")
    schema = json.loads(harness.read(os.path.join(out, "_schema.json")))
    check_equal(schema["tables"]["items"]["columns"]["price"]["type"], "text", "type of price")
    Api.answers.clear()


def test_partition__has_a_level__when_runs_are_several_or_shards():
    base, out = api(), scratch("levels")
    runs = [scratch("monday.run"), scratch("tuesday.run")]
    for run_dir, last in zip(runs, (3, 4)):
        fetch(job(base, last, "days"), run_dir)
    partition(out, *runs)
    check_equal(sorted(parts_of(out)), [f"endpoint=items/run={d}.run/part-00000001.parquet" for d in ("monday", "tuesday")], "parts")
    compare(out, *runs)
    shards = [scratch(f"s{n}.run") for n in (1, 2)]
    for n, run_dir in enumerate(shards):
        fetch(job(base, 6, "cut"), run_dir, "--shard", f"{n + 1}/2")
    partition(scratch("cut"), *shards)
    check_equal(sorted(parts_of(scratch("cut"))), [f"endpoint=items/worker={n}of2/part-00000001.parquet" for n in (1, 2)], "parts")
    compare(scratch("cut"), *shards)


def test_partition__refuses__when_the_place_or_the_options_are_others():
    base, run_dir, out = api(), scratch("one.run"), scratch("refused")
    fetch(job(base, 3, "one"), run_dir)
    file = scratch("file")
    with open(file, "w", encoding="ascii") as made:
        made.write("mine")
    check("is a file" in partition(file, run_dir, code=2).err.decode(), "a file was taken for a place")
    check_equal(open(file, encoding="ascii").read(), "mine", "the file")
    os.mkdir(scratch("full"))
    with open(os.path.join(scratch("full"), "mine.txt"), "w", encoding="ascii") as made:
        made.write("mine")
    check("not empty" in partition(scratch("full"), run_dir, code=2).err.decode(), "a directory of others was taken")
    partition(out, run_dir)
    fetch(job(base, 3, "two"), scratch("two.run"))
    check("another job or run" in partition(out, scratch("two.run"), code=2).err.decode(), "another job's dataset was taken")
    said = harness.succeed("normalise", "--partition", "-o", out, "--meta", run_dir, code=2).err.decode()
    check("other options" in said, said)
    for wrong in (["--unique", "id"], ["--format", "csv"], ["--json"], ["--as-of", "2026-01-01"], ["-o", scratch("b.csv")]):
        said = harness.succeed("normalise", "--partition", "-o", out, *wrong, run_dir, code=2).err.decode()
        check("--partition wants" in said, said)
    fetch(job(base, 3, "last", {"unique": ["id"], "keep": "last"}), scratch("last.run"))
    check("keep" in partition(scratch("keep"), scratch("last.run"), code=2).err.decode(), "keep: last was taken")
    with open(os.path.join(out, "_schema.json"), "w", encoding="ascii") as made:
        made.write('{"scrapetop_dataset":1,"tables":{"x":{"parts":{"../../etc":1}}}}')
    check("is not what scrapetop wrote" in partition(out, run_dir, code=2).err.decode(), "a strange _schema.json was taken")


def test_partition__has_no_old_rows__when_a_segment_has_only_records_without_rows_left():
    base, run_dir, out = api(), scratch("emptied.run"), scratch("emptied")
    Api.empty = {1}  # the one record of the first segment that stays
    fetch(job(base, 2, "emptied"), run_dir, "--again")
    partition(out, run_dir)
    check_equal(sorted(parts_of(out)), ["endpoint=items/part-00000001.parquet"], "parts")
    harness.succeed("compact", run_dir)
    Api.answers[2] = {"id": 2, "price": 3, "name": "item 2, asked again"}
    fetch(job(base, 2, "emptied"), run_dir, "--again")
    partition(out, run_dir)
    compare(out, run_dir)
    Api.answers.clear()
    Api.empty = set()


def test_partition__goes_on__when_the_first_time_was_killed_in_the_middle():
    base, run_dir, out = api(), scratch("middle.run"), scratch("middle")
    fetch(job(base, 2, "middle"), run_dir)
    harness.succeed("compact", run_dir)
    fetch(job(base, 4, "middle"), run_dir)
    strace = shutil.which("strace")
    if not strace:
        print("strace is not installed: nothing is killed in the middle")
        return
    # At each rename of _schema.json: the last of them comes when both parts are there.
    for when in (1, 2, 3):
        subprocess.run([strace, "-f", "-o", "/dev/null", "-P", out, "-e", "trace=rename,renameat,renameat2", "-e",
                        f"inject=rename,renameat,renameat2:signal=KILL:when={when}", harness.BINARY, "normalise", "--partition",
                        "-o", out, run_dir], check=False, capture_output=True, timeout=60)
    partition(out, run_dir)
    compare(out, run_dir)


def test_partition__leaves_whole_parts__when_killed():
    base, run_dir, out = api(), scratch("kill.run"), scratch("killed")
    fetch(job(base, 40, "kill"), run_dir)
    for _ in range(3):
        child = harness.scrapetop("normalise", "--partition", "-o", out, run_dir)
        child.send_signal(signal.SIGKILL)
        child.wait()
    partition(out, run_dir)
    left = [n for _, _, names in os.walk(out) for n in names if n.endswith(".tmp")]
    check_equal(left, [], "temporary files")
    compare(out, run_dir)


if __name__ == "__main__":
    harness.main(globals())
