"""Digest authentication, against a server that counts: who sends an old nonce, a count twice or a wrong digest is refused."""

import collections
import hashlib
import re
import threading
import time

import harness
import jobs
import peer
from harness import check, check_equal, scratch

PASSWORD = "Qx7-planted:0123456789"
FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^,\s]+))')


class Digests:
    """Nonces are good for `uses`; with `says_stale` an old one is told so, else it is only refused (as by a server that
    has been started anew). `wants` is what the challenge names."""

    def __init__(self, uses=1 << 30, algorithm="MD5", says_stale=True, password=PASSWORD, wants="Digest"):
        self.uses, self.algorithm, self.says_stale, self.password = uses, algorithm, says_stale, password
        self.wants = wants
        self.left, self.counts, self.nonces = {}, {}, 0
        self.lock = threading.Lock()
        self.challenges, self.faults, self.good = 0, [], collections.Counter()
        self.server = peer.Peer(self.answer)
        self.url = self.server.url

    def hash(self, text):
        name = {"MD5": "md5", "SHA-256": "sha256"}[self.algorithm]
        return hashlib.new(name, text.encode()).hexdigest()

    def challenge(self, stale=False):
        self.challenges += 1
        self.nonces += 1
        nonce = f"n{self.nonces}"
        self.left[nonce], self.counts[nonce] = self.uses, 0
        line = f'WWW-Authenticate: {self.wants} realm="the realm", nonce="{nonce}", opaque="o", qop="auth", ' \
               f'algorithm={self.algorithm}' + (", stale=true" if stale else "")
        return peer.reply({"error": "who?"}, "401 Who", headers=[line])

    def wanted(self, ask, got):
        first = self.hash(f"{got['username']}:the realm:{self.password}")
        second = self.hash(f"{ask.method}:{ask.path}")
        return self.hash(f"{first}:{got['nonce']}:{got['nc']}:{got['cnonce']}:auth:{second}")

    def answer(self, ask):
        with self.lock:
            sent = ask.headers.get("authorization", "")
            if not sent.startswith("Digest "):
                if sent:
                    self.faults.append(sent)
                return self.challenge()
            got = {name: quoted or plain for name, quoted, plain in FIELD.findall(sent)}
            if self.left.get(got["nonce"], 0) == 0:
                return self.challenge(stale=self.says_stale)
            if got["response"] != self.wanted(ask, got) or got["uri"] != ask.path:
                return self.challenge()
            count = int(got["nc"], 16)
            if count <= self.counts[got["nonce"]]:
                self.faults.append(f"count {count} again")
            self.counts[got["nonce"]] = count
            self.left[got["nonce"]] -= 1
            self.good[ask.path] += 1
            return peer.reply({"path": ask.path, "got": ask.body.decode()})


def ask(server, name, *more, count=30, code=0, password=PASSWORD, url="/x/[1-{count}]?a=b%20c"):
    ended = harness.run("run", "--plain", "--json", "-c", "3", "-u", "anna:${P}", "--digest", *more, "-o", scratch(name + ".run"),
                        server.url + url.format(count=count), env=harness.environment(P=password))
    check(ended.code == code, f"wanted exit code {code}:", ended)
    check(password.encode() not in ended.out + ended.err, "said:", ended)
    for path, data in harness.everything_in(scratch(name + ".run")).items():
        check(password.encode() not in data and b"response=" not in data, path, "holds a credential")
    return ended


def test_challenge__is_answered__and_its_nonce_used_again():
    for algorithm in ("MD5", "SHA-256"):
        server = Digests(algorithm=algorithm)
        ask(server, algorithm)
        check_equal((sum(server.good.values()), len(server.good)), (30, 30), "answered well")
        check(1 <= server.challenges <= 3, "challenges:", server.challenges)  # one for each of three at once
        check_equal(server.faults, [], "sent before it was asked for, or a count twice")


def test_nonce_that_is_old__is_followed_by_the_next__told_or_not():
    for says_stale in (True, False):
        server = Digests(uses=4, says_stale=says_stale)
        name = f"stale-{says_stale}"
        ended = ask(server, name)
        check_equal((sum(server.good.values()), len(server.good)), (30, 30), "answered well")
        check(7 <= server.challenges <= 20, "challenges:", server.challenges)
        check_equal(harness.ledger(scratch(name + ".run"), "SELECT count(*) FROM request WHERE attempt > 1")[0][0], 0,
                    "tries that a nonce has cost")
        check(b'"failed":0' in ended.out, ended)


def test_answers_to_challenges__count_for_the_rate():
    """Each is a request on the wire: 12 URLs whose nonces are good for one are some 23 requests."""
    server = Digests(uses=1)
    began = time.monotonic()
    ask(server, "rate", "--rate", "10/s", count=12)
    took_s, sent = time.monotonic() - began, server.server.total()
    check_equal(sum(server.good.values()), 12, "answered well")
    check(sent >= 23, "asked:", sent)
    # Those in flight, and the burst, come before what they cost is known.
    check(took_s >= (sent - 3 * 2 - 2) / 10, sent, "requests in", took_s)


def test_wrong_password__stops_the_run__after_few_requests():
    server = Digests(password="another")
    ended = ask(server, "wrong", code=5, count=500)
    check(b"E-AUTH2" in ended.err and b"refuses the credential" in ended.err, ended)
    check(server.server.total() <= 20, "asked:", server.server.total())
    check(max(server.server.asked.values()) <= 2, "of one URL:", server.server.asked.most_common(1))
    again = Digests()
    job = jobs.write_job("again", base=again.url, endpoints=[{"name": "x", "url": "/x/{id}"}], vars={"id": "[1-9]"},
                         login={"digest": {"user": "anna", "password": "${P}"}})
    harness.succeed("run", "--plain", "-o", scratch("again.run"), job, env=harness.environment(P=PASSWORD))
    check_equal(len(again.good), 9, "answered well")


def test_server_that_wants_something_else__is_named():
    server = Digests(wants="Bearer")
    ended = ask(server, "bearer", code=5, count=50)
    check(b"it asks for Bearer" in ended.err, ended)
    plain = Digests()
    ended = harness.run("run", "--plain", "-u", "anna:${P}", "-o", scratch("basic.run"), plain.url + "/x/[1-9]",
                        env=harness.environment(P=PASSWORD))
    check(ended.code == 5 and b"it asks for Digest" in ended.err and b"--digest" in ended.err, ended)


def test_body__is_sent_once__after_the_challenge():
    server = Digests()
    ask(server, "post", "-X", "POST", "-d", "a=1", count=6)
    bodies = [a.body for a in server.server.asks if a.headers.get("authorization")]
    check_equal(bodies, [b"a=1"] * 6, "bodies with a credential")
    check_equal(len(server.good), 6, "answered well")


def test_redirect_to_another_origin__is_told_nothing():
    other = peer.Peer(lambda ask: peer.reply({"b": 2}))
    server = Digests()
    answer = server.server.answer

    def lead_away(ask):
        said = answer(ask)
        if said.startswith(b"HTTP/1.1 200"):
            return peer.reply({}, "302 There", headers=[f"Location: {other.url}{ask.path}"])
        return said

    server.server.answer = lead_away
    ask(server, "away", count=8)
    check_equal([a.headers.get("authorization") for a in other.asks], [None] * 8, "told the other origin")


if __name__ == "__main__":
    harness.main(globals())
