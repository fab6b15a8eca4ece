#!/usr/bin/env python3
"""The store's promises, tried: each command breaks the driver's run in its own way, over and over,
and asks after each time whether the directory still agrees with what the driver was told.

    faults.py kill      SIGKILL at random moments
    faults.py calls     SIGKILL at the first, second, third, ... call that changes the disk
    faults.py power     SIGKILL at random calls, then what was not synced is cut, zeroed or garbled
    faults.py order     no ledger sync while a segment has unsynced bytes            (needs strace)
    faults.py full      a tmpfs that fills up and is made larger                     (needs mount)
    faults.py limit     a file-size limit that is lifted
    faults.py eio       the first, second, third, ... sync fails: it is the last of its file
    faults.py second    a second process on the run
    faults.py damage    flipped bytes, lost and cut files

Exit code 0: all promises kept (with --expect-violation: one was seen to be broken, as it must be with
a mutant), 1 not so, 77 cannot be tried here. Everything follows from --seed but the moments of kills.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIP = 77
class Violation(Exception):
    pass


class Skip(Exception):
    pass


class Run:
    """A run directory, its observer's file, and the driver that works on it."""

    started = []  # of all runs, so that none outlives the test

    def __init__(self, args, base, name, count):
        self.driver = args.driver
        self.count, self.seed = str(count), str(args.seed)
        self.dir = os.path.join(base, name)
        self.told = self.dir + ".told"
        self.log = self.dir + ".log"

    def command(self, *more):
        return [self.driver, "run", self.dir, self.count, self.seed, self.told, *map(str, more)]

    def start(self, *more, prefix=(), **environment):
        """`environment`: what tests/faults/disk.c is to do."""
        process = subprocess.Popen([*prefix, *self.command(*more)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True,
                                   env={**os.environ, **environment})
        self.started.append(process)
        return process

    def finish(self, *more):
        """Goes on to the end, undisturbed."""
        done = self.start(*more)
        message = done.communicate(timeout=120)[1]
        if done.returncode != 0:
            raise Violation(f"{self.dir}: going on failed ({done.returncode}): {message}")

    def check_alive(self, process):
        """Checks what a process has left so far. It is stopped meanwhile: what is checked is read in several
        passes, and must be of one moment."""
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        try:
            self.check()
        finally:
            os.kill(process.pid, signal.SIGCONT)

    def check(self, complete=False):
        if not os.path.exists(os.path.join(self.dir, "ledger.db")):
            if self.told_lines():
                raise Violation(f"{self.dir}: told, and no ledger")
            return
        more = ["complete"] if complete else []
        done = subprocess.run([self.driver, "check", self.dir, self.count, self.seed, self.told,
                               *more], capture_output=True, text=True, timeout=120)
        if done.returncode == 2 and not self.told_lines():
            return  # killed before the first byte of the ledger was written
        if done.returncode != 0:
            raise Violation(done.stdout + done.stderr)

    def told_lines(self):
        try:
            with open(self.told) as told:
                return told.read().splitlines()
        except FileNotFoundError:
            return []

    def log_lines(self):
        """What the disk was asked to do: (call, file name, size)."""
        with open(self.log) as lines:
            for line in lines:
                call, name, size = line.rsplit(None, 2)
                yield call, name, int(size)

    def check_lines(self):
        """Apart from our own reader: every line is JSON with the id first and the body last."""
        ids = set()
        for name in sorted(os.listdir(os.path.join(self.dir, "raw"))):
            with open(os.path.join(self.dir, "raw", name), "rb") as raw:
                for line in raw:
                    record = json.loads(line)
                    members = list(record)
                    if members[0] != "id" or members[-1] not in ("body", "text", "base64"):
                        raise Violation(f"{name}: odd members {members}")
                    if record["id"] in ids:
                        raise Violation(f"{name}: id {record['id']} twice")
                    ids.add(record["id"])


def log(text):
    print(text, flush=True)


def need_strace():
    try:
        done = subprocess.run(["strace", "-f", "-e", "trace=none", "true"], capture_output=True)
    except FileNotFoundError:
        raise Skip("strace is not installed")
    if done.returncode != 0:
        raise Skip("strace may not trace here: " + done.stderr.decode(errors="replace").strip())


def told_bytes(run):
    return os.path.getsize(run.told) if os.path.exists(run.told) else 0


def wait_told(run, process, want):
    """Until the observer was told so many bytes, or there is nothing more to tell. How fast the machine is does
    not matter: what is waited for is progress."""
    end = time.monotonic() + 120
    while told_bytes(run) < want:
        try:
            process.wait(timeout=0.001)
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() > end:
                raise Violation(f"no progress in 120 s: {told_bytes(run)} of {want} bytes told")


def kill(args, base):
    rng = random.Random(args.seed)
    kills = cycles = midway = 0
    while kills < args.count:
        run = Run(args, base, f"kill{cycles}", args.size)
        while kills < args.count:
            before = told_bytes(run)
            process = run.start(DISK_SLOW_US="1000")
            try:
                # A quarter of the kills are at any moment of a start; the others somewhere in the work.
                wait_told(run, process, before + rng.choice((0, 1, 1, 1)) * rng.randrange(1, 3 * args.size))
                process.wait(timeout=rng.uniform(0, 0.02))
                if process.returncode != 0:
                    raise Violation(process.stderr.read())
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
                midway += told_bytes(run) > before
            finally:
                process.stderr.close()
            run.check()
        run.finish()
        run.check(complete=True)
        run.check_lines()
        cycles += 1
    if not midway:
        raise Violation("nothing was done before any kill: this test shows nothing")
    log(f"{kills} kills, {midway} of them in the midst of work, in {cycles} runs of {args.size}")


def calls(args, base):
    n = tried = 0
    while not args.count or tried < args.count:
        n += args.every
        run = Run(args, base, f"call{n}", args.size)
        process = run.start(DISK_KILL_AT=str(n))
        message = process.communicate(timeout=120)[1]
        if process.returncode == 0:
            break  # fewer calls than that
        try:
            if process.returncode != -signal.SIGKILL:
                raise Violation(f"ended with {process.returncode}: {message}")
            run.check()
            run.finish()
            run.check(complete=True)
            run.check_lines()
        except Violation as violation:
            raise Violation(f"killed at call {n}: {violation}")
        shutil.rmtree(run.dir)
        tried += 1
    log(f"killed at {tried} of {n - 1} calls")


def segments(run):
    raw = os.path.join(run.dir, "raw")
    return [os.path.join(raw, name) for name in os.listdir(raw)] if os.path.isdir(raw) else []


def lose_power(run, rng, how):
    """Takes away what was not synced: of the segments, and of the ledger's log."""
    synced = {}
    for call, name, size in run.log_lines():
        if call == "sync":
            synced[name] = max(synced.get(name, 0), size)
    lost = 0
    for path in (*segments(run), os.path.join(run.dir, "ledger.db-wal")):
        safe = synced.get(os.path.basename(path), 0)
        size = os.path.getsize(path) if os.path.exists(path) else 0
        if size <= safe:
            continue
        lost += size - safe
        kept = rng.randint(safe, size)  # the disk may have got to some of it
        with open(path, "r+b") as file:
            if how == "cut":
                file.truncate(kept)
            else:
                file.seek(kept)
                file.write(bytes(size - kept) if how == "zeros" else rng.randbytes(size - kept))
    return lost


def note_survivors(run):
    """What an earlier life left, and is there now, is on the disk."""
    with open(run.log, "w") as file:
        for path in (*segments(run), os.path.join(run.dir, "ledger.db-wal")):
            if os.path.exists(path):
                file.write(f"sync {os.path.basename(path)} {os.path.getsize(path)}\n")


CALLS_OF_A_LIFE = 400  # of the disk, at most, before the power fails; a run of 3000 makes some hundreds


def power(args, base):
    """When the power fails is told in calls, not in time: it fails in the same places on any machine."""
    rng = random.Random(args.seed)
    losses = cycles = lost = 0
    while losses < args.count:
        run = Run(args, base, f"power{cycles}", args.size)
        while losses < args.count:
            note_survivors(run)
            process = run.start(DISK_LOG=run.log, DISK_SLOW_US="1000",
                                DISK_KILL_AT=str(rng.randrange(1, CALLS_OF_A_LIFE)))
            message = process.communicate(timeout=120)[1]
            if process.returncode == 0:
                break
            if process.returncode != -signal.SIGKILL:
                raise Violation(f"ended with {process.returncode}: {message}")
            losses += 1
            lost += lose_power(run, rng, ("cut", "zeros", "garbage")[losses % 3])
            run.check()
        run.finish()
        run.check(complete=True)
        cycles += 1
    if not lost:
        raise Violation("nothing was ever unsynced: this test shows nothing")
    log(f"{losses} power losses in {cycles} runs of {args.size}, {lost} unsynced bytes lost")


def order(args, base):
    need_strace()
    run = Run(args, base, "order", args.size)
    trace = run.dir + ".strace"
    calls = "trace=write,writev,pwrite64,fdatasync,fsync,ftruncate"
    # A leak checker does not work on a traced process.
    done = run.start(prefix=["strace", "-f", "-y", "-o", trace, "-e", calls],
                     ASAN_OPTIONS="detect_leaks=0")
    message = done.communicate(timeout=120)[1]
    if done.returncode != 0:
        raise Violation(message)
    dirty, checked = set(), 0
    with open(trace) as lines:
        for line in lines:
            match = re.match(r"\d+ +(\w+)\(\d+<([^>]*)>", line)
            if not match:
                continue
            call, path = match.groups()
            segment = "/raw/" in path and path.endswith(".jsonl")
            if segment and call in ("write", "writev", "pwrite64"):
                dirty.add(path)
            elif segment and call in ("fdatasync", "fsync"):
                dirty.discard(path)
            elif call in ("fdatasync", "fsync") and path.endswith("ledger.db-wal"):
                checked += 1
                if dirty:
                    raise Violation(f"the ledger is synced while {dirty} is not")
    if not checked:
        raise Violation("no sync of the ledger was seen")
    log(f"{checked} syncs of the ledger, none before its segment's")


def wait_for(run, word, process, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if word in run.told_lines():
            return
        if process.poll() is not None:
            raise Violation(f"ended ({process.returncode}) before it said {word}")
        time.sleep(0.01)
    raise Violation(f"did not say {word} within {seconds} s")


def resume(run, process):
    message = process.communicate(timeout=120)[1]
    if process.returncode != 0:
        raise Violation(f"did not go on ({process.returncode}): {message}")
    if run.told_lines().count("full") != run.told_lines().count("room"):
        raise Violation("paused and resumed a different number of times")
    run.check(complete=True)
    run.check_lines()


def full(args, base):
    mount = os.path.join(base, "small")
    os.mkdir(mount)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m,mode=0700", "tmpfs", mount],
                      capture_output=True).returncode != 0:
        raise Skip("may not mount a tmpfs here")
    try:
        run = Run(args, mount, "full", args.size)
        run.told = os.path.join(base, "full.told")  # the observer lives elsewhere
        process = run.start(1024)
        wait_for(run, "full", process)
        run.check_alive(process)
        subprocess.run(["mount", "-o", "remount,size=64m", mount], check=True)
        resume(run, process)
        log("full, enlarged, finished")

        again = Run(args, mount, "left", args.size)
        again.told = os.path.join(base, "left.told")
        shutil.rmtree(run.dir)
        subprocess.run(["mount", "-o", "remount,size=10m", mount], check=True)
        process = again.start(1024, LEAVE_WHEN_FULL="1")
        message = process.communicate(timeout=120)[1]
        if process.returncode != 8:
            raise Violation(f"left a full disk with {process.returncode}: {message}")
        again.check()
        subprocess.run(["mount", "-o", "remount,size=64m", mount], check=True)
        again.finish(1024)
        again.check(complete=True)
        log("full, left, enlarged, gone on")
    finally:
        subprocess.run(["umount", "-l", mount], check=False)


def limit(args, base):
    run = Run(args, base, "limit", args.size)
    process = run.start(prefix=["prlimit", f"--fsize={400 * 1024}:unlimited", "--"])
    wait_for(run, "full", process)
    run.check_alive(process)
    subprocess.run(["prlimit", "--fsize=unlimited", "--pid", str(process.pid)], check=True)
    resume(run, process)
    log("stopped at a file-size limit, went on when it was lifted")


def fail_sync(run, n):
    """Lets the n-th sync fail. The file, the calls made on it afterwards, and how it ended."""
    process = run.start(DISK_LOG=run.log, DISK_FAIL_SYNC=str(n))
    message = process.communicate(timeout=120)[1]
    failed, after = None, []
    for call, name, _ in run.log_lines():
        if call == "failed":
            failed = name
        elif name == failed:
            after.append(call)
    return failed, after, process.returncode, message


def eio(args, base):
    names, n = set(), 0
    while not args.count or n < args.count:
        n += 1
        run = Run(args, base, f"eio{n}", args.size)
        failed, after, code, message = fail_sync(run, n)
        if not failed:
            break  # fewer syncs than that
        # SQLite passes over a failed sync of the directory for its log.
        if failed != os.path.basename(run.dir):
            if "sync" in after or (failed.endswith(".jsonl") and after):
                raise Violation(f"sync {n}, of {failed}, failed, and was followed by {after}")
            if code != 8:
                raise Violation(f"sync {n}, of {failed}, failed: exit code {code}, {message}")
            names.add(failed)
        if code and "E-DI" not in message:
            raise Violation(f"sync {n}, of {failed}, failed and was not told: {message}")
        run.check()
        run.finish()
        run.check(complete=True)
    if not {"00000001.jsonl", "ledger.db-wal", "ledger.db", "raw"} <= names:
        raise Violation(f"not every sync that counts was made to fail: {names}")
    log(f"{n - 1} runs with a failing sync each, of {sorted(names)} and the directory")


def second(args, base):
    run = Run(args, base, "second", 10 ** 6)
    first = run.start()
    try:
        wait = time.monotonic() + 120
        while not run.told_lines() and time.monotonic() < wait:
            time.sleep(0.01)
        began = time.monotonic()
        other = run.start()
        message = other.communicate(timeout=120)[1]
        took = time.monotonic() - began
        if other.returncode != 2 or f"pid {first.pid} since" not in message:
            raise Violation(f"a second process was told {other.returncode}: {message}")
        run.check_alive(first)
        if first.poll() is not None:
            raise Violation("the first did not go on")
    finally:
        first.kill()
        first.communicate()
    log(f"refused after {took:.2f} s: {message.strip()}")


def damage_once(run, rng):
    """Breaks one file; says what was done."""
    raw = os.path.join(run.dir, "raw", "00000001.jsonl")
    ledger = os.path.join(run.dir, "ledger.db")
    how = rng.choice(("segment byte", "segment byte", "ledger byte", "ledger byte", "segment cut",
                      "segment lost", "ledger cut", "ledger lost"))
    path = raw if how.startswith("segment") else ledger
    if how.endswith("lost"):
        os.unlink(path)
    elif how.endswith("cut"):
        os.truncate(path, rng.randrange(1, os.path.getsize(path)))
    else:
        with open(path, "r+b") as file:
            at = rng.randrange(os.path.getsize(path))
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << rng.randrange(8))]))
            how += f" {at}"
    return how


