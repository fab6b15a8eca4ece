"""Ten thousand in flight: CPU a request, memory a transfer, and how late the loop's timers come.

Our own API answers after a second. The lag is the report's: how much later than due the run's ticks came, of
which there are ten a second; a key waits no longer than that.
"""

import json
import os
import re
import resource
import subprocess
import tempfile

import measure
from measure import BINARY

IN_FLIGHT = 10_000
REQUESTS = 6 * IN_FLIGHT
FEW = 100  # in flight, for what the program takes by itself
WANTED = "wanted: lag p99 50 ms, 60 us a request, 20 KB a transfer"


def fetch(address, in_flight, requests):
    """(the report, peak RSS in KiB)"""
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
        child = subprocess.Popen([BINARY, "run", "-o", os.path.join(directory, "f.run"), "--json", "-c",
                                  str(in_flight), f"{address}/posts/[1-{requests}]"],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
    report = json.loads(re.search(rb'\{"requests".*\}', said).group())
    if report["ok"] != requests:
        raise SystemExit(f"{report['ok']} of {requests} bodies: the figures say nothing")
    return report, usage.ru_maxrss


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < IN_FLIGHT + 1000:
        print(f"left out: {IN_FLIGHT} in flight (at most {hard} files may be open: ulimit -Hn)\n")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with measure.serve("--latency", "1s") as address:
        _, few_kib = fetch(address, FEW, 2 * FEW)
        report, many_kib = fetch(address, IN_FLIGHT, REQUESTS)
    print(f"{REQUESTS} requests that take a second, {IN_FLIGHT} in flight; {WANTED}")
    measure.table(("", "loop lag p99 ms", "CPU us/req", "KB a transfer", "wall s"),
                  [("scrapetop", f"{report['loop_lag_p99_ms']:.1f}",
                    f"{report['cpu_s'] * 1e6 / REQUESTS:.1f}",
                    f"{(many_kib - few_kib) * 1.024 / (IN_FLIGHT - FEW):.1f}", f"{report['wall_s']:.2f}")])


if __name__ == "__main__":
    main()
