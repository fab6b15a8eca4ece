"""A server that has one of the weathers, and counts what it sees.

    server.py NAME [CERTIFICATE_DIRECTORY]

Prints its port; when its stdin ends it prints what it has counted, as a JSON object, and ends. Every choice is made
from the URL and how often it was asked, so that each client meets the same mishaps.
"""

import asyncio
import dataclasses
import json
import signal
import socket
import ssl
import sys
import time
import urllib.parse

import weathers

HOSTS = ("127.0.0.1", "127.0.0.2")
UNDER_WAY_S = 0.15  # so long after a deadline was named, what comes may have left before it was read
REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found"}


@dataclasses.dataclass
class Ask:
    """What a weather may look at. Seconds are counted from the first request."""

    path: str
    query: dict
    host: str
    body: bytes
    number: int  # the last part of the path, or 0
    nth: int  # so often has this URL been asked before
    count: int  # so many requests came before, all in all
    in_flight: int  # with this one
    now: float


class Counts:
    def __init__(self):
        self.requests = self.refused = self.early = self.connections = 0
        self.in_flight = self.most_in_flight = 0
        self.statuses, self.seen = {}, {}
        self.first = self.held_from = self.held_until = None

    def arrived(self, now):
        if self.first is None:
            self.first = now
        if self.held_until is not None and self.held_from + UNDER_WAY_S < now < self.held_until - 0.005:
            self.early += 1
        self.requests += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def answered(self, now, answer):
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        self.refused += answer.is_refusal
        wait_s = answer.retry_at - time.time() if answer.retry_at else answer.retry_after_s
        if wait_s > 0 and (self.held_until is None or now + wait_s > self.held_until):
            if self.held_until is None or now > self.held_until:
                self.held_from = now
            self.held_until = now + wait_s

    def told(self):
        return {"requests": self.requests, "refused": self.refused, "early": self.early,
                "most_in_flight": self.most_in_flight, "connections": self.connections, "statuses": self.statuses}


class Connection(asyncio.Protocol):
    def __init__(self, server):
        self.server, self.counts = server, server.counts
        self.data, self.timer, self.is_busy = b"", None, False

    def connection_made(self, transport):
        self.transport = transport
        self.counts.connections += 1
        self.server.open.add(self)

    def connection_lost(self, _):
        self.server.open.discard(self)
        if self.timer:
            self.timer.cancel()
        self.done()

    def done(self):
        if self.is_busy:
            self.is_busy = False
            self.counts.in_flight -= 1

    def data_received(self, data):
        self.data += data
        if not self.is_busy:
            self.next_request()

    def next_request(self):
        head, blank, rest = self.data.partition(b"\r\n\r\n")
        if not blank:
            return
        lines = head.decode("latin-1").split("\r\n")
        split = (line.partition(":") for line in lines[1:])
        fields = {name.strip().lower(): value.strip() for name, _, value in split}
        size = int(fields.get("content-length", 0))
        if len(rest) < size:
            return
        self.data = rest[size:]
        self.arrived(lines[0].split(" ")[1], fields, rest[:size])

    def arrived(self, target, fields, body):
        now = time.monotonic()
        counts = self.counts
        count = counts.requests
        counts.arrived(now)
        self.is_busy = True
        path, _, query = target.partition("?")
        last = path.rpartition("/")[2]
        what = (path, query, body)
        nth = counts.seen.get(what, 0)
        counts.seen[what] = nth + 1
        host = fields.get("host", "").partition(":")[0]
        ask = Ask(path, dict(urllib.parse.parse_qsl(query)), host, body, int(last) if last.isdigit() else 0, nth,
                  count, counts.in_flight, now - counts.first)
        answer = self.server.weather.answer(self.server.layers, ask)
        if answer.act == "hang":
            return
        if answer.delay_s > 0:
            self.timer = asyncio.get_running_loop().call_later(answer.delay_s, self.send, answer)
        else:
            self.send(answer)

    def send(self, answer):
        self.timer = None
        if self.transport.is_closing():
            return
        if answer.act == "reset":
            self.counts.answered(time.monotonic(), dataclasses.replace(answer, status=0))
            self.done()
            self.transport.abort()
            return
        self.counts.answered(time.monotonic(), answer)
        fields = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'So')}", f"Content-Type: {answer.type}",
                  f"Content-Length: {len(answer.body)}", *answer.fields]
        head = ("\r\n".join(fields) + "\r\n\r\n").encode("latin-1")
        self.done()
        if answer.act == "cut":
            self.transport.write(head + answer.body[:len(answer.body) // 2])
            self.transport.close()
            return
        self.transport.write(head + answer.body)
        if self.data:
            self.next_request()


class Server:
    def __init__(self, weather, directory):
        self.weather, self.layers = weather, weather.layers()
        self.counts, self.open, self.listening = Counts(), set(), []
        self.tls = None
        if weather.is_tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(f"{directory}/cert.pem", f"{directory}/key.pem")
        # They only keep the port: what connects while nothing listens is refused.
        self.kept = [self.bound(HOSTS[0], 0)]
        self.port = self.kept[0].getsockname()[1]
        self.kept.append(self.bound(HOSTS[1], self.port))

    @staticmethod
    def bound(host, port):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
        return made

    async def listen(self):
        loop = asyncio.get_running_loop()
        for host in HOSTS:
            if host not in self.weather.dead_hosts:
                self.listening.append(await loop.create_server(
                    lambda: Connection(self), sock=self.bound(host, self.port), ssl=self.tls, backlog=512))

    def be_down(self):
        for one in self.listening:
            one.close()
        self.listening.clear()
        for connection in list(self.open):
            connection.transport.abort()

    async def live(self):
        """Up and down by turns, as the weather has it."""
        is_up = self.weather.begins_up
        for seconds in self.weather.turns():
            if is_up:
                await self.listen()
            await asyncio.sleep(seconds)
            if is_up:
                self.be_down()
            is_up = not is_up
        await self.listen()


async def main(name, directory):
    server = Server(weathers.named(name), directory)
    life = asyncio.ensure_future(server.live())
    await asyncio.sleep(0)
    print(server.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    life.cancel()
    print(json.dumps(server.counts.told()), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "."))
