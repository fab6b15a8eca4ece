"""The weathers: what each server does to its clients, and what is expected of scrapetop there.

A weather of our own server is a list of layers: the first that has an answer gives it, else the item itself is sent.
"""

import dataclasses
import email.utils
import itertools
import json
import math
import time
import zlib

from limiters import Bucket, Changes, FixedWindow, Shared, SlidingWindow, StrictBucket

JSON, HTML = "application/json", "text/html; charset=utf-8"
LOGIN_PAGE = b"<!doctype html><html><title>Sign in</title><form><input name=user></form></html>"
PAGES, PAGE_SIZE = 6, 10


@dataclasses.dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    type: str = JSON
    fields: tuple = ()
    delay_s: float = 0
    act: str = "send"  # hang, cut, reset
    is_refusal: bool = False
    retry_after_s: float = 0  # as the field says it, ...
    retry_at: float = 0  # ... or the moment that it names


# --- layers: Ask -> Answer or None ---------------------------------------------------------------------


def part_of(ask, part, salt):
    """True for that part of all tries, always the same ones."""
    return zlib.crc32(f"{salt}/{ask.path}/{ask.nth}".encode()) / 2**32 < part


def says(status, **more):
    return Answer(status, json.dumps({"error": f"so it is: {status}"}).encode(), **more)


def always(test, answer):
    return lambda ask: answer if test(ask) else None


def sometimes(part, answer, salt=""):
    return lambda ask: answer if part_of(ask, part, salt) else None


def limit(limiter, status=429, told=None, delay_s=0):
    """told: seconds, date, or None for no header at all; in whole seconds, upwards: never too early. A number is
    told whatever the limiter is about to do, and a negative one is a date in the past. delay_s: of refusals."""
    def layer(ask):
        wait_s = limiter.wait_s(ask.now)
        if wait_s == 0:
            return None
        if told is None:
            return says(status, is_refusal=True, delay_s=delay_s)
        if told in ("seconds", "date"):
            return told_to_wait(status, math.ceil(wait_s), told)
        return says(status, is_refusal=True, retry_after_s=max(0, told), fields=(f"Retry-After: {as_field(told)}",))
    return layer


def refuses(limiter, answer):
    """answer: how long until one is let in -> what says so."""
    def layer(ask):
        wait_s = limiter.wait_s(ask.now)
        return answer(wait_s) if wait_s else None
    return layer


def forbidden(wait_s):
    return says(403, is_refusal=True, fields=("X-RateLimit-Remaining: 0",
                                              f"X-RateLimit-Reset: {math.ceil(time.time() + wait_s)}"))


def told_in_ms(wait_s):
    return says(429, is_refusal=True, fields=(f"x-ms-retry-after-ms: {math.ceil(wait_s * 1000)}",))


def told_in_part(wait_s):
    return says(429, is_refusal=True, retry_after_s=wait_s, fields=(f"Retry-After: {wait_s + 0.01:.2f}",))


def as_field(told):
    return told if told >= 0 else email.utils.formatdate(time.time() + told, usegmt=True)


def by_host(**limits):
    """host0 and host1, each with a layer of its own."""
    return lambda ask: limits["host0" if ask.host == "127.0.0.1" else "host1"](ask)


def told_to_wait(status, seconds, form="seconds"):
    if form == "date":
        at = math.ceil(time.time() + seconds)
        return says(status, is_refusal=True, retry_at=at,
                    fields=(f"Retry-After: {email.utils.formatdate(at, usegmt=True)}",))
    return says(status, is_refusal=True, retry_after_s=seconds, fields=(f"Retry-After: {seconds}",))


def at_once(most, status=503):
    return lambda ask: says(status, is_refusal=True) if ask.in_flight > most else None


