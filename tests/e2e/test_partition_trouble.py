"""`normalise --partition` where things go wrong: a disk that is full, a place that may only be read, and runs that lost old rounds."""

import hashlib
import json
import os
import subprocess

import harness
from fleet_peers import Redis, worker
from harness import check, check_equal, scratch
from test_changes import random_world
from test_disk_full import mount
from test_partition import Api, api, compare, fetch, job, partition, parts_of
from test_retain import World, bodies


def parts_in(place):
    """Their bytes by name, and what is of another kind."""
    found = {os.path.relpath(os.path.join(folder, name), place): hashlib.sha256(harness.read(os.path.join(folder, name))).hexdigest()
             for folder, _, names in os.walk(place) for name in names}
    found.pop("_schema.json", None)
    return found


def told_in(place):
    """The parts that _schema.json says are made."""
    tables = json.loads(harness.read(os.path.join(place, "_schema.json")))["tables"].values()
    return {name for table in tables for name, part in table["parts"].items() if part["generation"]}


def check_told(place):
    check_equal(set(parts_in(place)), told_in(place), "files, and parts that are told")


def check_rows(place, run):
    """As many as the bodies that the run still has."""
    check_told(place)
    tables = json.loads(harness.read(os.path.join(place, "_schema.json")))["tables"]
    check_equal(sum(part["rows"] for part in tables["items"]["parts"].values()), sum(len(json.loads(body)) for body in bodies(run)), "rows")


def big(numbers):
    for n in numbers:
        Api.answers[n] = {"id": n, "text": os.urandom(3000).hex()}


def on_a_small_disk(case):
    """Calls it with a place of 256 KiB and what makes it larger or read-only."""
    place = scratch("mnt")
    if not mount(place, 256 << 10):
        raise harness.Skipped("no tmpfs may be mounted here")
    try:
        case(place, lambda options: subprocess.run(["mount", "-o", f"remount,{options}", place], check=True))
    finally:
        Api.answers.clear()
        subprocess.run(["umount", "-l", place], check=False)


def test_partition_trouble__leaves_the_old_parts__when_the_disk_is_full():
    def case(place, remount):
        base, run, out = api(), scratch("full.run"), os.path.join(place, "set")
        big(range(1, 4))
        fetch(job(base, 3, "full"), run)
        partition(out, run)
        before = parts_in(out)
        harness.succeed("compact", run)
        big(range(4, 200))
        fetch(job(base, 199, "full"), run)
        said = partition(out, run, code=8).err.lower()
        check(b"no space left" in said, said)
        check_equal(parts_in(out), before, "the parts of before")
        check_told(out)
        remount("size=8m")
        partition(out, run)
        check_told(out)
        compare(out, run)
    on_a_small_disk(case)


def test_partition_trouble__leaves_nothing__when_the_disk_is_full_the_first_time():
    def case(place, remount):
        base, run, out = api(), scratch("first.run"), os.path.join(place, "set")
        big(range(1, 200))
        fetch(job(base, 199, "first"), run)
        partition(out, run, code=8)
        check_equal((parts_in(out), told_in(out)), ({}, set()), "parts of a first time that found no room")
        remount("size=8m")
        partition(out, run)
        check_told(out)
        compare(out, run)
    on_a_small_disk(case)


def test_partition_trouble__says_so__when_the_place_may_only_be_read():
    def case(place, remount):
        base, run, out = api(), scratch("fixed.run"), os.path.join(place, "set")
        fetch(job(base, 3, "fixed"), run)
        partition(out, run)
        before = parts_in(out)
        remount("ro")
        partition(out, run)  # nothing has changed, so that nothing is written
        harness.succeed("compact", run)
        fetch(job(base, 5, "fixed"), run)
        said = partition(out, run, code=8).err.lower()
        check(b"read-only" in said, said)
        said = partition(os.path.join(place, "other"), run, code=8).err.lower()
        check(b"read-only" in said, said)
        check_equal(parts_in(out), before, "the dataset of before")
        remount("rw")
        partition(out, run)
        check_told(out)
        compare(out, run)
    on_a_small_disk(case)


def test_partition_trouble__follows__when_old_rounds_leave_the_run():
    states = random_world(12, 24)
    world, run, out = World(states), scratch("feed.run"), scratch("set")
    for count in (8, 16, 24):
        harness.succeed("run", "--plain", "-o", run, world.job(count))
        partition(out, run)
        check_rows(out, run)
        harness.succeed("compact", "--retain", "1ms", run)
        partition(out, run)
        check_rows(out, run)
        again = parts_of(out)
        partition(out, run)
        check_equal(parts_of(out), again, "parts of a run that is what it was")


def test_partition_trouble__follows__while_old_rounds_leave_the_run():
    states = random_world(13, 40)
    world, run, out = World(states), scratch("feed.run"), scratch("set")
    child = harness.scrapetop("run", "--plain", "--retain", "1s", "-o", run, world.job(40), stderr=subprocess.DEVNULL)
    harness.wait_for(lambda: os.path.exists(os.path.join(run, "raw", "00000001.jsonl")) and bodies(run), "bodies")
    while child.poll() is None:
        partition(out, run)
        check_told(out)
    check_equal(child.returncode, 0, "exit code")
    partition(out, run)
    check_rows(out, run)


def test_partition_trouble__takes_the_workers_of_a_fleet__in_any_order():
    redis, base, out, runs = Redis(), api(), scratch("set"), [scratch(f"w{n}.run") for n in (1, 2)]
    path = job(base, 60, "fleet")
    workers = [worker(redis.url("fleet"), run, "-c", "2", path) for run in runs]
    for child in workers:
        check_equal(harness.finish(child).code, 0, "exit code of a worker")
    partition(out, *runs)
    check_told(out)
    levels = {name.split("/")[1].split("=")[0] for name in parts_in(out)}
    check_equal(levels, {"worker"}, "levels")
    compare(out, *runs)
    before = parts_of(out)
    partition(out, *reversed(runs))
    check_equal(parts_of(out), before, "parts of the same workers in another order")
    redis.kill()


if __name__ == "__main__":
    harness.main(globals())
