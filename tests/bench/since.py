"""What an increment costs: a first run of all records, and one of what has changed since, a thousandth of them.

    since.py [--scale N] [--latency MS] [--cap N]     1 is 1,000,000 records in pages of 1,000, the default

Without a latency of the server the first run is as short as it can be, and what a process costs at all counts most.

The server has all pages ready and answers from memory, ?since= and ?page=, newest last. Tables are made after both and are
compared with what the server has; their time is told apart, as a table is made whole.
"""

import argparse
import json
import os
import socket
import tempfile
import threading
import time
import urllib.parse

import measure
from measure import BINARY

ROUNDS = 3
PAGE = 1000
CHANGED_AT = 2_000_000_000_000_000_000  # beyond what a double counts by ones


def record(number, at, version):
    return json.dumps({"id": number, "name": f"item {number}", "price": number % 997 / 10, "tags": ["a", "b"], "version": version,
                       "updated": at}, separators=(",", ":"))


def pages_of(rows):
    parts = [rows[at:at + PAGE] for at in range(0, len(rows), PAGE)] or [[]]
    return [f'{{"total":{len(rows)},"items":[{",".join(part)}]}}'.encode() for part in parts]


class Server:
    def __init__(self, count, latency_s):
        self.step, self.latency_s = count // 1000, latency_s
        self.first = pages_of([record(i, i, 0) for i in range(count)])
        self.later = pages_of([record(i * 1000, CHANGED_AT + i, 1) for i in range(self.step)])
        self.last = pages_of([record((self.step - 1) * 1000, CHANGED_AT + self.step - 1, 1)])
        self.requests = self.bytes = 0
        self.is_later = False
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, peer):
        with peer, peer.makefile("rb") as stream:
            while head := stream.readline():
                while stream.readline() not in (b"\r\n", b""):
                    pass
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(head.split()[1].decode()).query))
                time.sleep(self.latency_s)
                body = self.page(int(query["since"]), int(query["page"]))
                with self.lock:
                    self.requests += 1
                    self.bytes += len(body)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def page(self, since, number):
        pages = self.last if since >= CHANGED_AT else self.later if self.is_later and since else self.first
        empty = pages[0].partition(b"[")[0] + b"[]}"  # with the total of the others
        return pages[number - 1] if number <= len(pages) else empty

    def take(self):
        with self.lock:
            taken = self.requests, self.bytes
            self.requests = self.bytes = 0
        return taken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--latency", type=float, default=0)
    parser.add_argument("--cap", default="8")
    given = parser.parse_args()
    count = max(int(given.scale * 1000), 1) * 1000
    rounds = 1 if given.latency else ROUNDS
    server, results = Server(count, given.latency / 1000), {"first run": [], "increment": [], "its table": []}
    asked = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
            job = os.path.join(directory, "job.json")
            with open(job, "w", encoding="utf-8") as file:
                json.dump({"name": "items", "base": server.url, "tables": {"items": {"unique": ["id"]}}, "endpoints": [
                    {"name": "items", "url": "/items?since={since}", "records": "/items",
                     "pages": {"param": "page", "size": PAGE, "total": "/total"}, "since": {"at": "/updated", "start": 0}}]}, file)
            server.is_later = False
            for name in ("first run", "increment"):
                results[name].append(measure.measure([BINARY, "run", "--plain", "-c", given.cap, "-o", "items.run", job], directory))
                asked[name] = server.take()
                server.is_later = True
            results["its table"].append(measure.measure([BINARY, "normalise", "-o", "items.csv", "items.run"], directory))
            with open(os.path.join(directory, "items.csv"), encoding="utf-8") as table:
                versions = [line.split(",")[-2] for line in table][1:]
            if (len(versions), versions.count("1")) != (count, server.step):
                raise SystemExit(f"the table has {len(versions)} rows, {versions.count('1')} of them changed")
    middle = {name: sorted(them, key=lambda m: m.wall_s)[rounds // 2] for name, them in results.items()}
    first, rows = middle["first run"], []
    for name, m in middle.items():
        requests, size = asked.get(name, (0, 0))
        rows.append([name, f"{requests:,}", f"{size / 1e6:,.2f}", f"{m.wall_s:.3f}", f"{m.cpu_s:.3f}", f"{m.wall_s / first.wall_s:.4f}"])
    print(f"{count:,} records, {server.step:,} of them changed since")
    measure.table(["", "requests", "MB", "wall s", "CPU s", "of the first run"], rows)


if __name__ == "__main__":
    main()
