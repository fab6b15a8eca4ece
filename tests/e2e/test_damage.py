"""What a run directory may suffer: bits that flip, files that get lost or are something else. None of it
goes into a table unseen, keeps a command waiting or passes for a run that went well."""

import contextlib
import csv
import io
import os
import shutil

import harness
from harness import check, check_equal, scratch

SEGMENT = "raw/00000001.jsonl"


def fetched(server, name, count=20, pattern="/posts/[1-{}]"):
    run_dir = scratch(name)
    harness.succeed("run", "-c", "1", "-o", run_dir, server.url + pattern.format(count))
    return run_dir


def copied(run_dir, name):
    copy = scratch(name)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run_dir, copy)
    return copy


# --- tables ----------------------------------------------------------------------------------------


def spoil(run_dir, number, wanted):
    """Changes `wanted` to something as long, in the line of that number; gives the line's offset."""
    path = os.path.join(run_dir, SEGMENT)
    lines = harness.read(path).splitlines(keepends=True)
    at = lines[number].index(wanted)
    offset = sum(len(line) for line in lines[:number])
    with open(path, "r+b") as file:
        file.seek(offset + at)
        byte = file.read(1)
        file.seek(offset + at)
        file.write(bytes([byte[0] ^ 2]))
    return offset


def normalised(run_dir, *options, code=0):
    ended = harness.succeed("normalise", "-o", scratch("d.csv"), *options, run_dir, code=code)
    return ended, list(csv.reader(io.StringIO(harness.read(scratch("d.csv")).decode())))


def test_table__leaves_out_and_names_what_is_damaged__and_nothing_else():
    with harness.api() as server:
        run_dir = fetched(server, "bits.run")
    _, whole = normalised(run_dir)
    for where in (b'"id":', b'"key":"', b'"crc32c":"', b'"body":{', b"http:", b'"userId":'):
        spoilt = copied(run_dir, "spoilt.run")
        offset = spoil(spoilt, 7, where)
        ended, rows = normalised(spoilt)
        check(b"1 skipped: damaged" in ended.err, f"{where}: not told:", ended)
        check(f"raw/00000001.jsonl: the record at byte {offset} ".encode() in ended.err, "which?", ended)
        check_equal(rows, whole[:8] + whole[9:], f"rows without the one whose {where} was spoilt")
        normalised(spoilt, "--strict", code=9)
        harness.succeed("normalise", "-o", scratch("d.parquet"), "--strict", spoilt, code=9)
        report = harness.run("normalise", "--json", "-o", scratch("d.csv"), spoilt).report()
        check_equal(report["skipped"]["damaged"]["count"], 1, "damaged in the report")


def test_table__has_what_is_left__when_a_segment_is_cut():
    with harness.api() as server:
        run_dir = fetched(server, "cut.run")
    _, whole = normalised(run_dir)
    path = os.path.join(run_dir, SEGMENT)
    lines = harness.read(path).splitlines(keepends=True)
    os.truncate(path, sum(len(line) for line in lines[:12]) + 30)
    ended, rows = normalised(run_dir)
    check_equal(rows, whole[:13], "rows before the cut")
    check(b"8 skipped: damaged" in ended.err and b"is cut short" in ended.err, "not told:", ended)


# --- files that are something else -----------------------------------------------------------------


def make_fifo(path):
    os.mkfifo(path)


def make_link(path):
    os.symlink("/dev/zero", path)


def make_directory(path):
    os.mkdir(path)


def every_file(run_dir):
    for where, _, names in os.walk(run_dir):
        for name in names:
            yield os.path.relpath(os.path.join(where, name), run_dir)
    yield "ledger.db-wal"
    yield "ledger.db-shm"
    yield "events.1.jsonl"
    yield "ballast"
    yield "tables.json"


def test_command__never_waits__when_a_file_is_something_else():
    urls = scratch("urls.txt")
    with harness.api() as server:
        with open(urls, "w", encoding="ascii") as file:
            file.writelines(f"{server.url}/posts/{n}\n" for n in range(1, 6))
        run_dir = scratch("odd.run")
        harness.succeed("run", "-o", run_dir, "-i", urls)
        harness.succeed("normalise", run_dir)
        harness.succeed("normalise", run_dir)
        for make in (make_fifo, make_link, make_directory):
            for name in sorted(set(every_file(run_dir))):
                for command in (["run", "-o"], ["normalise"], ["verify"], ["raw"], ["status"], ["replay", "--at", "0s"]):
                    odd = copied(run_dir, "copy.run")
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(os.path.join(odd, name))
                    make(os.path.join(odd, name))
                    ended = harness.run(*command, odd)
                    check(ended.code in range(0, 10), f"{command} with {name} made by {make.__name__}:", ended)
                    if name == SEGMENT and command[0] != "status" and command[0] != "replay":
                        check_equal(ended.code, 8, f"exit code of {command} without a segment, {ended}")


if __name__ == "__main__":
    harness.main(globals())
