"""tests/raw_replies.txt, and a server that plays them: /reply/N is the N-th of them, all else is right."""

import ast
import collections
import os
import re

import peer

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


class Server(peer.Peer):
    """Plays them on 127.0.0.1."""

    def __init__(self, replies):
        self.replies = replies
        super().__init__(self.play)

    def play(self, ask):
        if not ask.path.startswith("/reply/"):
            return RIGHT
        reply = self.replies[int(ask.path.split("/")[2])]
        ask.keep = reply.then in ("keep", "hang")
        ask.reset = reply.then == "reset"
        return reply.bytes
