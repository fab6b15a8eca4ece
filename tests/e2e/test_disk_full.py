"""A disk that is full: fetching stops, says so, goes on by itself when there is space; nothing is lost.

On a small tmpfs, which only root may mount (else that test is skipped), and under a file-size limit,
where no space comes back and so the run is stopped and resumed.
"""

import contextlib
import os
import resource
import signal
import subprocess
import threading

import harness
import peer
from harness import check, check_equal, scaled, scratch, wait_for

URLS = scaled(600, 400)  # of some 8 KB
SMALL = 2 << 20


def start_run(server, **options):
    return harness.scrapetop(
        "run", "-o", scratch("mnt/d.run"), "-c", "8", "--json",
        f"{server.url}/msapi/auctions/items?auctionid=[200001-{200000 + URLS}]",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def wait_for_trouble(child):
    """Until stderr tells of the full disk: a segment's write, or the ledger's commit."""
    harness.read_until(child.stderr, rb"(?i)no space left|file too large")


def check_sound():
    """Everything that the ledger calls done lies in raw, whole; while the run is at work, too."""
    verified = harness.run("verify", scratch("mnt/d.run"))
    check(verified.code == 0, "not sound:", verified)


def mount(path, size):
    os.mkdir(path)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
                             capture_output=True, check=False)
    return mounted.returncode == 0


def test_full_disk__pauses_and_goes_on__when_space_returns():
    if not mount(scratch("mnt"), SMALL):
        raise harness.Skipped("no tmpfs may be mounted here")
    try:
        with harness.api() as server:
            child = start_run(server)
            wait_for_trouble(child)
            asked = server.count()
            check(child.poll() is None, "the run has ended")
            check(asked < URLS, "everything was asked for before the disk was full")
            check_sound()
            subprocess.run(["mount", "-o", f"remount,size={16 * SMALL}", scratch("mnt")], check=True)
            ended = harness.finish(child)
            check(ended.code == 0, "want exit code 0 once there is space:", ended)
            check_equal(ended.report()["ok"], URLS, "bodies")
        check_sound()
        stored = harness.bodies(scratch("mnt/d.run"))
        check_equal((len(stored), max(len(them) for them in stored.values())), (URLS, 1),
                    "bodies stored, at most so often")
    finally:
        harness.kill_children()
        subprocess.run(["umount", scratch("mnt")], check=False)


BODIES = 300  # of 64 KiB, compressible: 19 MB as they lie in raw
DISK = 40 << 20
FREED = 12 << 20


def free_bytes():
    room = os.statvfs(scratch("mnt"))
    return room.f_bavail * room.f_bsize


def fill(filler):
    """Takes all that is free; the run takes some meanwhile."""
    def is_full():
        with contextlib.suppress(OSError):
            os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, free_bytes())
        return free_bytes() < 65536

    wait_for(is_full, "a full disk")


def stored_bytes():
    raw = scratch("mnt/d.run/raw")
    return sum(os.path.getsize(os.path.join(raw, name)) for name in os.listdir(raw))


def test_small_space__is_used__when_it_returns():
    """A quarter of what came back may be held back again, not most of it."""
    if not mount(scratch("mnt"), DISK):
        raise harness.Skipped("no tmpfs may be mounted here")
    body = peer.reply(b'{"a":"' + b"x" * 65536 + b'"}')
    gate = threading.Event()
    server = peer.Peer(lambda ask: (ask.number <= 20 or gate.wait()) and body)
    try:
        child = harness.scrapetop("run", "--plain", "-o", scratch("mnt/d.run"), "-c", "4", f"{server.url}/[1-{BODIES}]",
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(lambda: server.total() > 20, "the first requests")
        with open(scratch("mnt/filler"), "wb") as filler:
            fill(filler)
            gate.set()
            wait_for_trouble(child)
            wait_for(lambda: not os.path.exists(scratch("mnt/d.run/ballast")), "the ballast given up")
            # Others take the room of that, too.
            fill(filler)
            before = stored_bytes()
            filler.truncate(os.fstat(filler.fileno()).st_size - FREED)
        wait_for(lambda: stored_bytes() - before >= FREED * 6 // 10, "most of the space used")
        check(child.poll() is None, "the run has ended")
        check_sound()
        os.remove(scratch("mnt/filler"))
        ended = harness.finish(child)
        check(ended.code == 0, "want exit code 0 once there is space:", ended)
        check_sound()
    finally:
        gate.set()
        harness.kill_children()
        subprocess.run(["umount", scratch("mnt")], check=False)


def test_file_size_limit__stops_with_8_and_resumes__when_interrupted():
    os.mkdir(scratch("mnt"))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))

    with harness.api() as server:
        child = start_run(server, preexec_fn=limit)
        harness.read_until(child.stderr, rb"files up to 1.05 MB: ulimit -f")
        check(child.poll() is None, "the run has ended")
        check_sound()
        child.send_signal(signal.SIGINT)
        ended = harness.finish(child)
        check(ended.code == 8, "want exit code 8:", ended)
        check(b"resume with" in ended.err, "no word on how to resume:", ended)
        check_sound()
        again = harness.succeed("run", "-o", scratch("mnt/d.run"), "--json").report()
        check_equal((again["ok"], again["failed"]), (URLS, 0), "ok, failed")
    check_sound()


if __name__ == "__main__":
    harness.main(globals())
