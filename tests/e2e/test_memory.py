"""A million patterned URLs: the first is asked for at once, and the queue costs next to no memory.
Details that listings name wait in the ledger: a million of them are to cost less than 150 MiB in all. That is
tried with fewer of them: held in memory, these would already cost more than is allowed here.
"""

import json
import os
import subprocess

import harness
from harness import check, scaled, scratch, wait_for

URLS = 1_000_000
PEAK_KIB = 100 * 1024
CAP = 100


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


if __name__ == "__main__":
    harness.main(globals())
