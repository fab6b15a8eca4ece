#!/usr/bin/env python3
"""Compares the golden tables with what pandas.json_normalize makes of the same JSON.

test_table_build shows that we write the golden CSV; this shows that the CSV says what pandas says,
cell by cell, wherever no NAME.differs file tells why not. Numbers are compared as written, the
order of columns is ours. Ends with 77 (skipped) when pandas is not installed.
"""
import csv
import json
import pathlib
import sys

try:
    import pandas
except ImportError:
    print("SKIPPED: pandas is not installed for", sys.executable)
    sys.exit(77)


class Number(str):
    """A number's own text, so that nothing is rounded on the way."""


def load(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def plain(value):
    """JSON text of a list, its numbers as written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(plain(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(plain(k) + ":" + plain(v) for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def cell(value):
    if isinstance(value, list):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or value != value else str(value)


def documents(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [load(line) for line in text.splitlines() if line.strip()]
    return load(text)


def table_of_pandas(path):
    pointer = path.with_suffix(".records")
    steps = pointer.read_text().split("/")[1:] if pointer.exists() else None
    frame = pandas.json_normalize(documents(path), record_path=steps)
    frame = frame.astype(object)
    return {name: [cell(v) for v in frame[name]] for name in frame.columns}, len(frame)


def golden_table(path):
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as f:
        rows = list(csv.reader(f))
    # The csv module reads the empty line of a row without cells as no cells at all.
    rows = [row if row else [""] for row in rows]
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}, len(rows) - 1


def main(folder):
    compared, wrong = 0, 0
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".json", ".jsonl") or path.with_suffix(".differs").exists():
            continue
        ours, theirs = golden_table(path), table_of_pandas(path)
        compared += 1
        if ours != theirs:
            wrong += 1
            print(path.name, "\n  ours  ", ascii(ours), "\n  pandas", ascii(theirs))
    print(compared, "tables compared with pandas", pandas.__version__ + ",", wrong, "differ")
    return 1 if wrong or not compared else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
