"""tests/raw_replies.txt, and a server that plays them: /reply/N is the N-th of them, all else is right."""

import ast
import collections
import os
import re
import socket
import struct
import threading

Reply = collections.namedtuple("Reply", "outcomes status then name bytes")

RIGHT_BODY = b'{"right":true}'
RIGHT = (b"HTTP/1.1 200 OK\r\nX-A: before\r\nContent-Length: %d\r\n\r\n" % len(RIGHT_BODY)) + RIGHT_BODY


def unescape(text):
    return ast.literal_eval('b"' + text.replace(r"\0", r"\x00") + '"')


def expand(text, at=0, inner=False):
    """The bytes that a text of the file stands for, and where it ends."""
    got, plain = b"", ""
    while at < len(text):
        times = re.compile(r"<<(\d+)\*").match(text, at)
        if times:
            once, at = expand(text, times.end(), True)
            got, plain = got + unescape(plain) + once * int(times.group(1)), ""
        elif inner and text.startswith(">>", at):
            return got + unescape(plain), at + 2
        else:
            step = 2 if text[at] == "\\" else 1
            plain += text[at:at + step]
            at += step
    return got + unescape(plain), at


def read():
    """All of the file, in order."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "raw_replies.txt")
    replies = []
    with open(path, encoding="ascii") as file:
        for line in file:
            if line[0] == '"':
                for text in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
                    replies[-1].bytes.append(expand(text)[0])
            elif line[0] not in "#\n":
                outcomes, status, then, name = line.split(None, 3)
                replies.append(Reply(outcomes.split("|"), int(status), then, name.strip(), []))
    return [reply._replace(bytes=b"".join(reply.bytes)) for reply in replies]


class Server:
    """Plays them on 127.0.0.1; `asked` counts by path."""

    def __init__(self, replies):
        self.replies = replies
        self.asked = collections.Counter()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer = self.listener.accept()[0]
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        seen = b""
        with peer:
            try:
                while True:
                    while b"\r\n\r\n" not in seen:
                        got = peer.recv(65536)
                        if not got:
                            return
                        seen += got
                    head, seen = seen.split(b"\r\n\r\n", 1)
                    if not self.answer(peer, head.split()[1].decode()):
                        return
            except OSError:
                pass

    def answer(self, peer, path):
        self.asked[path] += 1
        if not path.startswith("/reply/"):
            peer.sendall(RIGHT)
            return True
        reply = self.replies[int(path.split("/")[2])]
        peer.sendall(reply.bytes)
        if reply.then == "reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return reply.then in ("keep", "hang")