class Quota:
    """Tells what is left in each answer, as many APIs do."""

    def __init__(self, count, window_s):
        self.window = FixedWindow(count, window_s)

    def __call__(self, ask):
        wait_s = self.window.wait_s(ask.now)
        left = self.window.left
        fields = (f"X-RateLimit-Limit: {self.window.count}", f"X-RateLimit-Remaining: {left}",
                  f"X-RateLimit-Reset: {math.ceil(time.time() + self.window.ends_in_s(ask.now))}")
        if wait_s:
            return says(429, is_refusal=True, fields=fields)
        return dataclasses.replace(item(ask), fields=fields)


class Uses:
    """A bearer token that is good so often."""

    def __init__(self, most):
        self.left = most

    def __call__(self, _):
        self.left -= 1
        return says(401, fields=('WWW-Authenticate: Bearer error="invalid_token"',)) if self.left < 0 else None


class Outage:
    """After so many requests, so many seconds of this answer."""

    def __init__(self, after, seconds, answer):
        self.after, self.seconds, self.answer, self.began = after, seconds, answer, None

    def __call__(self, ask):
        if ask.count < self.after:
            return None
        if self.began is None:
            self.began = ask.now
        left_s = self.began + self.seconds - ask.now
        return self.answer(left_s) if left_s > 0 else None


def item(ask):
    return Answer(body=json.dumps({"id": ask.number, "name": f"item {ask.number}", "price": {"amount": 1.5},
                                   "text": "lorem ipsum " * 20}).encode())


def big_item(ask):
    head = json.dumps({"id": ask.number, "text": ""}).encode()[:-2]
    return Answer(body=head + b"lorem ipsum " * 350_000 + b'"}')


def page(ask, **more):
    first = (int(ask.query.get("page", 1)) - 1) * PAGE_SIZE
    items = [{"id": n + 1} for n in range(first, min(first + PAGE_SIZE, PAGES * PAGE_SIZE))]
    return Answer(body=json.dumps({"items": items, **more}).encode())


def graphql_page(ask):
    after = int((json.loads(ask.body).get("variables") or {}).get("after") or 0)
    items = [{"id": n + 1} for n in range(after, min(after + PAGE_SIZE, PAGES * PAGE_SIZE))]
    end = after + len(items)
    data = {"items": items, "end": str(end), "more": end < PAGES * PAGE_SIZE}
    return Answer(body=json.dumps({"data": data}).encode())


def graphql_errors_once(ask):
    third = (json.loads(ask.body).get("variables") or {}).get("after") == "20"
    said = {"data": None, "errors": [{"message": "Something went wrong"}]}
    return Answer(body=json.dumps(said).encode()) if third and ask.nth == 0 else None


# --- the table ---------------------------------------------------------------------------------------


def items(count, path="items", host=0):
    return [f"http://{{host{host}}}/{path}/{n}" for n in range(1, count + 1)]


def spread(rare, common):
    """The rare ones at equal distances among the others, the first of them first."""
    step = len(common) // len(rare)
    return list(itertools.chain.from_iterable(
        [one, *common[n * step:(n + 1) * step if n + 1 < len(rare) else None]] for n, one in enumerate(rare)))


@dataclasses.dataclass
class Weather:
    name: str
    what: str
    urls: list = dataclasses.field(default_factory=list)  # {host0} and {host1} are filled in
    layers: object = list  # () -> the layers, anew
    latency_s: float = 0.02
    item: object = item
    server: str = "own"  # or one of servers.py
    config: object = None  # what that server takes
    listing: str = ""  # pages, graphql: a job in the place of URLs
    job: dict = dataclasses.field(default_factory=dict)
    good: int = -1  # so many can be had; -1: all
    dying: int = 0  # so many URLs use all their tries up: how long that takes is a matter of chance
    exits: tuple = (0,)
    cause: str = ""  # what scrapetop's words must match
    sent_most: int = 0  # more requests (or connections) than these are hammering; 0: any
    bound_s: float = 0  # what peers do is no measure here: this is
    options: tuple = ()
    token: str = ""  # for Authorization: Bearer
    is_tls: bool = False
    dead_hosts: tuple = ()
    begins_up: bool = True
    turns: object = tuple  # () -> seconds up and down by turns; after the last it stays up
    refused_most: float = 0  # part of the requests: a bound of its own, beside the peer's

    def answer(self, layers, ask):
        for layer in layers:
            answer = layer(ask)
            if answer:
                break
        else:
            answer = self.item(ask)
        return answer if answer.delay_s else dataclasses.replace(answer, delay_s=self.latency_s)

    @property
    def count(self):
        return PAGES * PAGE_SIZE if self.listing else len(self.urls)

    @property
    def wanted(self):
        return self.good if self.good >= 0 else self.count