def segment_bytes(run):
    path = os.path.join(run.dir, "raw", "00000001.jsonl")
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        return file.read()


def damage(args, base):
    rng = random.Random(args.seed)
    whole = Run(args, base, "whole", args.size)
    whole.finish()
    seen = harmless = refused = 0
    for n in range(args.count):
        run = Run(args, base, f"damage{n}", args.size)
        shutil.copytree(whole.dir, run.dir)
        shutil.copy(whole.told, run.told)
        how = damage_once(run, rng)
        before = segment_bytes(run)
        try:
            if not os.path.exists(os.path.join(run.dir, "ledger.db")):
                raise Violation("no ledger")
            run.check(complete=True)
            if not how.startswith("ledger byte"):
                raise Violation(f"{how} was not seen")
            harmless += 1  # an unused byte of a page, a number that nothing hangs on
        except Violation as violation:
            if "was not seen" in str(violation):
                raise
            seen += 1
        # Whatever it is: starting on it overwrites no body, and ends by itself.
        process = run.start()
        message = process.communicate(timeout=120)[1]
        after = segment_bytes(run)
        if process.returncode not in (0, 2, 8) or (process.returncode and not message):
            raise Violation(f"{how}: started with {process.returncode}: {message}")
        if before is not None and (after is None or after[:len(before)] != before):
            raise Violation(f"{how}: a start changed stored bytes: {message}")
        refused += process.returncode != 0
        shutil.rmtree(run.dir)
    log(f"{args.count} damages: {seen} seen, {harmless} without effect, {refused} refused at start")


