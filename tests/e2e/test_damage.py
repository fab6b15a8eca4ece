"""What a run directory may suffer: bits that flip, files that get lost or are something else. None of it
goes into a table unseen, keeps a command waiting or passes for a run that went well."""

import collections
import contextlib
import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

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
        for make in (make_fifo,) if harness.SMALL else (make_fifo, make_link, make_directory):
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
        for command in ["run", "-o"], ["normalise"], ["verify"], ["raw"], ["status"]:
            odd = copied(run_dir, "copy.run")
            shutil.rmtree(os.path.join(odd, "raw"))
            ended = harness.run(*command, odd)
            check(ended.code == 8 and b"E-LEDG4" in ended.err, f"{command} without bodies:", ended)


# --- job.json and lists ----------------------------------------------------------------------------


def test_job__is_the_ledgers_copy__when_its_file_is_cut_or_lost():
    with harness.api() as server:
        run_dir = fetched(server, "cut_job.run")
        whole = harness.read(os.path.join(run_dir, "job.json"))

        def lose(path):
            os.unlink(path)

        def cut_to(size, zeros=0):
            def cut(path):
                with open(path, "wb") as file:
                    file.write(whole[:size] + bytes(zeros))

            return cut

        for spoil_job in (lose, cut_to(0), cut_to(1), cut_to(60), cut_to(60, zeros=len(whole) - 60), cut_to(len(whole) - 3)):
            spoilt = copied(run_dir, "spoilt_job.run")
            job = os.path.join(spoilt, "job.json")
            spoil_job(job)
            left = harness.read(job) if os.path.exists(job) else None
            ended, rows = normalised(spoilt)
            check(b"warning[W-JOB1]" in ended.err, "not told", ended)
            check_equal(len(rows), 21, "rows and header")
            check_equal(harness.read(job) if os.path.exists(job) else None, left, "a reader changed job.json to")
            ended = harness.succeed("run", "--plain", "-o", spoilt, f"{server.url}/posts/[1-20]")
            check(b"warning[W-JOB1]" in ended.err and b"20/20 ok" in ended.err, "not told", ended)
            check_equal(harness.read(job), whole, "job.json put back")
            harness.succeed("run", "--plain", "-o", spoilt)
        spoilt = copied(run_dir, "edited.run")
        with open(os.path.join(spoilt, "job.json"), "wb") as file:
            file.write(whole.replace(b"{", b"[", 1))
        for command in (["normalise"], ["run", "--plain", "-o"]):
            ended = harness.succeed(*command, spoilt, code=2)
            check(b"job.json:" in ended.err and b"to go on with that, remove this file" in ended.err, "no help", ended)
        os.unlink(os.path.join(spoilt, "job.json"))
        harness.succeed("run", "--plain", "-o", spoilt)
        check_equal(harness.read(os.path.join(spoilt, "job.json")), whole, "job.json put back")


def test_job__says_what_helps__when_the_ledger_has_no_copy():
    with harness.api() as server:
        run_dir = fetched(server, "old.run")
        with contextlib.closing(sqlite3.connect(os.path.join(run_dir, "ledger.db"))) as db:
            db.execute("DELETE FROM kept")
            db.commit()
        os.truncate(os.path.join(run_dir, "job.json"), 50)
        for command in (["normalise"], ["run", "--plain", "-o"]):
            ended = harness.succeed(*command, run_dir, code=2)
            check(b"put it back from a copy" in ended.err and b"raw/*.jsonl" in ended.err, "no help", ended)


def test_run__is_refused__when_its_list_was_cut():
    urls = scratch("cut_urls.txt")
    with harness.api() as server:
        with open(urls, "w", encoding="ascii") as file:
            file.writelines(f"{server.url}/posts/{n}\n" for n in range(1, 21))
        run_dir = scratch("list.run")
        harness.succeed("run", "--plain", "-o", run_dir, "-i", urls)
        copy = os.path.join(run_dir, "urls-1.txt")
        os.truncate(copy, len(b"".join(harness.read(copy).splitlines(keepends=True)[:10])))
        asked = server.count()
        ended = harness.succeed("run", "--plain", "-o", run_dir, code=2)
        check(b"E-IN5" in ended.err and b"began with 20 requests" in ended.err, "not told", ended)
        check_equal(server.count(), asked, "requests")


# --- a ledger that another program holds --------------------------------------------------------------