# What its words must tell; of what healed by itself, that it was tried again.
NO_CAUSE = ""
LIMITED = r"[1-9]\d* 429|\(429|(?i:learned rate)|rate-bound|server-bound"
TOLD = LIMITED + r"|BUDGET|QUOTA"
REFUSED_503 = LIMITED + r"|\(503|HTTP 503|[1-9]\d* 503"
HEALED = r"[1-9]\d* (retried|sent once more)"
SERVE = ["--limit", "20/s", "--fail", "5%", "--hang", "2%", "--latency", "20ms"]
FAILS = dict(exits=(3,))
STOPS = dict(exits=(3, 4, 5, 7))


def changing_latency():
    return [lambda ask: dataclasses.replace(item(ask), delay_s=0.05 if ask.now < 5 else 1.0)]


def slow_at_first(ask):
    return dataclasses.replace(item(ask), delay_s=4.0) if ask.now < 4 else None


def moved(ask):
    if ask.path.startswith("/items/"):
        return Answer(301, b"", fields=(f"Location: /v2{ask.path}",))
    return None


def login_after(count):
    def layer(ask):
        if ask.path == "/login":
            return Answer(200, LOGIN_PAGE, HTML)
        return Answer(302, b"", fields=("Location: /login",)) if ask.count >= count else None
    return layer


def nginx(location, zone=""):
    return dict(server="nginx", config=(location, zone))


def busy_every(period_s, busy_s):
    return lambda ask: says(503, is_refusal=True) if ask.now % period_s < busy_s and ask.now > 1 else None


ISSUE = [
    Weather("six-502", "6 of 300 URLs answer 502 for good", items(300), lambda: [always(lambda a: a.number % 50 == 0,
            says(502))], good=294, dying=6, cause=r"502", **FAILS),
    Weather("tenth-500", "every tenth answer of 5,000 URLs is a 500", items(5000),
            lambda: [sometimes(0.1, says(500))], cause=HEALED),
    Weather("limit-fail-hang", "scrapetop serve --limit 20/s --fail 5% --hang 2%", items(300, "posts"),
            server="serve", config=SERVE, cause=TOLD + r"|after a timeout"),
    Weather("first-ten-500", "the first 10 of 110 URLs answer 500 for good", items(110),
            lambda: [always(lambda a: a.number <= 10, says(500))], good=100, dying=10, cause=r"500", **FAILS),
    Weather("endpoint-broken", "two endpoints of a host, one answers 500",
            spread(items(20, "bad"), items(200, "good")),
            lambda: [always(lambda a: a.path.startswith("/bad"), says(500))], good=200, dying=20, cause=r"500",
            **FAILS),
    Weather("bucket-80", "429 without Retry-After: 80/s, burst 10", items(1000), lambda: [limit(Bucket(80, 10))],
            cause=LIMITED),
    Weather("bucket-80-told", "the same with Retry-After: 1", items(1000),
            lambda: [limit(Bucket(80, 10), told="seconds")], cause=LIMITED),
    Weather("nginx-50", "nginx limit_req 50r/s burst=10 nodelay, 429", items(1000), cause=LIMITED,
            **nginx("limit_req zone=all burst=10 nodelay;")),
    Weather("nginx-50-auto", "the same with --auto", items(1000), cause=LIMITED, options=("--auto",),
            refused_most=0.01, **nginx("limit_req zone=all burst=10 nodelay;")),
    Weather("page-error-once", "page 3 of 6 answers once 200 with an error", listing="pages",
            layers=lambda: [lambda ask: Answer(body=b'{"error":"backend timeout"}')
                            if ask.query.get("page") == "3" and ask.nth == 0 else None],
            item=page, job={"pages": {"param": "page"}, "records": "/items"}),
    Weather("page-error-total", "the same, and the total is told", listing="pages",
            layers=lambda: [lambda ask: Answer(body=b'{"error":"backend timeout"}')
                            if ask.query.get("page") == "3" and ask.nth == 0 else None],
            item=lambda ask: page(ask, total=PAGES * PAGE_SIZE),
            job={"pages": {"param": "page", "size": PAGE_SIZE, "total": "/total"}, "records": "/items"}),
    Weather("graphql-errors", "page 3 of 6 answers once GraphQL errors with null data", listing="graphql",
            layers=lambda: [graphql_errors_once], item=graphql_page,
            job={"method": "POST", "json": {"query": "{ items }", "variables": {"after": None}},
                 "pages": {"cursor": "/data/end", "param": "/variables/after", "has_more": "/data/more"},
                 "records": "/data/items"}),
    Weather("404-is-none", "every tenth item is not there: 404, told to be empty", items(300),
            lambda: [always(lambda a: a.number % 10 == 0, says(404))], good=270, exits=(0,), cause=r"404",
            options=("--answer", "status=404 do=empty")),
    Weather("token-ends", "a bearer token in -H ends after 50 of 1,000", items(1000), lambda: [Uses(50)], good=50,
            token="s3cret-t0ken", exits=(5,), cause=r"E-AUTH|401", sent_most=80, bound_s=5),
]

