"""Fetching beside a table: requests a second and loop lag, without a table and while one is written after
the other.

Once the API takes its time, so that both the server and the client have most of the machine to spare;
once it takes none, so that the two keep two cores busy and the workers have only what is left over.
`n` is pressed in the dashboard of a terminal, and again as soon as a table is there; so the tables grow
with the run. The server is in the client's session, as Linux may share the cores out by session first,
and then no thread of one can give way to a process of another.
"""

import contextlib
import json
import os
import pty
import re
import select
import signal
import statistics
import subprocess
import tempfile
import time

import measure
from measure import BINARY

URLS = 16_000  # of some 8 KB
CAP = 50
ROUNDS = {50: 3, 0: 7}  # by latency in ms; without any, a run takes two seconds and they differ more
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


def become_client(run, latency_ms):
    """In the child: starts the server, and turns into the one that asks it."""
    os.environ["TERM"] = "xterm"
    server = subprocess.Popen([BINARY, "serve", "--latency", f"{latency_ms}ms"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().split()[-1]
    os.execv(BINARY, [BINARY, "run", "-o", run, "--json", "-c", str(CAP),
                      f"{url}/msapi/auctions/items?auctionid=[200001-{200000 + URLS}]"])


def scrape(latency_ms, with_tables):
    """(requests a second, p99 of the loop's lag in ms, tables that were begun)"""
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
        run = os.path.join(directory, "beside.run")
        child, terminal = pty.fork()
        if child == 0:
            become_client(run, latency_ms)
        presser = Presser(terminal, os.path.join(run, "127.0.0.1.csv")) if with_tables else None
        try:
            report = watch(terminal, run, presser)
        finally:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
        if report["ok"] != URLS:
            raise SystemExit(f"{report['ok']} of {URLS} bodies: the rate says nothing")
        return (report["ladder"][0]["req_per_s"], report["loop_lag_p99_ms"],
                presser.count if presser else 0)


def compare(latency_ms, count):
    alone, beside = [], []
    for _ in range(count):
        alone.append(scrape(latency_ms, False))
        beside.append(scrape(latency_ms, True))
    rows = [(name, *(statistics.median(column) for column in zip(*rounds)))
            for name, rounds in (("fetching alone", alone), ("beside tables", beside))]
    kept = statistics.median(b[0] / a[0] for a, b in zip(alone, beside))
    print(f"{URLS} auctions of 8 KB at cap {CAP}, {latency_ms} ms latency, median of {count} interleaved "
          "rounds")
    measure.table(("", "requests/s", "loop lag p99 ms", "tables"),
                  [(name, f"{rate:.0f}", f"{lag:.1f}", f"{tables:.0f}") for name, rate, lag, tables in rows])
    print(f"beside a table fetching keeps {kept:.0%} of its rate (median of the rounds' ratios; wanted "
          f"{RATE_KEPT:.0%}), lag p99 {rows[1][2]:.1f} ms (wanted under {LAG_P99_MS} ms)\n", flush=True)


def main():
    for latency_ms, count in ROUNDS.items():
        compare(latency_ms, count)


if __name__ == "__main__":
    main()
