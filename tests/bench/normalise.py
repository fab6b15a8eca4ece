"""JSON to tables, of the shapes in shapes.py, beside other tools on the same files in the same run.

    normalise.py [--scale N]     1 makes files of 270 to 540 MB; the default, a tenth of it

With so little DuckDB has hardly begun and does not keep both cores busy: beside it, only --scale 1 is fair.

DuckDB is given the schema by hand, jq the columns; Miller and pandas find them, as we do. Those three are slow, so
they read only the first lines of a file, and once; tables of thousands of columns they do not read.
"""

import argparse
import collections
import os
import shutil
import statistics
import subprocess
import tempfile

import measure
import shapes
from measure import BINARY, HERE, Peer, PYTHON

ROUNDS = 3
SAMPLE_BYTES = 16_000_000
ABSENT = {"jq": "apt install jq", "miller": "apt install miller", "pandas": "apt install python3-pandas",
          "duckdb": "wants node and npm, which installs @duckdb/node-api"}

OURS = {"auctions": ["--explode", "/body/items"], "trains": ["--records", "/*", "--explode", "/times"],
        "posts": [], "wide": [], "sparse": []}

JQ = {
    "auctions": """.url as $u | .status as $s | .body.auction as $a | .body.items[] | [.id, .auction_id, .lot,
.title, .description, .current_bid.amount, .current_bid.currency, .minimum_bid.amount, .minimum_bid.currency,
.bid_count, .start_time, .end_time, .lat, .lng, .taxable, .buyer_premium, (.images | tojson), .category.id,
.category.name, .category.path.root, .winner.id, .winner.alias, .pickup.window, .pickup.fee, $u, $s, $a.id,
$a.title, $a.city, $a.starts, $a.address.lat, $a.address.lng, $a.address.postal] | @csv""",
    "trains": """to_entries[] | .key as $k | .value as $v | $v.times[] | [.station, .code, .estimated,
.scheduled, .eta, .arrival.estimated, .arrival.scheduled, .departure.estimated, .departure.scheduled, .diff,
.diffMin, $k, $v.lat, $v.lng, $v.speed, $v.direction, $v.poll, $v.departed, $v.arrived, $v.from, $v.to,
$v.instance] | @csv""",
    "posts": "[.userId, .id, .title, .body, .score] | @csv",
}

MILLER = {
    "auctions": """map m = {"url": $url, "status": $status, "auction": $body["auction"]};
for (it in $body["items"]) { emit1 mapsum(it, m) }""",
    "trains": """for (k, v in $*) { map m = mapexcept(v, "times"); m["_key"] = k;
for (t in v["times"]) { emit1 mapsum(t, m) } }""",
    "posts": "emit1 $*",
}

PANDAS = """
import json, sys, pandas
shape, path = sys.argv[1:]
AUCTION = [["body", "auction", key] for key in ("id", "title", "city", "starts")]
def frame(record):
    if shape == "auctions":
        return pandas.json_normalize(record, record_path=["body", "items"], meta=["url", "status"] + AUCTION)
    return pandas.json_normalize([dict(value, _key=key) for key, value in record.items()], record_path="times",
                                 meta=["_key", "lat", "lng", "speed", "from", "to"], meta_prefix="train.",
                                 errors="ignore")
with open(path) as file:
    records = [json.loads(line) for line in file]
table = pandas.json_normalize(records) if shape == "posts" else pandas.concat(map(frame, records))
table.to_csv("out.csv", index=False)
"""

File = collections.namedtuple("File", "shape path bytes rows")


def duckdb_script():
    """A copy of duckdb.mjs beside the package it needs, which is installed once; None without."""
    place = os.path.join(HERE, "..", "..", "build", "bench_peers")
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    os.makedirs(place, exist_ok=True)
    if not os.path.exists(os.path.join(place, "node_modules", "@duckdb")):
        with open(os.path.join(place, "package.json"), "w", encoding="ascii") as file:
            file.write('{ "private": true }')
        said = subprocess.run(["npm", "install", "--prefix", place, "--no-audit", "--no-fund", "--loglevel", "error",
                               "@duckdb/node-api"], timeout=300, check=False)
        if said.returncode != 0:
            return None
    shutil.copy(os.path.join(HERE, "duckdb.mjs"), place)
    return os.path.join(place, "duckdb.mjs")


def table_rows(directory):
    """Rows of the CSV, whose cells may hold line breaks; a Parquet file's are believed."""
    csv = os.path.join(directory, "out.csv")
    if not os.path.exists(csv):
        return os.path.exists(os.path.join(directory, "out.parquet")) and -1
    with open(csv, "rb") as file:
        inside, count = False, 0
        for line in file:
            inside ^= line.count(b'"') % 2 == 1
            count += not inside
    return count


def ours(form, file, *prefix):
    return lambda _: [*prefix, BINARY, "normalise", *OURS[file.shape], "-o", f"out.{form}", file.path]


