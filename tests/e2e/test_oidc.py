"""OAuth 2.0 against oidc-provider: tokens of two seconds, and refresh tokens that are good for one use."""

import contextlib
import json
import os
import random
import signal
import urllib.request

import harness
import jobs
from fleet_peers import Redis, worker
from harness import check, check_equal, scratch

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oidc_provider.mjs")
SECRETS = {"C": "c-secret-0123456789", "F": "c-secret-9876543210"}


class Provider:
    def __init__(self, url, first):
        self.url, self.first = url, first

    def counts(self):
        with urllib.request.urlopen(self.url + "/counts", timeout=30) as answer:
            return json.load(answer)


@contextlib.contextmanager
def provider():
    modules = os.environ.get("OIDC_MODULES")
    if not modules:
        raise harness.Skipped("oidc-provider is not installed: nobody has asked it")
    for port in random.sample(range(20000, 30000), 5):
        log = scratch(f"provider-{port}.log")
        with open(log, "wb") as out, open(log + ".err", "wb") as err:
            child = harness.start(["node", SCRIPT, modules, str(port)], stdout=out, stderr=err)
        harness.wait_for(lambda: child.poll() is not None or b"\n" in harness.read(log), "a server that listens")  # pylint: disable=cell-var-from-loop
        if child.poll() is None:
            break
    else:
        raise harness.Failed(harness.read(log + ".err").decode(errors="replace"))
    try:
        yield Provider(f"http://127.0.0.1:{port}", json.loads(harness.read(log))["refresh_token"])
    finally:
        child.terminate()
        child.wait()


def private(name, text):
    with open(scratch(name), "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
        file.write(text)


def run(server, name, login, count=60, code=0, more=()):
    job = jobs.write_job(name, base=server.url, login={"oauth2": {"url": "/token", **login}}, vars={"id": f"[1-{count}]"},
                         endpoints=[{"name": "x", "url": "/api/{id}"}])
    ended = harness.run("run", "--plain", "--json", "-c", "3", "--rate", "12/s", *more, "-o", scratch(name + ".run"), job,
                        env=harness.environment(**SECRETS))
    check(code is None or ended.code == code, f"wanted exit code {code}:", ended)
    for secret in SECRETS.values():
        check(secret.encode() not in ended.out + ended.err, "said:", ended)
        for path, data in harness.everything_in(scratch(name + ".run")).items():
            check(secret.encode() not in data, path, "holds a secret")
    return json.loads(ended.out)


def test_client_credentials__are_asked_anew_before_a_token_ends():
    with provider() as server:
        report = run(server, "header", {"client_id": "me", "client_secret": "${C}"})
        check_equal((report["ok"], report["failed"]), (60, 0), "ok and failed")
        given = server.counts()["grants"]["client_credentials"]
        check(2 <= given <= 6, "tokens in five seconds, of two seconds each:", given)
        check(report["status"].get("401", 0) <= 3, "refused:", report["status"])
        report = run(server, "form", {"client_id": "form", "client_secret": "${F}", "scope": "read"}, count=3)
        check_equal(report["ok"], 3, "ok, of a client that is named in the form")


def test_wrong_client__ends_the_run_by_what_the_server_calls_it():
    with provider() as server:
        report = run(server, "wrong", {"client_id": "me", "client_secret": "${F}"}, code=5)
        check("invalid_client" in report["stopped_by"], report["stopped_by"])
        check_equal(report["stopped_code"], "E-AUTH2", "code")


def test_refresh_token__is_rotated__and_never_used_twice():
    with provider() as server:
        private("r.txt", server.first + "\n")
        login = {"client_id": "me", "client_secret": "${C}", "refresh_token": "@r.txt"}
        report = run(server, "rotate", login)
        check_equal((report["ok"], report["failed"]), (60, 0), "ok and failed")
        counts = server.counts()
        check(2 <= counts["grants"]["refresh_token"] <= 6, counts)
        check_equal(counts["reused"], 0, "used twice, which takes all of them back")
        check(harness.read(scratch("r.txt")).decode().strip() != server.first, "the file has the first one")
        check_equal(oct(os.stat(scratch("r.txt")).st_mode & 0o777), "0o600", "mode")
        report = run(server, "again", login, count=5)
        check_equal((report["ok"], server.counts()["reused"]), (5, 0), "ok in a further run, and used twice")


def test_a_fleet__has_one_login__and_uses_no_refresh_token_twice():
    with provider() as server:
        redis, names = Redis(), "abc"
        for name in names:
            private(f"{name}.txt", server.first + "\n")
        workers = []
        for name in names:
            job = jobs.write_job(f"f{name}", base=server.url, vars={"id": "[1-90]"}, endpoints=[{"name": "x", "url": "/api/{id}"}],
                                 login={"oauth2": {"url": "/token", "client_id": "me", "client_secret": "${C}",
                                                   "refresh_token": f"@{name}.txt"}})
            workers.append(worker(redis.url("oidc"), f"f{name}.run", "-c", "6", "--rate", "15/s", job,
                                  env=harness.environment(SCRAPETOP_FLEET_KEY="a-key-that-all-of-them-have", **SECRETS)))
        check_equal([harness.finish(child).code for child in workers], [0, 0, 0], "exit codes")
        counts = server.counts()
        check_equal(counts["reused"], 0, "used twice, which takes all of them back")
        check(2 <= counts["grants"]["refresh_token"] <= 9, "tokens in some seven seconds, of two seconds each:", counts)
        redis.kill()


def test_kill__loses_no_refresh_token():
    with provider() as server:
        private("k.txt", server.first + "\n")
        job = jobs.write_job("k", base=server.url, vars={"id": "[1-40]"}, endpoints=[{"name": "x", "url": "/api/{id}"}],
                             login={"oauth2": {"url": "/token", "client_id": "me", "client_secret": "${C}", "refresh_token": "@k.txt"}})
        child = harness.scrapetop("run", "--plain", "-c", "1", "--rate", "10/s", "-o", scratch("k.run"), job,
                                  env=harness.environment(**SECRETS))
        for number in range(2):
            kept = harness.read(scratch("k.txt"))
            harness.wait_for(lambda: harness.read(scratch("k.txt")) != kept, f"rotation {number + 1}, kept")  # pylint: disable=cell-var-from-loop
        child.send_signal(signal.SIGKILL)
        child.wait()
        harness.succeed("run", "--plain", "-o", scratch("k.run"), job, env=harness.environment(**SECRETS))
        check_equal(server.counts()["reused"], 0, "used twice")


if __name__ == "__main__":
    harness.main(globals())
