#!/usr/bin/env python3
"""Tables of thousands of columns: what a row costs is what it has, whatever else there is.

    wide_tables.py SCRAPETOP

Compared by CPU, and within one run only: a sparse table as Parquet beside the same as CSV, a dense one likewise, and a
sparse one beside one of few columns with the same cells. The bounds are several times as generous as what was
measured when this was written, and far from what it was when each column of each row was looked at.
"""
import os
import random
import subprocess
import sys
import tempfile

COLUMNS, CELLS, ROWS, DENSE_ROWS = 10000, 20, 8000, 40
ROUNDS, ROUNDS_MAX = 2, 8  # of a machine that has other things to do some rounds are dear, so the least counts
BOUNDS = ((("sparse", "parquet"), ("sparse", "csv"), 0.3), (("dense", "parquet"), ("dense", "csv"), 0.15),
          (("sparse", "parquet"), ("narrow", "parquet"), 0.03))


def cell(column, row):
    return (str(row * 7), f"{row}.25", f'"value-{row % 50}"', f'"text {column} of row {row}"')[column % 4]


def write(path, rows):
    with open(path, "w", encoding="ascii") as file:
        for number, columns in enumerate(rows):
            file.write("{" + ",".join(f'"column_{c:05}":{cell(c, number)}' for c in columns) + "}\n")


def cpu_s(program, source, ending):
    with tempfile.TemporaryDirectory(prefix="scrapetop-wide-") as place:
        before = os.times()
        subprocess.run([program, "normalise", "-o", os.path.join(place, f"out.{ending}"), source], check=True,
                       capture_output=True, timeout=240)
        after = os.times()
        return after.children_user - before.children_user + after.children_system - before.children_system


def short_of(cost):
    return [bound for bound in BOUNDS if cost[bound[1]] / cost[bound[0]] < bound[2]]


def main():
    program = sys.argv[1]
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="scrapetop-wide-") as folder:
        paths = {name: os.path.join(folder, f"{name}.jsonl") for name in ("sparse", "dense", "narrow")}
        write(paths["sparse"], (sorted(chance.sample(range(COLUMNS), CELLS)) for _ in range(ROWS)))
        write(paths["dense"], (range(COLUMNS) for _ in range(DENSE_ROWS)))
        write(paths["narrow"], (range(CELLS) for _ in range(ROWS)))
        cost = {}
        for number in range(ROUNDS_MAX):  # each round has all of them, so that they meet the same neighbours
            for name, path in paths.items():
                for ending in ("csv", "parquet"):
                    took = cpu_s(program, path, ending)
                    cost[name, ending] = min(cost.get((name, ending), took), took)
            if number + 1 >= ROUNDS and not short_of(cost):
                break
    for one, other, least in BOUNDS:
        print(f"{' '.join(one)} at {cost[other] / cost[one]:.2f} of the speed of {' '.join(other)}, {least} at least")
    return 1 if short_of(cost) else 0


if __name__ == "__main__":
    sys.exit(main())