LIMITS = [
    Weather("nginx-503", "nginx as it comes: limit_req 50r/s burst=10 nodelay, 503", items(500), cause=REFUSED_503,
            **nginx("limit_req zone=all burst=10 nodelay; limit_req_status 503;")),
    Weather("nginx-delay", "nginx limit_req 50r/s burst=20, delayed", items(400), cause=NO_CAUSE,
            **nginx("limit_req zone=all burst=20;")),
    Weather("nginx-no-burst", "nginx limit_req 50r/s without burst", items(400), cause=LIMITED,
            **nginx("limit_req zone=all;")),
    Weather("nginx-conn-4", "nginx limit_conn 4, bodies that take half a second", items(80),
            cause=REFUSED_503, **nginx("limit_conn conns 4; limit_conn_status 503; limit_rate 20k;", "slow")),
    Weather("express-told", "express-rate-limit 100 per 2 s, Retry-After and RateLimit", items(600), server="express",
            config={"limit": 100, "windowMs": 2000, "standardHeaders": "draft-7"}, cause=TOLD),
    Weather("express-bare", "express-rate-limit 100 per 2 s, no headers", items(600), server="express",
            config={"limit": 100, "windowMs": 2000, "standardHeaders": False, "legacyHeaders": False}, cause=LIMITED),
    Weather("window-1s", "40 in each second, no header", items(400), lambda: [limit(FixedWindow(40, 1))],
            cause=LIMITED),
    Weather("window-10s", "250 in each 10 s, no header", items(600), lambda: [limit(FixedWindow(250, 10))],
            cause=LIMITED),
    Weather("window-10s-told", "250 in each 10 s, Retry-After", items(600),
            lambda: [limit(FixedWindow(250, 10), told="seconds")], cause=LIMITED),
    Weather("window-10s-date", "the same as a date", items(600),
            lambda: [limit(FixedWindow(250, 10), told="date")], cause=LIMITED),
    Weather("window-quota", "200 in each 5 s, X-RateLimit-*", items(500), lambda: [Quota(200, 5)],
            cause=TOLD),
    Weather("sliding-1s", "40 in any second, no header", items(400), lambda: [limit(SlidingWindow(40, 1))],
            cause=LIMITED),
    Weather("sliding-10s", "250 in any 10 s, Retry-After", items(600),
            lambda: [limit(SlidingWindow(250, 10), told="seconds")], cause=LIMITED),
    Weather("at-once-4", "503 beyond 4 at once, no header", items(250), lambda: [at_once(4)], latency_s=0.1,
            cause=REFUSED_503),
    Weather("503-limit", "503 without a header beyond 50/s, burst 5", items(500), lambda: [limit(Bucket(50, 5), 503)],
            cause=REFUSED_503),
    Weather("burst-of-others", "1 s in 4 all are refused: 503", items(800), lambda: [busy_every(4, 1)], latency_s=0.1,
            cause=REFUSED_503 + "|" + HEALED),
    Weather("nginx-50-cap1", "nginx limit_req 50r/s burst=10 nodelay, cap 1", items(300), cause=NO_CAUSE,
            options=("-c", "1"), **nginx("limit_req zone=all burst=10 nodelay;")),
    Weather("nginx-50-cap30", "the same with cap 30", items(1000), cause=LIMITED, options=("-c", "30"),
            **nginx("limit_req zone=all burst=10 nodelay;")),
    Weather("nginx-50-cap64", "the same with cap 64", items(1000), cause=LIMITED, options=("-c", "64"),
            **nginx("limit_req zone=all burst=10 nodelay;")),
    Weather("window-60s", "60 in each minute, no header", items(100), lambda: [limit(FixedWindow(60, 60))],
            bound_s=90, cause=LIMITED),
    Weather("window-60s-told", "60 in each minute, Retry-After", items(100),
            lambda: [limit(FixedWindow(60, 60), told="seconds")], bound_s=65, cause=LIMITED),
    Weather("slow-refusals", "50/s, and each 429 takes 2 s", items(500),
            lambda: [limit(Bucket(50, 10), delay_s=2.0)], cause=LIMITED),
    Weather("told-0", "50/s, and each 429 says Retry-After: 0", items(500), lambda: [limit(Bucket(50, 10), told=0)],
            cause=LIMITED),
    Weather("told-past", "50/s, and each 429 names a date in the past", items(500),
            lambda: [limit(Bucket(50, 10), told=-60)], cause=LIMITED),
    Weather("told-5", "20/s, burst 20, and each 429 says Retry-After: 5", items(300),
            lambda: [limit(Bucket(20, 20), told=5)], cause=LIMITED),
    Weather("two-limits", "two hosts, 50/s and 10/s, no header", spread(items(100, host=1), items(500)),
            lambda: [by_host(host0=limit(Bucket(50, 10)), host1=limit(Bucket(10, 5)))], cause=LIMITED),
    Weather("limit-hang", "50/s, and 2 % of the URLs hang for 30 s", items(500),
            lambda: [limit(Bucket(50, 10)), always(lambda a: a.number % 50 == 25 and a.nth == 0, Answer(act="hang"))],
            cause=LIMITED),
    Weather("stray-429", "one try in 100 is a 429, whatever the rate", items(2000),
            lambda: [sometimes(0.01, says(429, is_refusal=True))], cause=LIMITED),
    Weather("stray-and-limit", "the same, and 50/s", items(1000),
            lambda: [sometimes(0.01, says(429, is_refusal=True)), limit(Bucket(50, 10))], cause=LIMITED),
    Weather("neighbour", "50/s, and another client asks 50 times a second, too", items(600),
            lambda: [limit(Shared(Bucket(50, 10), 50))], cause=LIMITED),
    Weather("neighbour-told", "the same, a 503 with Retry-After: 1", items(200),
            lambda: [limit(Shared(Bucket(50, 10), 50), 503, told="seconds")], cause=REFUSED_503),
    Weather("regime-80-40", "80/s, after 5 s 40/s", items(700),
            lambda: [limit(Changes(Bucket(80, 10), 5, Bucket(40, 10)))], cause=LIMITED),
    Weather("regime-50-15", "50/s, after 5 s 15/s", items(400),
            lambda: [limit(Changes(Bucket(50, 10), 5, Bucket(15, 3)))], cause=LIMITED),
    Weather("regime-50-100", "50/s, after 5 s 100/s", items(800),
            lambda: [limit(Changes(Bucket(50, 10), 5, Bucket(100, 10)))], cause=LIMITED),
]

