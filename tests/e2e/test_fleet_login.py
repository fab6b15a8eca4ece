"""One login for all workers of a fleet: by the server's own count, with a real redis-server, in which no secret stands."""

import base64
import collections
import contextlib
import http.server
import json
import os
import subprocess
import threading
import time

import harness
import jobs
from fleet_peers import Redis, Shop, name_of, worker
from harness import check, check_equal, scratch, wait_for

PASSWORD = "password-of-the-login-8236"
KEY = "common-key-of-all-workers-4711"
WORKERS = "abc"


class LoginApi(http.server.ThreadingHTTPServer):
    """POST /login gives a token, that is good for `uses` requests; with `one_session` it ends the tokens before it.
    /items/N wants one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, uses=None, one_session=False, login_s=0.05, expires_s=None, delay_s=0.02):
        super().__init__(("127.0.0.1", 0), Handler)
        self.uses, self.one_session, self.login_s, self.expires_s = uses, one_session, login_s, expires_s
        self.delay_s = delay_s
        self.gate = threading.Event()  # before it no item is answered
        self.lock = threading.Lock()
        self.logins, self.begun, self.left, self.refused = 0, 0, {}, 0
        self.served = collections.Counter()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def log_in(self):
        with self.lock:
            self.begun += 1
        time.sleep(self.login_s)
        with self.lock:
            self.logins += 1
            if self.one_session:
                self.left.clear()
            token = f"token-{self.logins:04}-of-the-api"
            self.left[token] = self.uses if self.uses else 10**9
        return token

    def takes(self, header, agent):
        token = header.removeprefix("Bearer ")
        with self.lock:
            good = self.left.get(token, 0) > 0
            self.served[agent] += good
            self.refused += not good
            if good:
                self.left[token] -= 1
        return good


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if sent.get("password") != PASSWORD:
            self.answer(403, {})
            return
        expires = {"expires_in": self.server.expires_s} if self.server.expires_s else {}
        self.answer(200, {"access_token": self.server.log_in(), **expires})

    def do_GET(self):
        self.server.gate.wait(60)
        good = self.server.takes(self.headers.get("Authorization", ""), self.headers.get("User-Agent", ""))
        time.sleep(self.server.delay_s)
        self.answer(200 if good else 401, {"path": self.path})

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, BrokenPipeError):
            pass


def write_job(api, name, count):
    return jobs.write_job(name, base=api.url, vars={"id": f"[1-{count}]"},
                          login={"url": "/login", "json": {"password": "${PASSWORD}"}, "token": "/access_token"},
                          endpoints=[{"name": "items", "url": "/items/{id}"}])


def start(redis, api, name, count, keys=(KEY, KEY, KEY), lease="2s", which=WORKERS):
    job = write_job(api, name, count)
    workers = [worker(redis.url(name, lease), f"{name}-{w}.run", "-c", "6", "-A", w, job,
                      env=harness.environment(PASSWORD=PASSWORD, **({"SCRAPETOP_FLEET_KEY": key} if key else {})))
               for w, key in zip(which, keys)]
    wait_for(lambda: int(redis.say("zcard", f"st:{{{name}}}:workers") or 0) == len(workers), "all workers")
    api.gate.set()
    return workers


def finish(workers, name, count, which=WORKERS):
    for child in workers:
        check_equal(harness.finish(child).code, 0, "exit code")
    done = {row[0] for w in which for row in
            harness.ledger(scratch(f"{name}-{w}.run"), "SELECT id FROM request WHERE state = 1")}
    check_equal(done, set(range(1, count + 1)), "requests that are done")


def said(name, w):
    return harness.read(scratch(f"{name}-{w}.run/events.jsonl"))


@contextlib.contextmanager
def all_that_redis_sees(redis, secrets):
    """While it lasts; and what stands in Redis then. None of the secrets may be there."""
    with open(scratch("monitor"), "wb") as seen:
        monitor = harness.start(["redis-cli", "-s", redis.socket, "monitor"], stdout=seen)
        wait_for(lambda: b"OK" in harness.read(scratch("monitor")), "the monitor")
        yield
        monitor.terminate()
        monitor.wait()
    subprocess.run(["redis-cli", "-s", redis.socket, "--rdb", scratch("dump.rdb")], check=True, capture_output=True)
    for name in ("monitor", "dump.rdb"):
        text = harness.read(scratch(name))
        check(len(text) > 500, name, "has", len(text), "bytes")
        for secret in secrets:
            check(secret not in text, "in", name, ":", secret)


def test_a_credential_of_any_kind__stands_in_no_redis():
    """Also where the requests that have it are found, and travel by Redis."""
    redis, shop = Redis("--repl-diskless-sync-delay", "0"), Shop(12)
    env = {name: f"s3cret-of-{name.lower()}" for name in ("HEADER", "FILE", "COOKIE", "QUERY", "USER")}
    endpoints = [{"name": "listed", "url": "/list/{n}", "records": "/items", "pages": {"param": "page", "total": "/total", "size": 2}},
                 {"name": "items", "url": "/item/{listed.id}"}]
    job = jobs.write_job("kinds", base=shop.url, vars={"n": "[0-11]"}, endpoints=endpoints)
    with_key = jobs.write_job("key", base=shop.url, vars={"n": "[0-11]"}, endpoints=endpoints,
                              login={"key": "${QUERY}", "query": "key"})
    kinds = {"headers": ["-H", "Authorization: Bearer ${HEADER}", "-H", "X-Key: ${FILE}", "-b", "sid=${COOKIE}", job],
             "basic": ["-u", "me:${USER}", job], "key": [with_key]}
    secrets = [secret.encode() for secret in env.values()] + [base64.b64encode(f"me:{env['USER']}".encode())]
    with all_that_redis_sees(redis, secrets):
        children = {kind: worker(redis.url(kind), f"{kind}.run", *options, env=harness.environment(**env)) for kind, options in kinds.items()}
        for kind, child in children.items():
            ended = harness.finish(child)
            check_equal(ended.code, 0, f"exit code of {kind}: {ended}")
    with_query = [path for path in shop.asked if env["QUERY"] in path]
    check(any(path.startswith("/item/") for path in with_query), "found requests that had the key:", len(with_query))
    check(b"/item/" in harness.read(scratch("monitor")), "no found request went by Redis: this shows nothing")
    redis.kill()


def test_one_login__is_for_all_workers_and_no_secret_stands_in_redis():
    redis, api = Redis("--repl-diskless-sync-delay", "0"), LoginApi()
    secrets = [PASSWORD.encode(), KEY.encode(), b"token-0001", b"Bearer"]
    with all_that_redis_sees(redis, secrets):
        finish(start(redis, api, "one", 90), "one", 90)
        check(redis.say("exists", "st:{one}:login") == b"1\n", "a token in Redis")
        wait_for(lambda: harness.read(scratch("monitor")).count(b'leaves\\":true') == 3, "all of it")
    check_equal((api.logins, api.refused), (1, 0), "logins and refused requests")
    check_equal(set(api.served), set(WORKERS), "workers that asked")
    check(all(b"login" in harness.read(scratch(name)) for name in ("monitor", "dump.rdb")), "no login: this shows nothing")
    for w in WORKERS:
        for path, data in harness.everything_in(scratch(f"one-{w}.run")).items():
            for secret in secrets[:3]:
                check(secret not in data, "in", path, ":", secret)
    redis.kill()


def test_a_token_that_ends__is_renewed_once_for_all():
    redis, api = Redis(), LoginApi(uses=50)
    finish(start(redis, api, "ends", 120), "ends", 120)
    check(3 <= api.logins <= 4, "logins for 120 requests, 50 with each token:", api.logins)
    check_equal(set(api.served), set(WORKERS), "workers that asked")
    redis.kill()
    redis, api = Redis(name="life"), LoginApi(expires_s=2, delay_s=0.1)
    began = time.monotonic()
    count = 200  # of 6 at once: more than 3 s on any machine
    finish(start(redis, api, "life", count), "life", count)
    most = (time.monotonic() - began) / 1.8 + 2
    check(1 < api.logins <= most, "logins, of tokens that are good for 2 s:", api.logins, "of", most)
    check_equal(api.refused, 0, "refused")
    redis.kill()


def test_who_was_to_log_in_and_died__is_waited_for_no_longer():
    redis, api = Redis(), LoginApi(login_s=60)
    workers = start(redis, api, "dies", 60, lease="1s")
    wait_for(lambda: api.begun == 1, "the first login")
    owner = wait_for(lambda: redis.say("get", "st:{dies}:lock").strip().decode(), "who logs in")
    at = [name_of(scratch(f"dies-{w}.run")) for w in WORKERS].index(owner)
    workers[at].kill()
    workers[at].wait()
    api.login_s = 0.05
    which = [w for w in WORKERS if w != WORKERS[at]]
    rest = [w for n, w in enumerate(workers) if n != at]
    finish(rest, "dies", 60, which)
    check_equal((api.begun, api.refused), (2, 0), "logins that were begun, and refused requests")
    redis.kill()


def test_without_a_key__each_logs_in_and_an_api_that_keeps_one_session_is_told():
    redis, api = Redis(), LoginApi()
    finish(start(redis, api, "each", 90, (None, None, None)), "each", 90)
    check_equal((api.logins, set(api.served)), (3, set(WORKERS)), "logins, and workers that asked")
    check(b"logs in by itself: with a common SCRAPETOP_FLEET_KEY" in said("each", "a"), said("each", "a"))
    check(redis.say("exists", "st:{each}:login") == b"0\n", "a token in Redis")
    api = LoginApi(one_session=True)
    workers = start(redis, api, "kept", 600, (None, None, None))
    ended = [harness.finish(child) for child in workers]
    check(any(e.code == 5 and b"this API keeps one session" in e.err for e in ended), *ended)
    api = LoginApi(one_session=True)
    finish(start(redis, api, "shared", 90), "shared", 90)
    check_equal(api.logins, 1, "logins at an API that keeps one session")
    redis.kill()


def test_another_key__is_told_and_a_short_one_is_refused():
    redis, api = Redis(), LoginApi()
    finish(start(redis, api, "keys", 90, (KEY, KEY, "another-key-of-one-worker")), "keys", 90)
    check(api.logins in (2, 3), "logins:", api.logins)  # 3: the odd one was first
    check(any(b"was sealed with another SCRAPETOP_FLEET_KEY" in said("keys", w) for w in WORKERS), "not told")
    ended = harness.finish(worker(redis.url("short"), "short.run", write_job(api, "short", 10),
                                  env=harness.environment(PASSWORD=PASSWORD, SCRAPETOP_FLEET_KEY="fifteen-letters")))
    check(ended.code == 2 and b"error[E-FLEET1]: SCRAPETOP_FLEET_KEY has less than 16" in ended.err, ended)
    redis.kill()


def test_the_login__outlives_a_redis_that_forgets():
    redis, api = Redis(), LoginApi(uses=60)
    workers = start(redis, api, "flush", 300)
    wait_for(lambda: len(api.served) == 3, "all three ask")
    redis.say("flushall")
    finish(workers, "flush", 300)
    check(api.logins <= 5 + 3, "logins for 300 requests, 60 with each token, and a flush:", api.logins)
    redis.kill()


if __name__ == "__main__":
    harness.main(globals())
