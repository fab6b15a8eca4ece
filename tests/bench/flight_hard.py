"""Ten thousand in flight at the worst: slow servers, refusals and timeouts of all at once, TLS, and a cap that is changed.

    flight_hard.py [--threads N] [NAME...]

Of each: the lag of the loop (and of those of threads that fetch), and how long a key takes, by the run's socket: a word
is sent and its reply awaited, twenty times a second. The client that asks shares the cores with the run and the server.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import socket
import subprocess
import tempfile
import threading
import time

import measure

IN_FLIGHT = 10_000
WANTED = "wanted: lag p99 50 ms, a key 100 ms"


class Run:
    """A plain run, and a client of its socket."""

    def __init__(self, directory, threads, *options):
        path = os.path.join(directory, "a.run")
        self.child = subprocess.Popen([measure.BINARY, "run", "--plain", "--json", "-o", path, "--threads", str(threads),
                                       "--retries", "0", "--max-fail", "100%", *options],
                                      env={**os.environ, "XDG_RUNTIME_DIR": directory}, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        while not os.path.exists(os.path.join(path, "control")):
            time.sleep(0.001)
        with open(os.path.join(path, "control"), encoding="utf-8") as file:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(json.load(file)["socket"])
        self.lines = self.socket.makefile("r")
        self.socket.sendall(b'{"hello":1,"as":"driver","frames":"none"}\n')
        self.lines.readline()
        self.lock = threading.Lock()
        self.keys_ms = []
        self.asker = threading.Thread(target=self.ask)
        self.asker.start()

    def say(self, words):
        """Milliseconds until the reply."""
        with self.lock:
            began = time.monotonic()
            self.socket.sendall(json.dumps({"seq": 1, "do": words}).encode() + b"\n")
            while True:
                line = self.lines.readline()
                if not line:
                    raise ConnectionError
                if "seq" in line:
                    return (time.monotonic() - began) * 1000

    def ask(self):
        with contextlib.suppress(OSError):
            while True:
                self.keys_ms.append(self.say("help"))
                time.sleep(0.05)

    def end(self):
        """The report, and KiB at most."""
        said = self.child.stdout.read()
        _, _, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = 0
        self.asker.join()
        self.socket.close()
        self.child.stdout.close()
        return json.loads(re.search(rb'\{"requests".*\}', said).group()), usage.ru_maxrss




@contextlib.contextmanager
def answers(directory, threads, latency="1s", jitter="0", count=6 * IN_FLIGHT, options=()):
    with measure.serve("--latency", latency, "--jitter", jitter) as address:
        yield Run(directory, threads, "-c", str(IN_FLIGHT), *options, f"{address}/posts/[1-{count}]")


@contextlib.contextmanager
def slow(directory, threads):
    with answers(directory, threads, "5500ms", "4500ms", 3 * IN_FLIGHT) as run:
        yield run


@contextlib.contextmanager
def refused(directory, threads):
    """All connections are refused, at once; the host is not held, as it is told to be no matter."""
    yield Run(directory, threads, "-c", str(IN_FLIGHT), f"http://127.0.0.1:{measure.free_port()}/posts/[1-{3 * IN_FLIGHT}]")


@contextlib.contextmanager
def timeouts(directory, threads):
    with measure.serve("--hang", "100%") as address:
        yield Run(directory, threads, "-c", str(IN_FLIGHT), "--max-time", "4s", f"{address}/posts/[1-{2 * IN_FLIGHT}]")


CONF = """daemon off; worker_processes 1; pid {d}/pid; error_log /dev/null; worker_rlimit_nofile 19000;
events {{ worker_connections 18000; }}
http {{ access_log off; keepalive_requests 100000; client_body_temp_path {d}; proxy_temp_path {d};
  fastcgi_temp_path {d}; uwsgi_temp_path {d}; scgi_temp_path {d};
  server {{ listen 127.0.0.1:{port} ssl backlog=4096; ssl_certificate {d}/c.pem; ssl_certificate_key {d}/k.pem;
    location / {{ default_type application/json; return 200 '{{"a":1}}'; }} }} }}
"""


@contextlib.contextmanager
def tls(directory, threads):
    port = measure.free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", f"{directory}/k.pem", "-out", f"{directory}/c.pem"],
                   check=True, capture_output=True)
    with open(f"{directory}/conf", "w", encoding="utf-8") as file:
        file.write(CONF.format(d=directory, port=port))
    os.chmod(directory, 0o755)
    child = subprocess.Popen(["/usr/sbin/nginx", "-c", f"{directory}/conf"], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield Run(directory, threads, "-c", str(IN_FLIGHT), "-k", "--connect-timeout", "60s", "--max-time", "90s",
                  f"https://127.0.0.1:{port}/[1-{3 * IN_FLIGHT}]")
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def changed(directory, threads):
    with measure.serve("--latency", "1s") as address:
        run = Run(directory, threads, "-c", "100", f"{address}/posts/[1-{5 * IN_FLIGHT}]")
        def change():
            with contextlib.suppress(OSError):
                for cap in (IN_FLIGHT, 100, IN_FLIGHT, 100, IN_FLIGHT):
                    time.sleep(2)
                    run.say(f"cap {cap}")
        changer = threading.Thread(target=change)
        changer.start()
        yield run
        changer.join()


SCENES = {"answers": answers, "slow": slow, "refused": refused, "timeouts": timeouts, "tls": tls, "changed": changed}


def main():
    options = argparse.ArgumentParser(prog="flight_hard.py")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("names", nargs="*", metavar="NAME")
    asked = options.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = []
    for name in asked.names or SCENES:
        with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
            with SCENES[name](directory, asked.threads) as run:
                report, kib = run.end()
        keys = sorted(run.keys_ms)
        rows.append((name, report["ok"], report["failed"], f"{report['loop_lag_p99_ms']:.0f}",
                     f"{keys[len(keys) * 99 // 100]:.0f}", f"{keys[-1]:.0f}",
                     f"{report['cpu_s'] * 1e6 / max(1, report['attempts']):.0f}", f"{kib / 1024:.0f}",
                     f"{report['wall_s']:.1f}"))
    print(f"{IN_FLIGHT} in flight, --threads {asked.threads}; {WANTED}")
    measure.table(("", "ok", "failed", "lag p99 ms", "key p99 ms", "key max", "CPU us/try", "MiB", "wall s"), rows)


if __name__ == "__main__":
    main()
