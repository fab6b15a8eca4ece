"""Several runs read as one: tables in the plan's order, what stands twice, and runs that do not fit together."""

import json
import os

import harness
from harness import check, check_equal, scratch


def fetch(url, name, *options, code=0):
    run = scratch(name)
    harness.succeed("run", "--plain", "-o", run, *options, url, code=code)
    return run


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def test_runs_of_one_job__are_merged_in_its_order__and_what_stands_twice_is_told():
    with harness.api() as api:
        url = f"{api.url}/posts/[1-60]"
        whole = fetch(url, "whole.run")
        part = fetch(url, "part.run", "--max-requests", "25", "-c", "1", code=4)
    one, both, unique = scratch("one.csv"), scratch("both.csv"), scratch("unique.csv")
    harness.succeed("normalise", "--columns", "id,title", "-o", one, whole)
    ended = harness.succeed("normalise", "--columns", "id,title", "-o", both, whole, part)
    check(b"25 requests are in another of these runs, too; the table has all of their rows" in ended.err, ended)
    rows = lines(one)
    check_equal(lines(both), rows[:1] + [row for row in rows[1:26] for _ in (0, 1)] + rows[26:], "rows of both")
    ended = harness.succeed("normalise", "--columns", "id,title", "--unique", "id", "-o", unique, part, whole)
    check(b"25 requests are in another of these runs, too" in ended.err and b"all of their rows" not in ended.err, ended)
    check_equal(harness.read(unique), harness.read(one), "each request once: as the whole run's table")
    check(not os.path.exists(os.path.join(whole, "tables.json.tmp")), "nothing of it in the runs")


def test_runs_of_other_jobs__follow_one_another__as_one_run_of_all():
    with harness.api() as api:
        whole = fetch(f"{api.url}/posts/[1-40]", "all.run")
        parts = [fetch(f"{api.url}/posts/[{first}-{first + 9}]", f"{first}.run") for first in (1, 11, 21, 31)]
    for ending in ("csv", "parquet", "jsonl"):
        one, merged = scratch(f"one.{ending}"), scratch(f"merged.{ending}")
        harness.succeed("normalise", "-o", one, whole)
        ended = harness.succeed("normalise", "-o", merged, *parts)
        check_equal(harness.read(merged), harness.read(one), f"{ending} of four runs and of one")
        check(b"in another of these runs" not in ended.err, ended)


def test_runs_of_one_job_with_other_days_or_files__follow_one_another():
    job, values = scratch("days.json"), scratch("n.txt")
    with harness.api() as api:
        for name, var, lines_of in (("day", {"from": "-1d", "to": "today"}, (b"", b"")),
                                    ("file", {"file": values}, (b"1\n2\n", b"3\n4\n"))):
            with open(job, "w", encoding="utf-8") as file:
                json.dump({"base": api.url, "vars": {"v": var}, "endpoints": [{"name": "x", "url": "/posts/1?v={v}"}]}, file)
            runs = []
            for n, text in enumerate(lines_of):
                with open(values, "wb") as file:
                    file.write(text)
                runs.append(fetch(job, f"{name}{n}.run"))
            stored = os.path.join(runs[0], "job.json")
            with open(stored, encoding="utf-8") as file:
                kept = json.load(file)
            if name == "day":
                ended = harness.succeed("normalise", "-o", scratch("same.csv"), *runs)
                check(b"2 requests are in another of these runs" in ended.err, "of one day:", ended)
                kept["vars"]["v"]["today"] = "2026-03-01"
            with open(stored, "w", encoding="utf-8") as file:
                json.dump(kept, file)
            ended = harness.succeed("normalise", "--columns", "id", "-o", scratch(f"{name}.csv"), *runs)
            check(b"in another of these runs" not in ended.err, name, ended)
            check_equal(len(lines(scratch(f"{name}.csv"))), 1 + 4, "rows and the header")


def test_polled_runs__are_merged_round_by_round():
    with harness.api() as api:
        runs = [fetch(f"{api.url}/allData.json?tick={tick}", f"{tick}.run", "--records", "/*") for tick in (1, 2)]
    table = scratch("trains.csv")
    harness.succeed("normalise", "--meta", "-o", table, *runs)
    counts = [len(lines(table)) - 1] + [len(json.loads(harness.body_of(next(iter(harness.raw_lines(run)))))) for run in runs]
    check_equal(counts[0], counts[1] + counts[2], "rows of both rounds")


def test_runs_that_do_not_fit__are_refused__and_nothing_is_written():
    job = scratch("job.json")
    with harness.api() as api:
        one = fetch(f"{api.url}/posts/[1-2]", "one.run")
        with open(job, "w", encoding="utf-8") as file:
            json.dump({"base": api.url, "endpoints": [{"name": "other", "url": "/posts/{n}"}],
                       "vars": {"n": [1, 2]}}, file)
        other = scratch("other.run")
        harness.succeed("run", "--plain", "-o", other, job)
    table = scratch("t.csv")
    for operands, words in (((one, one), "is named twice"), ((one, other), "has no endpoint"),
                            ((one, job), "of runs or of files"), ((one, scratch("none.run")), "none.run")):
        ended = harness.run("normalise", "-o", table, *operands)
        check(ended.code == 2 and words.encode() in ended.err, operands, ended)
        check(not os.path.exists(table), "a table of", operands)
    ended = harness.run("normalise", one, other)
    check(ended.code == 2 and b"say where with -o" in ended.err, ended)


def test_verify_and_status__take_several_runs__and_tell_the_worst():
    with harness.api() as api:
        runs = [fetch(f"{api.url}/posts/[{n}-{n + 4}]", f"{n}.run") for n in (1, 6)]
    ended = harness.succeed("verify", *runs)
    for run in runs:
        check(f"{run}:\n".encode() in ended.out, ended)
    check_equal(ended.out.count(b"the run is sound"), 2, "sound runs")
    raw = os.path.join(runs[1], "raw", os.listdir(os.path.join(runs[1], "raw"))[0])
    with open(raw, "r+b") as file:
        file.seek(-40, os.SEEK_END)
        file.write(b"#")
    check_equal(harness.run("verify", *runs).code, 8, "one of them is damaged")
    check_equal(harness.run("verify", *reversed(runs)).code, 8, "the first of them is damaged")
    told = harness.succeed("status", "--json", *runs).out
    decoder, at, objects = json.JSONDecoder(), 0, []
    text = told.decode()
    while at < len(text.rstrip()):
        found, at = decoder.raw_decode(text, at)
        objects.append(found)
        at += len(text[at:]) - len(text[at:].lstrip())
    check_equal(len(objects), 2, "JSON texts")


if __name__ == "__main__":
    harness.main(globals())
