"""Fetching beside a table: requests a second and loop lag, without a table and while one is written after
the other.

The API takes its time, so that both the server and the client have most of the machine to spare: what
fetching loses then is what the workers take away from it. `n` is pressed in the dashboard of a
terminal, and again as soon as a table is there; so the tables grow with the run.
"""

import contextlib
import json
import os
import pty
import re
import select
import signal
import statistics
import tempfile
import time

import measure
from measure import BINARY

URLS = 16_000  # of some 8 KB
CAP = 50
LATENCY_MS = 50
ROUNDS = 3
LAG_P99_MS = 10
RATE_KEPT = 0.9


class Presser:
    """Presses `n` at first, and then whenever a table has come to its place."""

    def __init__(self, terminal, table):
        self.terminal, self.table, self.last, self.count = terminal, table, None, 0

    def look(self):
        now = None
        with contextlib.suppress(FileNotFoundError):
            now = os.stat(self.table).st_ino
        if self.count == 0 or now != self.last:
            self.last = now
            self.count += 1
            os.write(self.terminal, b"n")


def read(terminal):
    """What is on the screen by now; None when the other side is gone."""
    ready, _, _ = select.select([terminal], [], [], 0.02)
    try:
        return os.read(terminal, 1 << 16) if ready else b""
    except OSError:
        return None


def has_ended(run):
    with contextlib.suppress(FileNotFoundError), open(os.path.join(run, "events.jsonl"), "rb") as file:
        return b'"event":"end"' in file.read()
    return False


def watch(terminal, run, presser):
    """Reads the screen until the run has ended, quits, and gives the report that follows."""
    screen, looked = b"", 0
    while (more := read(terminal)) is not None:
        screen = (screen + more)[-65536:]
        if time.monotonic() - looked < 0.1:
            continue
        looked = time.monotonic()
        if has_ended(run):
            os.write(terminal, b"q")
            presser = None
        if presser:
            presser.look()
    return json.loads(re.search(rb'\{"requests".*\}', screen).group())


def scrape(url, with_tables):
    """(requests a second, p99 of the loop's lag in ms, tables that were begun)"""
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
        run = os.path.join(directory, "beside.run")
        child, terminal = pty.fork()
        if child == 0:
            os.environ["TERM"] = "xterm"
            os.execv(BINARY, [BINARY, "run", "-o", run, "--json", "-c", str(CAP),
                              f"{url}/msapi/auctions/items?auctionid=[200001-{200000 + URLS}]"])
        presser = Presser(terminal, os.path.join(run, "127.0.0.1.csv")) if with_tables else None
        try:
            report = watch(terminal, run, presser)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
        if report["ok"] != URLS:
            raise SystemExit(f"{report['ok']} of {URLS} bodies: the rate says nothing")
        return (report["ladder"][0]["req_per_s"], report["loop_lag_p99_ms"],
                presser.count if presser else 0)


def main():
    alone, beside = [], []
    with measure.serve("--latency", f"{LATENCY_MS}ms") as url:
        for _ in range(ROUNDS):
            alone.append(scrape(url, False))
            beside.append(scrape(url, True))
    rows = [(name, *(statistics.median(column) for column in zip(*rounds)))
            for name, rounds in (("fetching alone", alone), ("beside tables", beside))]
    kept = rows[1][1] / rows[0][1]
    print(f"{URLS} auctions of 8 KB at cap {CAP}, {LATENCY_MS} ms latency, median of {ROUNDS} interleaved "
          "rounds")
    measure.table(("", "requests/s", "loop lag p99 ms", "tables"),
                  [(name, f"{rate:.0f}", f"{lag:.1f}", f"{tables:.0f}") for name, rate, lag, tables in rows])
    print(f"beside a table fetching keeps {kept:.0%} of its rate (wanted {RATE_KEPT:.0%}), lag p99 "
          f"{rows[1][2]:.1f} ms (wanted under {LAG_P99_MS} ms)\n", flush=True)


if __name__ == "__main__":
    main()
