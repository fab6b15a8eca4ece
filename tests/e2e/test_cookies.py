"""Cookies: what is sent back beside what curl sends for the same Set-Cookie lines; where they are kept, and who may
see them.
"""

import os
import signal
import subprocess
import threading

import harness
import jobs
import peer
from harness import check, check_equal, scratch

SECRET = "sid-Zk9fQx0123456789"

# One answer each: what is set, in a chain of redirects that ends where the cookies that came are written down.
SEQUENCES = {
    "one": ["a=1"],
    "replaced": ["a=1; Path=/", "a=2; Path=/"],
    "paths": ["a=1; Path=/c", "b=2; Path=/other", "c=3; Path=/c/deep", "d=4"],
    "gone": ["a=1; Path=/", "b=2; Path=/", "a=; Path=/; Max-Age=0"],
    "expired": ["a=1; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "b=2; Path=/"],
    "max-age-first": ["a=1; Path=/; Max-Age=600; Expires=Wed, 21 Oct 2015 07:28:00 GMT"],
    "http-only": ["a=1; Path=/; HttpOnly; SameSite=Strict"],
    "quoted": ['a="x y"; Path=/', "b=x=y=z; Path=/"],
    "empty": ["a=; Path=/", "=x; Path=/", "b; Path=/"],
    "foreign": ["a=1; Domain=example.org; Path=/", "b=2; Path=/"],
    "suffix": ["a=1; Domain=com; Path=/", "b=2; Domain=0.0.1; Path=/", "c=3; Domain=127.0.0.1; Path=/"],
    "many": [f"n{i}=v{i}; Path=/" for i in range(40)],
}


class Chain:
    """/c/NAME/0 sets the cookies of a sequence and leads to /c/NAME/1, which answers what it was sent."""

    def __init__(self):
        self.server = peer.Peer(self.answer)
        self.url = self.server.url

    @staticmethod
    def answer(ask):
        name, step = ask.path.split("/")[2:4]
        if step == "0":
            return peer.reply({}, "302 Found", headers=[
                *(f"Set-Cookie: {line}" for line in SEQUENCES[name]), f"Location: /c/{name}/1"])
        return peer.reply({"sent": ask.headers.get("cookie", "")})


def test_cookies__are_those_that_curl_sends__after_the_same_lines():
    server = Chain().server
    for name in SEQUENCES:
        url = f"{server.url}/c/{name}/0"
        harness.succeed("run", "--plain", "-o", scratch(name + ".run"), url)
        ours = server.asks[-1].headers.get("cookie", "")
        subprocess.run(["curl", "-sS", "-L", "-b", "", url], check=True, capture_output=True)
        theirs = server.asks[-1].headers.get("cookie", "")
        check_equal(ours, theirs, name)


class Session:
    """A login that sets a cookie good for `uses` requests; others are sent to the login, or refused."""

    def __init__(self, uses=10, refusal="401 No"):
        self.uses, self.refusal = uses, refusal
        self.left, self.logins = 0, 0
        self.lock = threading.Lock()
        self.server = peer.Peer(self.answer)

    def value(self):
        return f"{SECRET}-{self.logins}"

    def answer(self, ask):
        with self.lock:
            if ask.path == "/login":
                self.logins += 1
                self.left = self.uses
                return peer.reply(b"<html>welcome</html>", "302 Found", "text/html",
                                  [f"Set-Cookie: sid={self.value()}; Path=/; HttpOnly", "Location: /home"])
            if f"sid={self.value()}" in ask.headers.get("cookie", "") and self.left > 0:
                self.left -= 1
                return peer.reply({"path": ask.path})
            if self.refusal.startswith("302"):
                return peer.reply({}, self.refusal, headers=["Location: /login?back=" + ask.path])
            return peer.reply({"error": "no session " + ask.headers.get("cookie", "")}, self.refusal)


def login_job(server, name, **more):
    return jobs.write_job(name, base=server.url, endpoints=[{"name": "x", "url": "/x/{id}"}], vars={"id": "[1-35]"},
                          login={"url": "/login", "body": "user=me&password=${PW}"}, **more)


def check_clean(run_dir, ended):
    for path, data in harness.everything_in(run_dir).items():
        if not path.endswith("/cookies.txt"):
            check(SECRET.encode() not in data, path, "holds a cookie")
    check(SECRET.encode() not in ended.out + ended.err, "said:", ended)


def test_login_that_sets_a_cookie__is_a_login__and_is_asked_anew_when_it_ends():
    for name, refusal in (("refused", "401 No"), ("sent-back", "302 Found")):
        session = Session(10, refusal)
        run_dir = scratch(name + ".run")
        ended = harness.succeed("run", "--plain", "--json", "-c", "2", "-o", run_dir,
                                login_job(session.server, name, cookies=True), env=harness.environment(PW="pa55word"))
        check_equal(ended.report()["ok"], 35, "ok")
        check(3 < session.logins < 9, "logins:", session.logins)
        check_clean(run_dir, ended)


def test_kept_cookies__are_sent_by_the_next_session__and_their_file_is_private():
    server = peer.Peer(lambda ask: peer.reply({"n": ask.number}, headers=[
        f"Set-Cookie: sid={SECRET}; Path=/; Max-Age=600"] if "cookie" not in ask.headers else []))
    for name, file in (("run", None), ("jar", "jar.txt")):
        run_dir = scratch(name + ".run")
        if file:
            first = ["--cookie-jar", scratch(file), f"{server.url}/x/[1-3]"]
        else:
            first = [jobs.write_job(name, base=server.url, cookies=True, vars={"id": "[1-3]"},
                                    endpoints=[{"name": "x", "url": "/x/{id}"}])]
        ended = harness.succeed("run", "--plain", "-c", "1", "-o", run_dir, *first)
        check_clean(run_dir, ended)
        path = scratch(file) if file else os.path.join(run_dir, "cookies.txt")
        check_equal(oct(os.stat(path).st_mode & 0o777), "0o600", "mode of " + path)
        before = len(server.asks)
        again = ["--cookie-jar", scratch(file), f"{server.url}/y"] if file else \
            ["--fresh", *first]
        harness.succeed("run", "--plain", "-c", "1", "-o", run_dir if not file else scratch("other.run"), *again)
        sent = server.asks[before].headers.get("cookie", "")
        check_equal(SECRET in sent, bool(file), "a file that was named outlives the run, that of the run goes with it")
        subprocess.run(["curl", "-sS", "-b", path if file else path.replace(".run/", ".run.1/"),
                        f"{server.url}/z"], check=True, capture_output=True)
        check(SECRET in server.asks[-1].headers.get("cookie", ""), "curl cannot read the file")


def test_kept_cookies__outlive_a_kill():
    server = peer.Peer(lambda ask: peer.reply({"n": ask.number}, headers=[
        f"Set-Cookie: sid={SECRET}; Path=/; Max-Age=600"] if "cookie" not in ask.headers else []))
    run_dir = scratch("killed.run")
    job = jobs.write_job("killed", base=server.url, cookies=True, vars={"id": "[1-40]"},
                         endpoints=[{"name": "x", "url": "/x/{id}"}])
    first = harness.scrapetop("run", "--plain", "--rate", "8/s", "-c", "1", "-o", run_dir, job)
    harness.wait_for(lambda: os.path.exists(os.path.join(run_dir, "cookies.txt")) and server.total() > 3, "a jar")
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = len(server.asks)
    ended = harness.succeed("run", "--plain", "-o", run_dir, job)
    check(all(SECRET in ask.headers.get("cookie", "") for ask in server.asks[before:]), "asked without it")
    check_clean(run_dir, ended)


def test_cookies__are_not_sent__where_one_is_given_or_none_is_wanted():
    server = peer.Peer(lambda ask: peer.reply({"sent": ask.headers.get("cookie", "")}, headers=["Set-Cookie: a=1"]))
    for name, arguments, want in (
            ("given", ["-H", "Cookie: own=${MINE}"], ["own=mine-of-mine"] * 2),
            ("off", ["--no-cookies"], ["", ""]),
            ("as-usual", [], ["", "a=1"]),
            ("beside", ["-H", "Cookie: own=${MINE}", "--cookie-jar", scratch("beside.txt")],
             ["own=mine-of-mine", "a=1; own=mine-of-mine"])):
        run_dir = scratch(name + ".run")
        before = len(server.asks)
        harness.succeed("run", "--plain", "-c", "1", "-o", run_dir, *arguments, f"{server.url}/x/[1-2]",
                        env=harness.environment(MINE="mine-of-mine"))
        check_equal([ask.headers.get("cookie", "") for ask in server.asks[before:]], want, name)


def test_cookie_of_a_foreign_domain__is_refused__and_told_once():
    server = peer.Peer(lambda ask: peer.reply({"sent": ask.headers.get("cookie", "")}, headers=[
        "Set-Cookie: a=1; Domain=example.org"]))
    ended = harness.succeed("run", "--plain", "-c", "1", "-o", scratch("f.run"), f"{server.url}/x/[1-4]")
    check_equal([ask.headers.get("cookie") for ask in server.asks], [None] * 4, "sent")
    check_equal((ended.out + ended.err).count(b"not its own: refused"), 1, "told")


def test_cookie_file__is_refused__when_others_can_read_it():
    path = scratch("open.txt")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\t{SECRET}\n")
    os.chmod(path, 0o644)
    server = peer.Peer(lambda ask: peer.reply({"sent": ask.headers.get("cookie", "")}))
    job = jobs.write_job("open", base=server.url, cookie_file=path, endpoints=[{"name": "x", "url": "/x"}])
    ended = harness.run("run", "--plain", "-o", scratch("open.run"), job)
    check(ended.code != 0 and b"E-SEC1" in ended.err and b"chmod 600" in ended.err, ended)
    check_equal(server.total(), 0, "requests")
    os.chmod(path, 0o600)
    harness.succeed("run", "--plain", "-o", scratch("open2.run"), job)
    check_equal(server.asks[0].headers.get("cookie"), f"sid={SECRET}", "sent")


if __name__ == "__main__":
    harness.main(globals())
