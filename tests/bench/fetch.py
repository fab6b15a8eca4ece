"""Requests a second, CPU a request and memory, for 1 KB bodies on loopback.

nginx serves them when it is installed, because it leaves the most of the machine to the client; else our
own API does.
"""

import contextlib
import json
import os
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
}}
"""


def write_bodies(directory):
    os.makedirs(os.path.join(directory, "www", "items"))
    for number in range(1, FILES + 1):
        body = {"id": number, "title": f"item {number}", "text": "lorem ipsum dolor sit amet " * 34}
        with open(os.path.join(directory, "www", "items", str(number)), "w", encoding="ascii") as file:
            json.dump(body, file)


@contextlib.contextmanager
def nginx(directory):
    write_bodies(directory)
    os.chmod(directory, 0o755)
    port = measure.free_port()
    with open(os.path.join(directory, "conf"), "w", encoding="ascii") as file:
        file.write(CONFIG.format(dir=directory, port=port))
    child = subprocess.Popen(["/usr/sbin/nginx", "-p", directory, "-c", f"{directory}/conf", "-e",
                              f"{directory}/error.log"], stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if child.poll() is not None:
                raise SystemExit("nginx does not start")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}/items"
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def own_api():
    with measure.serve() as address:
        yield f"{address}/posts"


def main():
    version = measure.version_of("nginx", "-v")
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as scratch, \
            (nginx(scratch) if version else own_api()) as address:
        load = fetch_peers.Load(scratch, f"{address}/A?n=B", FILES, TIMES)
        peers = fetch_peers.all_of(load, CAP)
        peers += measure.installed([fetch_peers.curl_to_nowhere(load, CAP)], fetch_peers.ABSENT)
        results = measure.rounds(peers, ROUNDS, REQUESTS)
    server = f"nginx {version}" if version else "scrapetop serve (missing: nginx; apt install nginx-light)"
    print(f"{REQUESTS} bodies of 1 KB at cap {CAP} from {server}, median of {ROUNDS} interleaved rounds;\n"
          f"stored on {measure.file_system()}: a file a body, save for scrapetop's one")
    ours = results["scrapetop"]
    measure.table(
        ("client", "version", "req/s", "CPU us/req", "peak RSS MiB", "scrapetop is faster by"),
        [(p.name, p.version, f"{REQUESTS / r.wall_s:.0f}", f"{r.cpu_s * 1e6 / REQUESTS:.1f}",
          f"{r.rss_mib:.0f}", f"{r.wall_s / ours.wall_s:.2f}x") for p in peers
         for r in [results[p.name]]])


if __name__ == "__main__":
    main()