def ours_and_duckdb(file, duckdb):
    """[(output, peer)]"""
    version = measure.version_of(BINARY, "--version")
    peers = [("csv", Peer("scrapetop", version, ours("csv", file), table_rows)),
             ("csv", Peer("scrapetop, one core", version, ours("csv", file, "taskset", "-c", "0"), table_rows)),
             ("parquet", Peer("scrapetop", version, ours("parquet", file), table_rows))]
    if duckdb:
        for form in ("csv", "parquet"):
            peers.append((form, Peer("duckdb", "npm", lambda _, form=form: [
                "node", duckdb, file.shape, form, file.path, f"out.{form}"], table_rows)))
    return peers


def slow_peers(sample):
    shape, path = sample.shape, sample.path
    if shape not in JQ:
        return []
    miller = ["/bin/sh", "-c", 'exec mlr --ijsonl --ocsv put -q "$0" then flatten then unsparsify "$1" >out.csv',
              MILLER[shape], path]
    return [("csv", peer) for peer in (
        Peer("jq", measure.version_of("jq", "--version"), lambda _: [
            "/bin/sh", "-c", 'echo header >out.csv; exec jq -r "$0" "$1" >>out.csv', JQ[shape], path], table_rows),
        Peer("miller", measure.version_of("mlr", "--version"), lambda _: miller, table_rows),
        Peer("pandas", measure.module_version("pandas"), lambda _: [PYTHON, "-c", PANDAS, shape, path],
             table_rows)) if peer.version]


def tell_missing(duckdb):
    names = {"jq": measure.version_of("jq", "--version"), "miller": measure.version_of("mlr", "--version"),
             "pandas": measure.module_version("pandas"), "duckdb": duckdb}
    for name, there in names.items():
        if not there:
            print(f"missing: {name} ({ABSENT[name]})")


def sample_of(file, directory):
    """The first lines of the file, and how many rows they give."""
    path = os.path.join(directory, f"{file.shape}.sample.jsonl")
    with open(file.path, "rb") as whole, open(path, "wb") as part:
        for line in whole:
            part.write(line)
            if part.tell() >= SAMPLE_BYTES:
                break
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as place:
        sample = File(file.shape, path, os.path.getsize(path), 0)
        measure.measure(ours("csv", sample)(place), place)
        return sample._replace(rows=table_rows(place) - 1)


def run_peers(file, peers, rounds):
    """(output, name) -> medians"""
    results = collections.defaultdict(list)
    for _ in range(rounds):
        for form, peer in peers:
            with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
                results[form, peer.name].append(measure.measure(peer.command(directory), directory))
                stored = peer.stored(directory)
                if stored not in (file.rows + 1, -1):
                    raise SystemExit(f"{peer.name} made {stored} lines of {file.shape}, not {file.rows + 1}")
    return {key: measure.Measured(*map(statistics.median, zip(*them))) for key, them in results.items()}


def rows_of(file, results, ours_mb_s):
    for (form, name), result in results.items():
        speed = file.bytes / 1e6 / result.wall_s
        yield (file.shape, form, name, f"{speed:.0f}", f"{result.cpu_s * 1e9 / file.bytes:.1f}",
               f"{result.rss_mib:.0f}", f"{ours_mb_s[form] / speed:.1f}x")


def measure_shape(file, duckdb, directory):
    fast = run_peers(file, ours_and_duckdb(file, duckdb), ROUNDS)
    mb_s = {form: file.bytes / 1e6 / fast[form, "scrapetop"].wall_s for form in ("csv", "parquet")}
    sample = sample_of(file, directory)
    slow = run_peers(sample, slow_peers(sample), 1)
    print(f"{file.shape}: {file.bytes / 1e6:.0f} MB, {file.rows} rows; Parquet at "
          f"{mb_s['parquet'] / mb_s['csv']:.2f} of our CSV's speed "
          f"({fast['csv', 'scrapetop'].cpu_s / fast['parquet', 'scrapetop'].cpu_s:.2f} by CPU), two cores at "
          f"{fast['csv', 'scrapetop, one core'].wall_s / fast['csv', 'scrapetop'].wall_s:.2f} of one's")
    return [*rows_of(file, fast, mb_s), *rows_of(sample, slow, mb_s)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=0.1)
    scale = parser.parse_args().scale
    duckdb = duckdb_script()
    tell_missing(duckdb)
    print(f"JSON to tables, median of {ROUNDS} interleaved rounds, output written to {measure.file_system()}")
    lines = []
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
        for shape in shapes.FULL:
            path = os.path.join(directory, f"{shape}.jsonl")
            file = File(shape, path, *shapes.write(shape, path, scale))
            lines += measure_shape(file, duckdb, directory)
            os.remove(path)
    measure.table(("shape", "to", "program", "MB/s", "CPU ms/MB", "peak RSS MiB", "scrapetop is faster by"), lines)


if __name__ == "__main__":
    main()
