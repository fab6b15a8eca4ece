"""compact: bodies packed with zstd are read by all commands as before, and a kill at any moment loses nothing."""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import time

import harness
import jobs
from harness import check, check_equal, scratch


def make_run(name="a.run"):
    run = scratch(name)
    with harness.api() as server:
        harness.succeed("run", "--plain", "-o", run, f"{server.url}/posts/[1-400]")
        server.stop()
    return run


def seen(run):
    """What other commands say of the run."""
    harness.succeed("normalise", "-o", scratch("t.csv"), run)
    return (harness.succeed("raw", run).out, harness.read(scratch("t.csv")), harness.succeed("verify", "--json", run).out,
            harness.succeed("status", "--json", run).out)


def files(run):
    return sorted(os.path.basename(name) for name in glob.glob(os.path.join(run, "raw", "*")) + glob.glob(os.path.join(run, "raw", ".pack*")))


def test_compact__changes_nothing_that_is_read():
    run = make_run()
    plain = harness.read(os.path.join(run, "raw", "00000001.jsonl"))
    before = seen(run)
    ended = harness.succeed("compact", run)
    check(b"1 segment packed" in ended.err, ended.err)
    check_equal(files(run), ["00000001.jsonl.zst"], "files")
    packed = os.path.join(run, "raw", "00000001.jsonl.zst")
    check(os.path.getsize(packed) < len(plain) / 3, os.path.getsize(packed), len(plain))
    check(seen(run) == before, "what is read")
    if shutil.which("zstd"):
        check_equal(subprocess.run(["zstd", "-dc", packed], capture_output=True, check=True).stdout, plain, "by zstd")
    check(b"nothing to pack" in harness.succeed("compact", run).err, "a second time")
    check_equal(harness.run("compact", scratch("none.run")).code, 2, "no such run")
    check(not os.path.exists(scratch("none.run")), "a directory of what was not there")


def test_compact__lets_a_run_go_on():
    run = scratch("grows.run")
    with open(scratch("ids.txt"), "w", encoding="utf-8") as file:
        file.write("")
    with harness.api() as server:
        def go_on(count):
            with open(scratch("ids.txt"), "w", encoding="utf-8") as file:
                file.writelines(f"{server.url}/posts/{n}\n" for n in range(1, count + 1))
            harness.succeed("run", "--plain", "-o", run, "-i", scratch("ids.txt"))

        go_on(30)
        harness.succeed("compact", run)
        go_on(60)
        check_equal(files(run), ["00000001.jsonl.zst", "00000002.jsonl"], "files")
        harness.succeed("compact", run)
        go_on(80)
        server.stop()
    check_equal(files(run), ["00000001.jsonl.zst", "00000002.jsonl.zst", "00000003.jsonl"], "files")
    harness.succeed("verify", run)
    check_equal(len(harness.succeed("raw", run).out.splitlines()), 80, "bodies")
    harness.succeed("normalise", "-o", scratch("t.csv"), run)
    check_equal(len(jobs.read_table(scratch("t.csv"))), 80, "rows")


def test_compact__lets_damage_be_found():
    run = make_run()
    harness.succeed("compact", run)
    name = os.path.join(run, "raw", "00000001.jsonl.zst")
    good = harness.read(name)
    for at in (len(good) // 2, len(good) - 3):
        with open(name, "wb") as file:
            file.write(good[:at] + bytes([good[at] ^ 16]) + good[at + 1:])
        harness.succeed("verify", run, code=8)
        check(harness.run("raw", run).code != 0, "raw of a damaged run")
    with open(name, "wb") as file:
        file.write(good)
    harness.succeed("verify", run)
    os.remove(name)
    harness.succeed("verify", run, code=8)


def test_compact__loses_nothing__when_it_is_killed():
    run = make_run()
    before, chance = seen(run), random.Random(5)
    began = time.monotonic()
    copy = scratch("first.run")
    shutil.copytree(run, copy)
    harness.succeed("compact", copy)
    whole_s = time.monotonic() - began
    for n in range(10):
        copy = scratch(f"copy{n}.run")
        shutil.copytree(run, copy)
        child = harness.scrapetop("compact", copy, stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * whole_s)  # any moment will do: none may lose anything
        child.send_signal(signal.SIGKILL)
        child.wait()
        check(seen(copy)[:2] == before[:2], "what is read after a kill")
        harness.succeed("compact", copy)
        check_equal(files(copy), ["00000001.jsonl.zst"], "files in the end")
        check(seen(copy)[:2] == before[:2], "what is read in the end")
        shutil.rmtree(copy)


def test_compact__leaves_the_last_segment_of_a_live_run():
    with harness.api("--latency", "50ms") as server:
        run = scratch("live.run")
        child = harness.scrapetop("run", "--plain", "--pack", "-o", run, "--every", "1h", f"{server.url}/posts/[1-20]", stderr=subprocess.PIPE)
        harness.wait_for(lambda: os.path.exists(os.path.join(run, "ledger.db")) and harness.ledger_counts(run) == {1: 20}, "a round")
        ended = harness.succeed("compact", run)
        check(b"the run is live" in ended.err, ended.err)
        check_equal(files(run), ["00000001.jsonl"], "files")
        child.send_signal(signal.SIGINT)
        check_equal(harness.finish(child).code, 0, "exit code")
    check_equal(json.loads(harness.read(os.path.join(run, "job.json")))["pack"], True, "the job's word")
    harness.succeed("compact", run)
    harness.succeed("verify", run)


if __name__ == "__main__":
    harness.main(globals())
