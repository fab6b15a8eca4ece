"""A million patterned URLs: the first is asked for at once, and the queue costs next to no memory."""

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


if __name__ == "__main__":
    harness.main(globals())
