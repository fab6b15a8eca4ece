#!/usr/bin/env python3
"""Compares --max-depth, --sep, --explode and --meta's like with what pandas makes of the same records.

    pandas_shapes.py SCRAPETOP

pandas' counterparts: json_normalize's max_level, sep, and record_path with meta; DataFrame.explode.
Cells are compared as our CSV says them, columns by name, rows in order. Exits with 77 (skipped) when
pandas is not installed.
"""
import csv
import io
import json
import subprocess
import sys

try:
    import pandas
except ImportError:
    print("SKIPPED: pandas is not installed for", sys.executable)
    sys.exit(77)

RECORDS = [
    {"id": 1, "user": {"name": "Ada", "at": {"city": "Rome", "geo": {"lat": 1, "lon": 2}}},
     "tags": ["x", "y"], "items": [{"n": 1, "o": {"p": 5}}, {"n": 2}]},
    {"id": 2, "user": {"name": "Bob, \"B\"", "at": {"city": "Oslo"}}, "tags": [],
     "items": [{"n": 3, "q": "z"}]},
    {"id": 3, "user": {"name": None}, "items": []},
]


def cell(value):
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or value != value:
        return ""
    # pandas makes floats of whole numbers beside missing ones, which is where we differ on purpose.
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def theirs(frame):
    frame = frame.astype(object)
    rows = [[cell(v) for v in row] for row in frame.values.tolist()]
    return {name: [row[i] for row in rows] for i, name in enumerate(frame.columns)}


def ours(program, *options):
    text = "".join(json.dumps(r) + "\n" for r in RECORDS)
    run = subprocess.run([program, "normalise", *options, "-"], input=text, text=True,
                         capture_output=True, check=True)
    rows = list(csv.reader(io.StringIO(run.stdout)))
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}


def exploded():
    """One row an element: explode, and the elements' own columns beside the record's."""
    frame = pandas.json_normalize(RECORDS).explode("items", ignore_index=True)
    elements = [e if isinstance(e, dict) else {} for e in frame.pop("items")]
    return frame.join(pandas.json_normalize([{"items": e} for e in elements]))


def main(program):
    cases = {
        "max_level=0": (ours(program, "--max-depth", "0"),
                        theirs(pandas.json_normalize(RECORDS, max_level=0))),
        "max_level=1": (ours(program, "--max-depth", "1"),
                        theirs(pandas.json_normalize(RECORDS, max_level=1))),
        "max_level=2, sep": (ours(program, "--max-depth", "2", "--sep", "__"),
                             theirs(pandas.json_normalize(RECORDS, max_level=2, sep="__"))),
        "sep": (ours(program, "--sep", "/"), theirs(pandas.json_normalize(RECORDS, sep="/"))),
        "explode": (ours(program, "--explode", "/items"), theirs(exploded())),
        "record_path, meta": (
            ours(program, "--explode", "/items", "--where-present", "n",
                 "--columns", "n=/items/n,id=/id,user.name=/user/name"),
            {k: v for k, v in theirs(pandas.json_normalize(
                RECORDS, record_path="items", meta=["id", ["user", "name"]])).items()
             if k in ("n", "id", "user.name")}),
    }
    wrong = 0
    for name, (mine, other) in cases.items():
        if mine != other:
            wrong += 1
            print(name, "\n  ours  ", ascii(mine), "\n  pandas", ascii(other))
    print(len(cases), "shapes compared with pandas", pandas.__version__ + ",", wrong, "differ")
    return 1 if wrong else 0


sys.exit(main(sys.argv[1]))