COMMANDS = {  # how many, of what size: what fits a test run; --count and --size for more
    "kill": (kill, 50, 3000),
    "calls": (calls, 0, 20),
    "power": (power, 30, 3000),
    "order": (order, 1, 400),
    "full": (full, 1, 24000),
    "limit": (limit, 1, 3000),
    "eio": (eio, 0, 60),
    "second": (second, 1, 0),
    "damage": (damage, 60, 300),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--driver", required=True)
    parser.add_argument("--count", type=int, help="how often")
    parser.add_argument("--size", type=int, help="requests in a run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="calls: only each N-th")
    parser.add_argument("--expect-violation", action="store_true")
    args = parser.parse_args()
    function, count, size = COMMANDS[args.command]
    args.count = count if args.count is None else args.count
    args.size = size if args.size is None else args.size
    args.driver = os.path.abspath(args.driver)
    base = tempfile.mkdtemp(prefix="scrapetop-faults-")
    try:
        function(args, base)
    except Skip as skip:
        log(f"SKIPPED {args.command}: {skip}")
        return SKIP
    except Violation as violation:
        log(f"VIOLATION: {violation}")
        return 0 if args.expect_violation else 1
    except subprocess.TimeoutExpired as expired:
        log(f"VIOLATION: did not end: {expired}")
        return 1
    finally:
        for process in Run.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # strace and what it traces
        shutil.rmtree(base, ignore_errors=True)
    if args.expect_violation:
        log("nothing was found wrong with a store that is")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
