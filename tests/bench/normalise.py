"""JSON Lines to CSV: megabytes of JSON a second, CPU and memory, beside other tools on the same file.

The records are nested, have ids above 2^53 and a column now and then that the others lack. Who can find
the columns does so; jq is told them.
"""

import json
import os
import random
import tempfile

import measure
from measure import BINARY, Peer, PYTHON

RECORDS = 60_000
ROUNDS = 3
ABSENT = {"jq": "apt install jq", "miller": "apt install miller", "pandas": "apt install python3-pandas",
          "duckdb": "not in Debian 12; looked for as duckdb"}

JQ = """[.id, .lot, .title, .description, .price.amount, .price.currency, .seller.name,
.seller.address.city, .seller.address.zip, .bids, (.tags | tojson), .closes, .reserve] | @csv"""

PANDAS = """
import json, sys, pandas
with open(sys.argv[1]) as file:
    records = [json.loads(line) for line in file]
pandas.json_normalize(records).to_csv("out.csv", index=False)
"""


def record(chance, number):
    made = {
        "id": (1 << 53) + number,
        "lot": f"{number:06}",
        "title": f"Größe {number} “quoted”, and a comma",
        "description": "lorem ipsum dolor sit amet " * chance.randrange(4, 24),
        "price": {"amount": f"{chance.randrange(100, 99999) / 100:.2f}", "currency": "CAD"},
        "seller": {"name": f"seller {number % 97}",
                   "address": {"city": "Toronto", "zip": f"M{number % 10}B 1A{number % 7}"}},
        "bids": chance.randrange(40),
        "tags": ["estate", "auction", f"tag{number % 13}"],
        "closes": f"2026-11-{1 + number % 28:02}T18:30:00Z",
    }
    if number % 50 == 0:
        made["reserve"] = number / 8
    return made


def write_records(path):
    chance = random.Random(1)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(RECORDS):
            json.dump(record(chance, number), file, ensure_ascii=False)
            file.write("\n")
    return os.path.getsize(path)


def rows(directory):
    return measure.lines_in(os.path.join(directory, "out.csv"))


def shell(command):
    return lambda _: ["/bin/sh", "-c", command]


def peers_for(path):
    duckdb = f"COPY (SELECT * FROM read_json_auto('{path}')) TO 'out.csv' (HEADER)"
    return [
        Peer("scrapetop", measure.version_of(BINARY, "--version"),
             lambda _: [BINARY, "normalise", "-o", "out.csv", path], rows),
        Peer("jq", measure.version_of("jq", "--version"),
             lambda _: ["/bin/sh", "-c", 'echo header >out.csv; exec jq -r "$0" "$1" >>out.csv', JQ,
                        path], rows),
        Peer("miller", measure.version_of("mlr", "--version"),
             shell(f"exec mlr --ijsonl --ocsv unsparsify {path} >out.csv"), rows),
        Peer("pandas", measure.module_version("pandas"), lambda _: [PYTHON, "-c", PANDAS, path], rows),
        Peer("duckdb", measure.version_of("duckdb", "--version"),
             lambda _: ["duckdb", "-c", duckdb], rows),
    ]


def main():
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as scratch:
        path = os.path.join(scratch, "records.jsonl")
        size_mb = write_records(path) / 1e6
        peers = measure.installed(peers_for(path), ABSENT)
        results = measure.rounds(peers, ROUNDS, RECORDS + 1)
    print(f"{RECORDS} nested records, {size_mb:.0f} MB of JSON Lines to CSV, median of {ROUNDS} "
          "interleaved rounds")
    ours = results["scrapetop"]
    measure.table(
        ("program", "version", "MB/s", "CPU ms/MB", "peak RSS MiB", "scrapetop is faster by"),
        [(p.name, p.version, f"{size_mb / r.wall_s:.0f}", f"{r.cpu_s * 1e3 / size_mb:.1f}",
          f"{r.rss_mib:.0f}", f"{r.wall_s / ours.wall_s:.1f}x") for p in peers
         for r in [results[p.name]]])


if __name__ == "__main__":
    main()
