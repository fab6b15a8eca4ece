"""As little of HTTP/2 as a server needs that misbehaves on purpose; nghttpd and nginx are there for what works.

Http2Peer(answer, tls) listens on 127.0.0.1; answer(ask) gives the frames to send: put together by those below.
`ask.close = True` closes the connection behind them. Who speaks
HTTP/1.1 is answered with `older`, if there is one, but for the first `drops` of them. With `tls`, a server's context, it speaks HTTP/2 over TLS (ALPN
"h2" alone), else in clear text with prior knowledge. RFC 9113 says what the frames are.
"""

import contextlib
import socket
import ssl
import threading

import hpack

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
MAX_CONCURRENT_STREAMS = 3
NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED = 0, 2, 7, 8, 11, 13


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def head(stream, *fields, status="200", end=False):
    block = hpack.Encoder().encode([(":status", status), *fields], huffman=False)
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block)


def data(stream, body, end=True):
    return frame(DATA, END_STREAM if end else 0, stream, body)


def reset(stream, code):
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def go_away(last, code=NO_ERROR, text=b""):
    """`last` is the number of the last stream that is answered."""
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + text)


def whole(stream, body=b'{"a":1}'):
    return head(stream, ("content-type", "application/json"), ("content-length", str(len(body)))) + data(stream, body)


class Ask:
    """One request: stream (its number), path, headers; `nth` counts all, `connection` and `order` within it, from 0."""

    def __init__(self, stream, headers, nth, connection, order):
        self.stream, self.headers = stream, headers
        self.path = headers.get(":path", "")
        self.nth, self.connection, self.order = nth, connection, order
        self.close = False


class Http2Peer:
    """`asks` has all in order of coming, `connections` counts those that spoke HTTP/2, `strangers` those that did not."""

    def __init__(self, answer, tls=None, streams=100, older=None, drops=0):
        self.answer, self.tls, self.streams, self.older, self.drops = answer, tls, streams, older, drops
        self.asks, self.connections, self.strangers = [], 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def asked(self, path):
        return sum(ask.path == path for ask in self.asks)

    def _accept(self):
        while True:
            peer = self.listener.accept()[0]
            threading.Thread(target=self._open, args=(peer,), daemon=True).start()

    def _open(self, peer):
        with contextlib.suppress(OSError), peer:
            if self.tls:
                peer = self.tls.wrap_socket(peer, server_side=True)
            stream = peer.makefile("rb")
            first = stream.read(3)
            if first != b"PRI":
                with self.lock:
                    self.strangers += bool(first)
                    is_dropped = not self.older or self.strangers <= self.drops
                while first and not is_dropped:
                    while stream.readline().strip():
                        pass
                    peer.sendall(self.older)
                    first = stream.read(3)
                return
            stream.read(21)
            with self.lock:
                number = self.connections
                self.connections += 1
            self._serve(peer, stream, number)

    @staticmethod
    def _part(peer, stream):
        """What was sent arrives: a socket that is closed with bytes unread is reset."""
        (peer.unwrap if isinstance(peer, ssl.SSLSocket) else lambda: None)()
        peer.shutdown(socket.SHUT_WR)
        stream.read()

    def _serve(self, peer, stream, connection):
        decoder, order = hpack.Decoder(), 0
        peer.sendall(frame(SETTINGS, 0, 0, MAX_CONCURRENT_STREAMS.to_bytes(2, "big") + self.streams.to_bytes(4, "big")))
        while start := stream.read(9):
            payload = stream.read(int.from_bytes(start[:3], "big"))
            kind, flags, number = start[3], start[4], int.from_bytes(start[5:], "big")
            if kind == HEADERS:
                block = payload[5:] if flags & 0x20 else payload  # behind a priority
                with self.lock:
                    ask = Ask(number, dict(decoder.decode(block)), len(self.asks), connection, order)
                    self.asks.append(ask)
                order += 1
                peer.sendall(self.answer(ask))
                if ask.close:
                    self._part(peer, stream)
                    return
            elif kind in (SETTINGS, PING) and not flags & ACK:
                peer.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