FAULTS = [
    Weather("slow-one", "one URL in 100 takes 5 s", items(600),
            lambda: [lambda a: dataclasses.replace(item(a), delay_s=5.0) if a.number % 100 == 50 else None],
            latency_s=0.1, cause=NO_CAUSE),
    Weather("latency-1s", "each answer takes 1 s", items(100), latency_s=1.0, cause=r"CAP|raise the cap"),
    Weather("latency-rises", "50 ms, after 5 s 1 s", items(1080), changing_latency, cause=r"CAP|raise the cap"),
    Weather("slow-start", "answers take 4 s in the first 4 s", items(300), lambda: [slow_at_first], cause=NO_CAUSE),
    Weather("big-bodies", "bodies of 4 MB", items(60), item=big_item, cause=NO_CAUSE),
    Weather("host-refuses", "two hosts, one refuses connections", spread(items(20, host=1), items(200)),
            dead_hosts=("127.0.0.2",), good=200, dying=20, cause=r"refused", **FAILS),
    Weather("host-broken", "two hosts, one answers 500", spread(items(20, host=1), items(200)),
            lambda: [always(lambda a: a.host == "127.0.0.2", says(500))], good=200, dying=20, cause=r"500", **FAILS),
    Weather("host-unknown", "a name that is not known among good ones",
            spread([f"http://no-such-host.invalid/items/{n}" for n in range(1, 11)], items(200)), good=200, dying=10,
            cause=r"resolv|no such host|unknown host", **FAILS),
    Weather("hangs", "2 % of the tries are never answered", items(300), lambda: [sometimes(0.02, Answer(act="hang"))],
            cause=r"time|" + HEALED),
    Weather("cut", "10 % of the bodies end in the middle", items(400),
            lambda: [lambda a: dataclasses.replace(item(a), act="cut") if part_of(a, 0.1, "") else None],
            latency_s=0.05, cause=HEALED),
    Weather("resets", "10 % of the connections are reset", items(400), lambda: [sometimes(0.1, Answer(act="reset"))],
            latency_s=0.05, cause=HEALED),
    Weather("garbage", "5 % of the bodies are no JSON", items(400),
            lambda: [sometimes(0.05, Answer(body=b"{\"id\": 1,"))], latency_s=0.05, cause=HEALED),
    Weather("flapping", "up 10 s, down 5 s, by turns", items(750), latency_s=0.2,
            turns=lambda: itertools.cycle((10, 5)), cause=r"refused|reset"),
    Weather("up-after-8s", "connections are refused for 8 s", items(200), begins_up=False, turns=lambda: (8,),
            cause=r"refused"),
    Weather("outage-500", "after 100 requests 500 for 3 s", items(400),
            lambda: [Outage(100, 3, lambda _: says(500))], latency_s=0.05, cause=HEALED),
    Weather("maintenance", "after 100 requests 503 with Retry-After for 8 s", items(300),
            lambda: [Outage(100, 8, lambda left_s: told_to_wait(503, math.ceil(left_s)))], cause=REFUSED_503),
    Weather("maintenance-bare", "after 500 requests a bare 503 for all, for 8 s", items(2000),
            lambda: [Outage(500, 8, lambda _: says(503, is_refusal=True))], cause=REFUSED_503),
    Weather("banned", "after 100 requests 403 for 5 s", items(300),
            lambda: [Outage(100, 5, lambda _: says(403, is_refusal=True))], good=0, refused_most=0.3, bound_s=30,
            cause=r"403", exits=(0, 3, 4, 5, 7)),
    Weather("moved", "a 301 for each", items(300), lambda: [moved], cause=NO_CAUSE),
    Weather("login-redirect", "after 100 requests each is led to a login page", items(400),
            lambda: [login_after(100)], good=100, cause=r"login|HTML|html", sent_most=500, bound_s=20, **STOPS),
    Weather("html-for-all", "each answers 200 with a login page", items(300),
            lambda: [lambda _: Answer(200, LOGIN_PAGE, HTML)], good=0, cause=r"HTML|html|login", sent_most=330,
            bound_s=20, **STOPS),
    Weather("401-for-some", "20 of 300 answer 401, no credential was sent", items(300),
            lambda: [always(lambda a: 100 < a.number <= 120, says(401))], good=280, cause=r"401", sent_most=320,
            **FAILS),
    Weather("tls-self-signed", "a certificate that nobody knows", items(100), is_tls=True, good=0,
            cause=r"certificate|self.signed", sent_most=110, bound_s=5, **STOPS),
    Weather("httpbin", "httpbin, every fifth answer a second late", server="httpbin",
            urls=[f"http://{{host0}}/{path}?item={n}" for n, path in
                  zip(range(1, 201), itertools.cycle(["anything", "get", "headers", "ip", "delay/1"]))],
            cause=NO_CAUSE),
]

