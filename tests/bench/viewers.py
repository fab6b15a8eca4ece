"""What viewers of a live run cost it: eight of them, one stopped and one at a byte a second, and one at 4 Hz.

Each asks for four frames a second, as attach does. What is wanted: requests a second and the loop's lag within 2 %, 10 MiB
of memory; half a percent of a core for one viewer. On a machine that is busy otherwise the figures say nothing.
"""

import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

import dashboard
import measure

ROUNDS = 5
REQUESTS = 12000
SECONDS = 10
HELLO = '{"hello":1,"as":"viewer","frames":"snapshot","every_ms":%d,"events":true}\n'


def wait_for(condition):
    while not condition():
        time.sleep(0.01)


class Run:
    """A plain run whose socket can be connected to."""

    def __init__(self, directory, url, *options):
        self.directory = directory
        path = os.path.join(directory, "a.run")
        self.child = subprocess.Popen([measure.BINARY, "run", "--plain", "--json", "-o", path, "--metrics-file",
                                       os.path.join(directory, "end.prom"), *options, url],
                                      env={**os.environ, "XDG_RUNTIME_DIR": directory}, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(os.path.join(path, "control")))
        with open(os.path.join(path, "control"), encoding="utf-8") as file:
            self.socket = json.load(file)["socket"]
        self.stop = threading.Event()

    def view(self, every_ms, bytes_s=None, reads=True):
        """A client that reads all, so many bytes a second, or nothing."""
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.socket)
        client.sendall((HELLO % every_ms).encode())
        if reads:
            threading.Thread(target=self.drain, args=(client, bytes_s), daemon=True).start()
        return client

    def drain(self, client, bytes_s):
        with contextlib.suppress(OSError):
            while client.recv(1 if bytes_s else 1 << 20) and not (bytes_s and self.stop.wait(1 / bytes_s)):
                pass

    def end(self):
        """Requests a second, MiB at most, milliseconds of lag."""
        report = json.loads(self.child.stdout.read())
        _, _, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = 0
        self.stop.set()
        with open(os.path.join(self.directory, "end.prom"), encoding="utf-8") as file:
            lag = float(re.search(r"loop_lag_seconds\{[^}]*\} (\S+)", file.read()).group(1))
        return report["ok"] / report["wall_s"], usage.ru_maxrss / 1024, lag * 1000


def eight(url):
    results = {0: [], 8: []}
    for _ in range(ROUNDS):
        for viewers, rows in results.items():
            with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
                run = Run(directory, f"{url}/posts/[1-{REQUESTS}]", "-c", "32")
                clients = [run.view(250, 1 if i == 1 else None, i > 0) for i in range(viewers)]
                rows.append(run.end())
                for client in clients:
                    client.close()
    return {viewers: [statistics.median(column) for column in zip(*rows)] for viewers, rows in results.items()}


def cost_of_one(url):
    """CPU of a core in percent, without and with a viewer at 4 Hz, by turns."""
    costs = {False: [], True: []}
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
        run = Run(directory, f"{url}/posts/[1-1000000]", "-c", "50")
        time.sleep(3)
        for _ in range(ROUNDS):
            for is_viewed, rows in costs.items():
                client = run.view(250) if is_viewed else None
                before, began = dashboard.cpu_s(run.child.pid), time.monotonic()
                time.sleep(SECONDS)
                rows.append((dashboard.cpu_s(run.child.pid) - before) / (time.monotonic() - began) * 100)
                if client:
                    client.close()
        run.child.send_signal(signal.SIGKILL)
        run.child.wait()
    return statistics.median(costs[False]), statistics.median(costs[True])


def main():
    with measure.serve("--latency", "20ms") as url:
        medians = eight(url)
    for viewers, (rate, memory, lag) in medians.items():
        print(f"{viewers} viewers: {rate:8.1f} req/s  {memory:6.1f} MiB  lag p99 {lag:6.2f} ms")
    print(f"with eight: {medians[8][0] / medians[0][0] * 100 - 100:+.1f} % req/s, {medians[8][1] - medians[0][1]:+.1f} MiB, "
          f"lag {medians[8][2] - medians[0][2]:+.2f} ms")
    with measure.serve("--latency", "1s") as url:
        without, with_one = cost_of_one(url)
    print(f"one at 4 Hz: {with_one - without:.2f} % of a core ({without:.2f} % without)")


if __name__ == "__main__":
    main()
