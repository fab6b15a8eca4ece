"""A server of a few lines, for what the embedded API does not say.

Peer(answer) listens on 127.0.0.1; answer(ask) gives the bytes of the answer, or None to close the connection;
`ask.keep = False` closes it after the answer, `ask.reset = True` with a reset. With `tls`, a server's context, it
speaks https.
"""

import collections
import contextlib
import json
import socket
import struct
import threading


class Ask:
    """One request: method, path (with its query), headers (names in lower case), body; number counts all."""

    def __init__(self, head, body, number):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path = lines[0].split()[:2]
        self.headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
        self.body = body
        self.number = number
        self.keep = True
        self.reset = False


def reply(body=b'{"a":1}', status="200 OK", kind="application/json", headers=()):
    """An HTTP answer; a body that is no bytes is sent as JSON, without a kind there is no Content-Type."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    types = [f"Content-Type: {kind}"] if kind else []
    lines = [f"HTTP/1.1 {status}", *types, f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Peer:
    """`asked` counts by path, `asks` has all in order of coming."""

    def __init__(self, answer, tls=None, listener=None):
        self.answer = answer
        self.tls = tls
        self.asked = collections.Counter()
        self.asks = []
        self.lock = threading.Lock()
        self.listener = listener or socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def total(self):
        return sum(self.asked.values())

    def paths(self):
        """What was asked, in order of coming."""
        with self.lock:
            return [ask.path for ask in self.asks]

    def _accept(self):
        while True:
            peer = self.listener.accept()[0]
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with contextlib.suppress(OSError), peer:
            if self.tls:
                peer = self.tls.wrap_socket(peer, server_side=True)
            with peer, peer.makefile("rb") as stream:
                while self._one(peer, stream):
                    pass

    def _one(self, peer, stream):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline(1 << 20)
            if not line:
                return False
            head += line
        ask = Ask(head[:-4], b"", 0)
        ask.body = stream.read(int(ask.headers.get("content-length", 0)))
        with self.lock:
            self.asked[ask.path] += 1
            self.asks.append(ask)
            ask.number = len(self.asks)
        answer = self.answer(ask)
        if answer is None:
            return False
        peer.sendall(answer)
        if ask.reset:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return ask.keep