DIALECTS = [
    Weather("strict", "50/s, burst 20, refusals count, too", items(500), lambda: [limit(StrictBucket(50, 20))],
            cause=LIMITED),
    Weather("strict-told", "20/s, burst 20, the same with Retry-After", items(300),
            lambda: [limit(StrictBucket(20, 20), told="seconds")], cause=LIMITED),
    Weather("html-429", "50/s, and each 429 is a page of HTML", items(500),
            lambda: [refuses(Bucket(50, 10), lambda _: Answer(429, LOGIN_PAGE, HTML, is_refusal=True))], cause=LIMITED),
    Weather("403-quota", "100 in each 5 s, else 403 with X-RateLimit-Remaining: 0", items(300),
            lambda: [refuses(FixedWindow(100, 5), forbidden)], cause=LIMITED + "|403|BUDGET"),
    Weather("200-error", "50/s, else a 200 whose error says 429", items(400),
            lambda: [refuses(Bucket(50, 10), lambda _: Answer(body=json.dumps(
                {"error": {"code": 429, "message": "Too many requests"}}).encode(), is_refusal=True))],
            cause=LIMITED + "|" + HEALED),
    Weather("deploy-502", "after 150 requests 502 for 5 s", items(400), lambda: [Outage(150, 5, lambda _: says(502))],
            latency_s=0.05, cause=HEALED),
    Weather("told-ms", "20/s, x-ms-retry-after-ms", items(300), lambda: [refuses(Bucket(20, 10), told_in_ms)],
            cause=LIMITED),
    Weather("told-part", "30/s, Retry-After: 0.03", items(400), lambda: [refuses(Bucket(30, 10), told_in_part)],
            cause=LIMITED),
    Weather("two-tiers", "20/s, and 200 in each 15 s with Retry-After", items(400),
            lambda: [limit(Bucket(20, 20)), limit(FixedWindow(200, 15), told="seconds")], cause=LIMITED),
    Weather("told-20", "after 300 requests 429 with Retry-After for 20 s", items(500),
            lambda: [Outage(300, 20, lambda left_s: told_to_wait(429, math.ceil(left_s)))], cause=LIMITED),
    Weather("others-by-turns", "50/s, and another client takes all of it for 1 s in 4", items(600),
            lambda: [limit(Shared(Bucket(50, 10), 200, 4, 1))], cause=LIMITED),
    Weather("quota-and-503", "200 in each 5 s, told, and 5 % are a bare 503", items(500),
            lambda: [sometimes(0.05, says(503)), Quota(200, 5)], cause=HEALED),
    Weather("529", "one try in ten is a 529", items(400), lambda: [sometimes(0.1, says(529))], latency_s=0.05,
            cause=HEALED),
]

ALL = ISSUE + LIMITS + FAULTS + DIALECTS


def named(name):
    for weather in ALL:
        if weather.name == name:
            return weather
    raise SystemExit(f"no weather is named {name}; there are {' '.join(w.name for w in ALL)}")
