"""What the tests of job files share: what an API holds, asked by a client that is not ours, and tables
compared with it row for row.

Numbers are kept as they are written: a test that reads 9007199254740993 as a double proves nothing.
"""

import csv
import json
import os
import urllib.error
import urllib.request

import harness
from harness import check, check_equal, scratch

ASSETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "assets", "jobs")


class Number(str):
    """A JSON number as its text."""


def parse(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def ask(url, body=None, **headers):
    """The JSON that a URL answers, and its headers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    if data:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=harness.HANG_S) as answer:
        return parse(answer.read()), answer.headers


def flat(record, prefix=""):
    """A record's cells as pandas.json_normalize names them."""
    cells = {}
    for name, value in record.items():
        if isinstance(value, dict):
            cells.update(flat(value, prefix + name + "."))
        elif isinstance(value, bool):
            cells[prefix + name] = "true" if value else "false"
        else:
            cells[prefix + name] = value
    return cells


def cell_is(cell, value):
    if isinstance(value, (list, dict)):
        return cell != "" and parse(cell) == value
    return cell == ("" if value is None else value)


def read_table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_table(path, records, **extra):
    """The table has exactly these records, in this order. `extra`: columns, each a list of values."""
    rows = read_table(path)
    want = [flat(record) for record in records]
    names = list(dict.fromkeys(name for record in want for name in record))
    check_equal(len(rows), len(want), f"rows of {os.path.basename(path)}")
    check(set(names) <= set(rows[0]), "columns", list(rows[0]), "want", names)
    for at, (row, record) in enumerate(zip(rows, want)):
        for name in names:
            check(cell_is(row[name], record.get(name)),
                  f"{os.path.basename(path)}, row {at}, {name}: {row[name]!r}, want {record.get(name)!r}")
        for name, values in extra.items():
            check_equal(row[name], values[at], f"row {at}, {name}")


def write_job(name, **job):
    """A job file in this test's directory; its path."""
    path = scratch(name + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": name, "output": ["csv"], **job}, file, indent=2)
    return path


def command(job, run_dir, *more):
    """The arguments that run a job file."""
    return ["run", "-o", run_dir, *more, job]


def run(job, *more, code=0, env=None):
    """Runs a job file in DIR = NAME.run of the test's directory; the report and that directory."""
    run_dir = scratch(os.path.basename(job).removesuffix(".json") + ".run")
    ended = harness.succeed(*command(job, run_dir, "--json", *more), code=code,
                            env=harness.environment(**(env or {})))
    return ended.report(), run_dir
