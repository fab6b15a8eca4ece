"""A million patterned URLs: the first is asked for at once, and the queue costs next to no memory.
Details that listings name wait in the ledger: a million of them are to cost less than 150 MiB in all. That is
tried with fewer of them: held in memory, these would already cost more than is allowed here.
"""

import hashlib
import json
import os
import struct
import subprocess
import zlib

import harness
import peer
from harness import check, check_equal, scaled, scratch, wait_for

URLS = 1_000_000
PEAK_KIB = 100 * 1024
CAP = 100
BOUNDS = scaled(["--max-body", "64M", "--memory", "256M"], ["--max-body", "8M", "--memory", "32M"])


def test_million_urls__cost_under_100_mib__when_queued():
    with harness.api("--latency", "20ms") as server:
        child = harness.scrapetop("run", "-o", scratch("m.run"), "-c", str(CAP),
                                  f"{server.url}/posts/[1-{URLS}]", stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        wait_for(lambda: server.count() > 0, "the first request")
        first_kib = harness.peak_kib(child.pid)
        wait_for(lambda: server.count() > scaled(10_000, 2_000), "thousands of requests")
        peak_kib = harness.peak_kib(child.pid)
        print(f"peak RSS {first_kib} KiB at the first request, {peak_kib} KiB after thousands")
        check(peak_kib > 0, "the run has ended")
        # Sanitizers keep shadow memory and freed blocks: there only the run itself is shown.
        check(harness.SMALL or peak_kib < PEAK_KIB, "peak RSS", peak_kib, "KiB")
        ledger_rows = harness.ledger(scratch("m.run"), "SELECT count(*) FROM request")[0][0]
        check(ledger_rows < URLS // 10, ledger_rows, "rows in the ledger: patterns are to be lazy")
        child.kill()
        child.wait()


DETAILS = scaled(40_000, 3_000)
DETAILS_KIB = 150 * 1024
GROWTH_KIB = 16 * 1024  # a request in memory takes more than half a KiB


def found(run_dir):
    if not os.path.exists(os.path.join(run_dir, "ledger.db")):
        return 0
    return harness.ledger(run_dir, "SELECT max(id) FROM found")[0][0] or 0


def test_details__cost_next_to_nothing__when_queued():
    run_dir, job = scratch("d.run"), scratch("d.json")
    with harness.api("--fail", "0", "--products", str(DETAILS)) as server:
        with open(job, "w", encoding="utf-8") as file:
            json.dump({
                "name": "d", "base": server.url,
                "login": {"url": "/api/auth/login", "token": "/access_token",
                          "json": {"email": "demo@example.com", "password": "demo"}},
                "endpoints": [
                    {"name": "products", "url": "/api/products", "records": "/products",
                     "pages": {"param": "page", "size": 100, "size_param": "per_page",
                               "total": "/pagination/total"}},
                    {"name": "reviews", "url": "/api/products/{products.id}/reviews",
                     "records": "/items", "with": ["products.sku"]}],
            }, file)
        child = harness.scrapetop("run", "-o", run_dir, "-c", "8", job, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        wait_for(lambda: found(run_dir) > DETAILS // 8, "the first details")
        first_kib = harness.peak_kib(child.pid)
        wait_for(lambda: found(run_dir) >= DETAILS, "all details")
        peak_kib = harness.peak_kib(child.pid)
        print(f"peak RSS {first_kib} KiB with {DETAILS // 8} details, {peak_kib} KiB with {DETAILS}")
        check(peak_kib > 0, "the run has ended")
        check(harness.SMALL or peak_kib < DETAILS_KIB, "peak RSS", peak_kib, "KiB")
        check(harness.SMALL or peak_kib - first_kib < GROWTH_KIB,
              "details cost memory:", first_kib, "KiB, then", peak_kib, "KiB")
        child.kill()
        child.wait()


# --- bodies -----------------------------------------------------------------------------------------------

MIB = 1 << 20


class Endless(peer.Peer):
    """Every body goes on for ever, as fast as it is taken."""

    def __init__(self):
        super().__init__(None)

    def _one(self, peer_socket, stream):
        while stream.readline() not in (b"\r\n", b""):
            pass
        peer_socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            b"Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n")
        while True:
            peer_socket.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")


def peak_of(child):
    """Waits for its end; the most that it ever took, in KiB."""
    most = 0

    def is_over():
        nonlocal most
        most = max(most, harness.peak_kib(child.pid))
        return child.poll() is not None

    wait_for(is_over, "the end of the run")
    return most


def test_endless_bodies__stay_within_the_memory_of_all__at_a_cap_of_twenty():
    server = Endless()
    child = harness.scrapetop("run", "--plain", "-o", scratch("e.run"), "-c", "20", *BOUNDS, f"{server.url}/[1-20]",
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak_kib = peak_of(child)
    print(f"peak RSS {peak_kib} KiB of twenty endless bodies")
    check_equal(child.returncode, 3, "exit code")
    check_equal(harness.ledger(scratch("e.run"), "SELECT count(*) FROM request WHERE state=2")[0][0], 20,
                "bodies over --max-body")
    check(harness.SMALL or peak_kib < 400 * 1024, "peak RSS", peak_kib, "KiB")


def gzip_without_end():
    """Its head, and what may follow as often as one likes: close to the most that a body may expand."""
    packer = zlib.compressobj(wbits=31)
    head = packer.compress(b"[") + packer.flush(zlib.Z_FULL_FLUSH)
    digits = hashlib.shake_256(b"digits").hexdigest(350).encode()
    more = packer.compress(b'"' + digits + b'",' + b" " * (48 << 10)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head, more


def zstd_without_end(window_log):
    """The same by hand (RFC 8878): the memory that its window takes is for its sender to choose."""
    def block(kind, size, content):
        return struct.pack("<I", kind << 1 | size << 3)[:3] + content

    head = b"\x28\xb5\x2f\xfd\x00" + bytes([(window_log - 10) << 3])
    return head + block(0, 1, b"["), block(0, 700, b" " * 700) + block(1, 64 << 10, b" ")


class Expanding(peer.Peer):
    """Every body goes on for ever, and expands."""

    def __init__(self, coding, head, more):
        self.coding, self.head, self.more = coding, head, more
        super().__init__(None)

    def _one(self, peer_socket, stream):
        while stream.readline() not in (b"\r\n", b""):
            pass
        peer_socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: " +
                            self.coding + b"\r\n\r\n" + self.head)
        while True:
            peer_socket.sendall(self.more * 100)


def test_expanding_bodies__stay_within_the_memory_of_all__while_they_wait():
    for coding, (head, more) in ((b"gzip", gzip_without_end()), (b"zstd", zstd_without_end(23))):
        name = coding.decode()
        server = Expanding(coding, head, more)
        child = harness.scrapetop("run", "--plain", "-o", scratch(name + ".run"), "-c", "20", *BOUNDS,
                                  f"{server.url}/[1-20]", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak_kib = peak_of(child)
        print(f"peak RSS {peak_kib} KiB of twenty bodies of {name} without end")
        reasons = harness.ledger(scratch(name + ".run"), "SELECT reason FROM request WHERE state=2")
        check_equal(len(reasons), 20, "bodies over --max-body")
        check(all("--max-body" in reason for reason, in reasons), "why:", reasons)
        check(harness.SMALL or peak_kib < 300 * 1024, "peak RSS", peak_kib, "KiB")


def test_body__is_refused_at_once__when_its_window_is_over_eight_mib():
    server = Expanding(b"zstd", *zstd_without_end(27))
    child = harness.scrapetop("run", "--plain", "--retries", "0", "-o", scratch("w.run"), f"{server.url}/[1-20]",
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak_kib = peak_of(child)
    reasons = harness.ledger(scratch("w.run"), "SELECT DISTINCT reason FROM request WHERE state=2")
    check_equal(reasons, [("the zstd body needs a window of over 8 MiB",)], "why")
    check(harness.SMALL or peak_kib < 60 * 1024, "peak RSS", peak_kib, "KiB")


def test_honest_bodies__all_come_through__though_they_wait_for_memory():
    count, size = 20, scaled(12 * MIB, 2 * MIB)
    answer = peer.reply(b'{"a":"' + b"x" * size + b'"}')
    server = peer.Peer(lambda ask: answer)
    child = harness.scrapetop("run", "--plain", "--json", "-o", scratch("h.run"), "-c", "50", "--max-body", "16M",
                              "--memory", "64M", f"{server.url}/[1-{count}]", stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    peak_kib = peak_of(child)
    ended = harness.finish(child)
    print(f"peak RSS {peak_kib} KiB of {count} bodies of {size >> 20} MiB within 64 MiB")
    check_equal(ended.code, 0, f"exit code; {ended}")
    check_equal(ended.report()["ok"], count, "ok")
    check_equal(ended.report()["retried"], 0, "retried")
    events = harness.read(scratch("h.run/events.jsonl"))
    check(harness.SMALL or b'"event":"memory"' in events, "it is not told that they wait")
    check(harness.SMALL or peak_kib < 160 * 1024, "peak RSS", peak_kib, "KiB")


def test_table__is_refused_by_name__when_its_json_is_more_than_all_bodies_may_take():
    names = ",".join(f"a_rather_long_name_of_column_{i}" for i in range(10))
    body = (names + "\n" + "1,2,3,4,5,6,7,8,9,0\n" * 20_000).encode()  # 7 MiB of JSON
    server = peer.Peer(lambda ask: peer.reply(body, kind="text/csv"))
    ended = harness.succeed("run", "--plain", "-o", scratch("t.run"), "--memory", "4M", server.url, code=3)
    check(b"takes more as JSON than all bodies may (--memory)" in ended.err, "not told", ended)
    check_equal(server.total(), 1, "tries of what will not fit")
    ended = harness.succeed("run", "--plain", "-o", scratch("u.run"), "--memory", "16M", server.url)
    check(b"1/1 ok" in ended.err, "not read", ended)


if __name__ == "__main__":
    harness.main(globals())
