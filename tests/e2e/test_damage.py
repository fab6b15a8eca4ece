"""What a run directory may suffer: bits that flip, files that get lost or are something else. None of it
goes into a table unseen, keeps a command waiting or passes for a run that went well."""

import contextlib
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
