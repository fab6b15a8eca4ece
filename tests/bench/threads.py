"""What threads that fetch take off the loop's: CPU a request of each, at 1 KB, at 20 KB, and at 20 KB over TLS.

Where cores are few the rate says little: with the server they are all busy. What counts is the loop thread's own CPU, for
it is one core that no number of threads adds to: its inverse is what a run may reach at the most.
"""

import contextlib
import json
import os
import re
import statistics
import subprocess
import tempfile

import fetch
import measure
from measure import BINARY

THREADS = (1, 2, 3)
ROUNDS = 3
TIMES = 50  # each file; with TLS the server is slower than any client
REQUESTS = fetch.FILES * TIMES
WANTED = "wanted: with 2 threads a share of at most 35 %"


@contextlib.contextmanager
def addresses_of(directory):
    """By what is fetched: two sizes in clear text, and one over TLS."""
    port = measure.free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", f"{directory}/key", "-out", f"{directory}/cert"], check=True, stderr=subprocess.DEVNULL)
    tls = (f"server {{ listen 127.0.0.1:{port} ssl backlog=1024; root {directory}/www; "
           f"ssl_certificate {directory}/cert; ssl_certificate_key {directory}/key; }}")
    with fetch.nginx(directory, tls) as addresses:
        yield {**addresses, "20 KB, TLS": f"https://127.0.0.1:{port}/lists"}


def run(address, threads):
    """The report of one run."""
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
        said = subprocess.run([BINARY, "run", "-o", os.path.join(directory, "t.run"), "--json", "-k", "-c", str(fetch.CAP),
                               "--threads", str(threads), f"{address}/[1-{fetch.FILES}]?n=[1-{TIMES}]"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    report = json.loads(re.search(rb'\{"requests".*\}', said).group())
    if report["ok"] != REQUESTS:
        raise SystemExit(f"{report['ok']} of {REQUESTS} bodies: the figures say nothing")
    return report


def figures(reports):
    rate, cpu_us, loop_us, lag_ms = (statistics.median(of(r) for r in reports) for of in (
        lambda r: REQUESTS / r["wall_s"], lambda r: r["cpu_s"] * 1e6 / REQUESTS,
        lambda r: r["loop_cpu_s"] * 1e6 / REQUESTS, lambda r: r["loop_lag_p99_ms"]))
    return f"{rate:.0f}", f"{cpu_us:.1f}", f"{loop_us:.1f}", f"{100 * loop_us / cpu_us:.0f} %", f"{lag_ms:.1f}"


def main():
    version = measure.version_of("nginx", "-v")
    if not version:
        print("missing: nginx (apt install nginx-light)\n")
        return
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as scratch, addresses_of(scratch) as addresses:
        for what, address in addresses.items():
            reports = {threads: [] for threads in THREADS}
            for _ in range(ROUNDS):
                for threads, of_all in reports.items():
                    of_all.append(run(address, threads))
            print(f"{REQUESTS} bodies of {what} at cap {fetch.CAP} from nginx {version}, {os.cpu_count()} cores, median of "
                  f"{ROUNDS} interleaved rounds; {WANTED}")
            measure.table(("threads", "req/s", "CPU us/req", "loop's us/req", "its share", "lag p99 ms"),
                          [(str(threads), *figures(of_all)) for threads, of_all in reports.items()])
            print(flush=True)


if __name__ == "__main__":
    main()