@contextlib.contextmanager
def held(run_dir):
    """As somebody does who looks into it with a tool that writes."""
    with contextlib.closing(sqlite3.connect(os.path.join(run_dir, "ledger.db"), timeout=60, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield db


def test_run__waits_and_says_so__while_another_program_holds_the_ledger():
    with harness.api("--latency", "10ms") as server:
        run_dir = scratch("held.run")
        child = under_way(server, run_dir, count=300)
        with held(run_dir) as db:
            harness.read_until(child.stderr, rb"ledger.db is held by another program: waiting")
            # Longer than SQLite's usual patience, and than what the run used to have.
            held_since = time.monotonic()
            harness.wait_for(lambda: time.monotonic() - held_since > 6 or child.poll() is not None, "six seconds")
            check(child.poll() is None, "ended while it should wait")
            db.execute("COMMIT")
        ended = harness.finish(child)
        check_equal(ended.code, 0, f"exit code, {ended}")
        check(b"the ledger is free again: going on" in ended.err and b"300/300 ok" in ended.err, "not so", ended)
        check_equal(whole_lines(run_dir), 300, "records")


def test_run__drains_when_it_is_free_and_aborts_at_once__while_another_program_holds_the_ledger():
    with harness.api("--latency", "10ms") as server:
        for signals, code in ((1, 7), (2, 130)):
            run_dir = scratch(f"held{signals}.run")
            child = under_way(server, run_dir, count=3000)
            with held(run_dir) as db:
                harness.read_until(child.stderr, rb"ledger.db is held by another program: waiting")
                child.send_signal(signal.SIGINT)
                harness.read_until(child.stderr, rb"Ctrl-C again aborts")
                if signals == 2:
                    child.send_signal(signal.SIGINT)
                    ended = harness.finish(child)
                db.execute("COMMIT")
            if signals == 1:
                ended = harness.finish(child)
            check_equal(ended.code, code, f"exit code after {signals}, {ended}")
            harness.succeed("verify", run_dir)


# --- a ledger that is older than raw/ ----------------------------------------------------------------


def killed(server, run_dir, *arguments, done=40):
    child = harness.scrapetop("run", "--plain", "-o", run_dir, *arguments, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    harness.wait_for(lambda: lines_in(run_dir) >= done, "records")
    child.kill()
    child.wait()


def lose_log(run_dir):
    for name in ("ledger.db-wal", "ledger.db-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(run_dir, name))


def zero_log(run_dir):
    path = os.path.join(run_dir, "ledger.db-wal")
    with open(path, "r+b") as file:
        file.write(bytes(os.path.getsize(path)))


def whole_lines(run_dir):
    return sum(line.endswith(b"}\n") for line in harness.raw_lines(run_dir))


def test_run__takes_in_what_the_ledger_does_not_name__when_its_log_was_lost():
    count = 200
    for lose in (lose_log, zero_log):
        with harness.api("--latency", "10ms", name=lose.__name__) as server:
            run_dir = scratch(f"{lose.__name__}.run")
            killed(server, run_dir, f"{server.url}/posts/[1-{count}]")
            had = set(harness.bodies(run_dir))
            lose(run_dir)
            for command in (["normalise", "-o", scratch("w.csv")], ["status"], ["raw"]):
                ended = harness.run(*command, run_dir)
                check(b"warning[W-LEDG1]" in ended.err, f"{command} does not tell:", ended)
            ended = harness.run("verify", run_dir)
            check_equal(ended.code, 8, f"exit code of verify, {ended}")
            ended = harness.succeed("run", "--plain", "-o", run_dir)
            check(b"warning: the ledger was older than raw/" in ended.err, "not told", ended)
            asked = collections.Counter(a.path for a in server.asked())
            twice = [path for path in had if asked[path] != 1]
            check(len(had) >= 40 and not twice, "asked again:", twice)
            check_equal(whole_lines(run_dir), count, "records")
            harness.succeed("verify", run_dir)
            check_equal(len(normalised(run_dir)[1]), count + 1, "rows")
            check(b"W-LEDG1" not in harness.run("status", run_dir).err, "still told")


def test_run__takes_in_what_the_ledger_does_not_name__when_it_is_an_older_copy():
    with harness.api() as server:
        run_dir = fetched(server, "older.run")
        with contextlib.closing(sqlite3.connect(os.path.join(run_dir, "ledger.db"))) as db:
            # As if the copy had been made after the first ten.
            db.execute("DELETE FROM request WHERE id>10")
            db.execute("UPDATE segment SET committed=(SELECT line_at+line_bytes FROM request WHERE id=10), lines=10,"
                       " last_batch=0")
            db.commit()
        asked = server.count()
        ended = harness.succeed("run", "--plain", "-o", run_dir)
        check(b"10 records that it did not name are taken in" in ended.err, "not told", ended)
        check_equal(server.count(), asked, "requests")
        harness.succeed("verify", run_dir)


def test_run__keeps_the_batch_that_was_cut_off__and_says_nothing_of_an_old_ledger__after_a_kill():
    with harness.api("--latency", "10ms") as server:
        run_dir = scratch("cut_off.run")
        killed(server, run_dir, f"{server.url}/posts/[1-100]")
        check(b"W-LEDG1" not in harness.run("status", run_dir).err, "a kill is no loss")
        ended = harness.succeed("run", "--plain", "-o", run_dir)
        check(b"older than" not in ended.err and b"100/100 ok" in ended.err, "not so", ended)
        harness.succeed("verify", run_dir)


def test_run__is_refused__when_what_records_led_to_was_lost_with_the_log():
    job = scratch("pages.json")
    with harness.api("--latency", "10ms") as server:
        with open(job, "w", encoding="ascii") as file:
            json.dump({"name": "p", "base": server.url, "endpoints": [
                {"name": "p", "url": "/posts", "pages": {"param": "_page", "size": 5, "size_param": "_limit"}}]}, file)
        run_dir = scratch("pages.run")
        killed(server, run_dir, job, done=3)
        lose_log(run_dir)
        before = harness.everything_in(os.path.join(run_dir, "raw"))
        ended = harness.succeed("run", "--plain", "-o", run_dir, code=8)
        check(b"E-LEDG6" in ended.err, "not told", ended)
        check_equal(harness.everything_in(os.path.join(run_dir, "raw")), before, "raw/ as it was")


# --- taken away under a run --------------------------------------------------------------------------


def under_way(server, run_dir, done=5, count=400):
    """A run of which that many records are stored, and many are still to come."""
    child = harness.scrapetop("run", "--plain", "-c", "2", "-o", run_dir, f"{server.url}/posts/[1-{count}]",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    harness.wait_for(lambda: lines_in(run_dir) >= done or child.poll() is not None, "records")
    return child


def lines_in(run_dir):
    try:
        return harness.read(os.path.join(run_dir, SEGMENT)).count(b"\n")
    except FileNotFoundError:
        return 0


def remove_all(path):
    """Also while files come to be in it."""
    while os.path.exists(path):
        shutil.rmtree(path, ignore_errors=True)


def replace_by_another(run_dir):
    remove_all(run_dir)
    os.mkdir(run_dir)


def move(run_dir):
    os.rename(run_dir, run_dir + ".moved")


def removing(name):
    def remove(run_dir):
        path = os.path.join(run_dir, name)
        if os.path.isdir(path):
            remove_all(path)
        else:
            os.unlink(path)

    return remove


def cutting(name):
    def cut(run_dir):
        os.truncate(os.path.join(run_dir, name), 0)

    return cut


TAKERS = (remove_all, replace_by_another, move, removing("raw"), removing(SEGMENT), removing("ledger.db"),
          removing("ledger.db-wal"), removing("ledger.db-shm"),
          cutting("ledger.db"), cutting(SEGMENT))


def test_run__ends_with_8__when_what_it_stored_is_taken_away():
    with harness.api("--latency", "20ms") as server:
        for number, take in enumerate(TAKERS):
            run_dir = scratch(f"t{number}.run")
            child = under_way(server, run_dir)
            take(run_dir)
            ended = harness.finish(child)
            check_equal(ended.code, 8, f"exit code, {take.__name__} {number}: {ended}")
            check(b"error[E-DIR4]" in ended.err and b"400/400 ok" not in ended.err, "not told", ended)
            check(b"resume with" not in ended.err, "nothing is left to be resumed", ended)


def test_run__ends_with_8__when_it_is_taken_away_while_nothing_is_stored():
    with harness.api() as server:
        for number, take in enumerate(TAKERS):
            run_dir = scratch(f"i{number}.run")
            child = harness.scrapetop("run", "--plain", "-o", run_dir, "--every", "1h", f"{server.url}/posts/[1-3]",
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            harness.wait_for(lambda: lines_in(run_dir) == 3 and not harness.ledger(run_dir, "SELECT count(*)<3 FROM request")[0][0],
                             "a first round")
            take(run_dir)
            ended = harness.finish(child)
            check_equal(ended.code, 8, f"exit code, {take.__name__} {number}: {ended}")
            check(b"error[E-DIR4]" in ended.err, "not told", ended)


def test_run__ends_with_8__when_its_file_system_is_unmounted():
    place = scratch("mounted")
    os.mkdir(place)
    mount(place, "-t", "tmpfs", "-o", "mode=0700", "tmpfs")
    with harness.api("--latency", "20ms") as server:
        child = under_way(server, os.path.join(place, "m.run"))
        subprocess.run(["umount", "-l", place], check=True)
        ended = harness.finish(child)
    check_equal(ended.code, 8, f"exit code, {ended}")
    check(b"error[E-DIR4]" in ended.err, "not told", ended)


def mount(place, *options):
    if not shutil.which("mount") or subprocess.run(["mount", *options, place], capture_output=True,
                                                   check=False).returncode != 0:
        raise harness.Skipped("may not mount here")


@contextlib.contextmanager
def file_systems():
    """Directories to hold runs: here, and where else we may: on tmpfs, and on an overlay."""
    mounted = []
    places = [scratch("here")]
    os.mkdir(places[0])
    try:
        for name, options in (("tmpfs", ["-t", "tmpfs", "-o", "mode=0700", "tmpfs"]),
                              ("overlay", ["-t", "overlay", "overlay", "-o", None])):
            place = scratch(name)
            os.mkdir(place)
            if name == "overlay":
                layers = os.path.join(places[-1], "layers")  # not above another overlay
                for layer in ("lower", "upper", "work"):
                    os.makedirs(os.path.join(layers, layer))
                options[-1] = ",".join(f"{layer}dir={layers}/{layer}" for layer in ("lower", "upper", "work"))
            try:
                mount(place, *options)
            except harness.Skipped:
                print(f"{name}: may not be mounted here")
                continue
            mounted.append(place)
            places.append(place)
        yield places
    finally:
        for place in reversed(mounted):
            subprocess.run(["umount", "-l", place], check=False)


def test_second_process__is_refused__when_the_lock_was_removed():
    with harness.api("--latency", "20ms") as server, file_systems() as places:
        for place in places:
            run_dir = os.path.join(place, "l.run")
            child = under_way(server, run_dir, count=200)
            lock = os.path.join(run_dir, "lock")
            os.unlink(lock)
            other = harness.run("run", "--plain", "-o", run_dir)
            check_equal(other.code, 2, f"exit code of the second in {place}, {other}")
            check(b"E-LOCK1" in other.err, "not told", other)
            harness.wait_for(lambda: os.path.exists(lock) and harness.read(lock) == b"%d\n" % child.pid,
                             "the lock put back")
            check(b"running" in harness.run("status", run_dir).out, "status does not see who runs it")
            ended = harness.finish(child)
            check_equal(ended.code, 0, f"exit code of the first in {place}, {ended}")
            check(b"200/200 ok" in ended.err, "not whole", ended)
            check_equal(lines_in(run_dir), 200, "records")
            harness.succeed("run", "--plain", "-o", run_dir)  # nothing is left of the lock


def test_run__ends_with_8__when_any_sync_fails():
    if not shutil.which("strace"):
        raise harness.Skipped("strace is not installed")
    with harness.api() as server:
        tried = 0
        for number in range(1, 100):
            run_dir, log = scratch(f"s{number}.run"), scratch("strace.log")
            ended = harness.finish(harness.start(
                ["strace", "-f", "-y", "-qq", "-o", log, "-e", "trace=fdatasync,fsync", "-e",
                 f"inject=fdatasync,fsync:error=EIO:when={number}", harness.BINARY, "run", "--plain", "-o", run_dir,
                 f"{server.url}/posts/[1-5]"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=harness.environment(ASAN_OPTIONS="detect_leaks=0")))
            hit = [line for line in harness.read(log).decode().splitlines() if "INJECTED" in line]
            if not hit:
                break
            tried += 1
            # SQLite passes over a failed sync of the directory when it makes its log.
            if f"{run_dir}>)" not in hit[0]:
                check_equal(ended.code, 8, f"exit code when sync {number} failed: {hit[0]}, {ended}")
                check(b"error[E-DI" in ended.err, "not told", ended)
        if not tried:
            raise harness.Skipped("strace may not trace here")
        check(tried > 5, "only", tried, "syncs were seen")


if __name__ == "__main__":
    harness.main(globals())
