"""run --retain: old rounds leave a run that goes on for long, in one process, while others read it; and a kill loses nothing."""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import time

import harness
from harness import check, check_equal, scratch
from test_changes import changes, check_changes, flat, random_world, write
from test_retain import World, bodies, wanted

DISK = os.environ.get("FAULT_DISK")


def start(run, job, *more, env=None):
    return harness.scrapetop("run", "--plain", "--retain", "1s", "-o", run, *more, job, stderr=subprocess.PIPE, env=env)


def test_retain_live__bounds_what_is_kept__while_others_read():
    states = random_world(17, 60)
    world, run = World(states), scratch("feed.run")
    child = start(run, world.job(60))
    time.sleep(0.5)
    before = []
    while child.poll() is None:  # all that read it, again and again
        harness.succeed("verify", run)
        rows = changes(run)[0]
        check_equal(rows[:len(before)], before, "what was told before is told again")
        before = rows
        harness.succeed("raw", run)
        harness.succeed("status", "--json", run)
        harness.succeed("normalise", "--unique", "id", "--keep", "last", "-o", scratch("t.jsonl"), run)
    err = child.stderr.read()
    check(child.returncode == 0, "exit code", child.returncode, err)
    check(b"retired" in err, err)
    harness.succeed("verify", run)
    check_changes(changes(run)[0], wanted(states), "changes")
    check(len(bodies(run)) < 45, "bodies left", len(bodies(run)))
    # Of what was dropped while it ran nothing lies about.
    files = sorted(name for name in os.listdir(os.path.join(run, "raw")) if not name.startswith("."))
    check_equal(files, [f"{number:08}.jsonl" for number, in harness.ledger(run, "SELECT number FROM segment ORDER BY number")], "files")


def test_retain_live__goes_with_packing():
    states = random_world(18, 40)
    world, run = World(states), scratch("feed.run")
    child = start(run, world.job(40), "--pack")
    harness.wait_for(lambda: os.path.exists(os.path.join(run, "report.json")) or glob.glob(os.path.join(run, "raw", "*")), "bodies")
    while child.poll() is None:
        harness.succeed("compact", run)
        harness.succeed("verify", run)
    check(child.returncode == 0, "exit code", child.returncode, child.stderr.read())
    harness.succeed("verify", run)
    check_changes(changes(run)[0], wanted(states), "changes")


def fold(rows):
    """The records that the changes lead to."""
    now = {}
    for row in rows:
        key = str(row["id"])
        if row["_change"] == "added":
            now[key] = json.loads(row["_to"])
        elif row["_change"] == "gone":
            del now[key]
        else:
            now[key][row["_field"]] = row["_to"]
    return now


def as_text(state):
    return {str(key): {name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":")) for name, value in
                       flat(record).items()} for key, record in state.items()}


def test_retain_live__loses_nothing__when_it_is_killed():
    chance = random.Random(int(os.environ.get("RETAIN_SEED", "4")))
    states = random_world(6, 400)
    world, run, count, told, kills = World(states), scratch("feed.run"), 0, [], 0
    for n in range(int(os.environ.get("RETAIN_KILLS", "6"))):
        count += 30
        env = harness.environment(LD_PRELOAD=DISK, DISK_KILL_AT=str(chance.randrange(20, 260))) if DISK else None
        child = start(run, world.job(count), env=env)
        if not DISK:
            time.sleep(1 + chance.random())
            child.send_signal(signal.SIGKILL)
        err = child.stderr.read()
        check(child.wait() in (0, -signal.SIGKILL), child.returncode, err)
        kills += child.returncode != 0
        if not os.path.exists(os.path.join(run, "ledger.db")):
            continue
        harness.succeed("verify", run)
        rows = changes(run)[0]
        check_equal(rows[:len(told)], told, f"what was told before kill {n} is told after it")
        told = rows
    check(kills > 2, "sessions that were killed", kills)
    child = start(run, world.job(count + 12))
    err = child.stderr.read()
    check(child.wait() == 0, "the last session", child.returncode, err)
    harness.succeed("verify", run)
    rows = changes(run)[0]
    check_equal(rows[:len(told)], told, "what was told before the last session")
    check_equal(as_text(fold(rows)), as_text({**states[world.at], "still": {"id": "still", "v": 0}}), "the last state")


def flip(name, at):
    with open(name, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def test_retain_live__goes_on__when_an_old_answer_is_damaged():
    states = random_world(9, 50)
    world, run = World(states), scratch("feed.run")
    harness.succeed("run", "--plain", "-o", run, world.job(6))
    first = os.path.join(run, "raw", "00000001.jsonl")
    lines = harness.read(first).splitlines(keepends=True)
    third = [at for at, line in enumerate(lines) if b"/feed" in line][2]
    at = sum(map(len, lines[:third + 1])) - 10
    number = [n + 1 for n in range(6) if n == 0 or states[n] != states[n - 1]][2]
    rows = changes(run)[0]
    flip(first, at)
    time.sleep(1.1)
    child = start(run, world.job(36))
    err = child.stderr.read()
    check(child.wait() == 0, child.returncode, err)
    check(b"round %d is damaged" % number in err and b"scrapetop verify" in err, err)
    check_equal(err.count(b"is damaged"), 2, "told as it begins, and once while it goes on")
    harness.succeed("verify", run, code=8)
    shutil.copytree(run, scratch("copy.run"))
    ended = harness.succeed("compact", "--retain", "1ms", scratch("copy.run"), code=8)
    check(b"round %d is damaged" % number in ended.err, ended.err)
    held = [file for file in glob.glob(os.path.join(run, "raw", "*.jsonl")) if lines[third][:60] in harness.read(file)]
    check_equal(len(held), 1, "files with the damaged line")
    flip(held[0], harness.read(held[0]).index(lines[third][:60]) + len(lines[third]) - 10)
    harness.succeed("verify", run)
    ended = harness.succeed("compact", "--retain", "1ms", run)
    check(b"the journal has 35 rounds" in ended.err, ended.err)
    check_equal(changes(run)[0][:len(rows)], rows, "changes")
    check_changes(changes(run)[0], wanted(states[:36]), "changes")


if __name__ == "__main__":
    harness.main(globals())
