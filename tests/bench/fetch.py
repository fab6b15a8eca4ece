"""Requests a second, CPU a request and memory, for bodies of 1 KB and of 20 KB on loopback.

nginx serves them when it is installed, because it leaves the most of the machine to the client; else our
own API does.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time

import fetch_peers
import measure

FILES, TIMES = 200, 100  # so many files, each so many times: the disk is not to be measured
REQUESTS = FILES * TIMES
CAP = 64
ROUNDS = 3

CONFIG = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; default_type application/json; keepalive_requests 1000000; tcp_nopush on;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    open_file_cache max=10000; sendfile on;
    server {{ listen 127.0.0.1:{port} backlog=1024; root {dir}/www; }}
    {more}
}}
"""


def small_body(number):
    return {"id": number, "title": f"item {number}", "text": "lorem ipsum dolor sit amet " * 34}


def list_body(number):
    """As many short members as may be: JSON of this kind takes the most to check."""
    return [{"id": number + i, "name": f"item-{i}", "price": i * 1.5, "tags": ["a", "b"], "ok": True}
            for i in range(330)]


KINDS = {"1 KB": ("items", small_body), "20 KB": ("lists", list_body)}


def write_bodies(directory):
    for folder, body_of in KINDS.values():
        os.makedirs(os.path.join(directory, "www", folder))
        for number in range(1, FILES + 1):
            path = os.path.join(directory, "www", folder, str(number))
            with open(path, "w", encoding="ascii") as file:
                json.dump(body_of(number), file, separators=(",", ":"))


@contextlib.contextmanager
def nginx(directory, more=""):
    """Addresses by the size of bodies. `more`: further servers."""
    write_bodies(directory)
    os.chmod(directory, 0o755)
    port = measure.free_port()
    with open(os.path.join(directory, "conf"), "w", encoding="ascii") as file:
        file.write(CONFIG.format(dir=directory, port=port, more=more))
    child = subprocess.Popen(["/usr/sbin/nginx", "-p", directory, "-c", f"{directory}/conf", "-e",
                              f"{directory}/error.log"], stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if child.poll() is not None:
                raise SystemExit("nginx does not start")
            time.sleep(0.01)
        yield {size: f"http://127.0.0.1:{port}/{folder}" for size, (folder, _) in KINDS.items()}
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def own_api():
    with measure.serve() as address:
        yield {"1 KB": f"{address}/posts"}


def wrk_rate(url):
    """Requests a second of who parses little and keeps nothing: the machine's limit. None without it."""
    with contextlib.suppress(OSError, AttributeError):
        said = subprocess.run(["wrk", "-t1", f"-c{CAP}", "-d2s", url], capture_output=True, text=True,
                              check=True)
        return float(re.search(r"Requests/sec:\s+([\d.]+)", said.stdout).group(1))
    return None


def compare(size, address, server, scratch):
    load = fetch_peers.Load(scratch, f"{address}/A?n=B", FILES, TIMES)
    peers = fetch_peers.all_of(load, CAP)
    peers += measure.installed([fetch_peers.curl_to_nowhere(load, CAP),
                                fetch_peers.bare(load, CAP, scratch)], fetch_peers.ABSENT)
    results = measure.rounds(peers, ROUNDS, REQUESTS)
    print(f"{REQUESTS} bodies of {size} at cap {CAP} from {server}, median of {ROUNDS} interleaved rounds;\n"
          f"stored on {measure.file_system()}: a file a body, save for scrapetop and libcurl alone")
    ours = results["scrapetop"]
    measure.table(
        ("client", "version", "req/s", "CPU us/req", "peak RSS MiB", "scrapetop is faster by", "CPU by"),
        [(p.name, p.version, f"{REQUESTS / r.wall_s:.0f}", f"{r.cpu_s * 1e6 / REQUESTS:.1f}",
          f"{r.rss_mib:.0f}", f"{r.wall_s / ours.wall_s:.2f}x", f"{r.cpu_s / ours.cpu_s:.2f}x")
         for p in peers for r in [results[p.name]]])
    rate = wrk_rate(f"{address}/1")
    if rate:
        print(f"wrk: {rate:.0f} requests/s; scrapetop {REQUESTS / ours.wall_s / rate:.2f} of that\n", flush=True)
    else:
        print("missing: wrk (apt install wrk)\n", flush=True)


def main():
    version = measure.version_of("nginx", "-v")
    server = f"nginx {version}" if version else "scrapetop serve (missing: nginx; apt install nginx-light)"
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as scratch, \
            (nginx(scratch) if version else own_api()) as addresses:
        for size, address in addresses.items():
            compare(size, address, server, scratch)


if __name__ == "__main__":
    main()
