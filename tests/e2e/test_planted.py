"""Secrets planted in every place they can be configured in, and echoed from every place an answer has.

A hit is the secret, its first eight bytes, or either as URLs, JSON and base64 write them, in a file of the run
directory (a stored body is the server's, and stays as it came), on stdout, on stderr or on the screen.
"""

import base64
import concurrent.futures
import json
import os
import re
import sys
import urllib.parse

import harness
import jobs
import peer
from harness import check, check_equal, scratch

SECRET = "Zk9+f/Qx=0123456789abcdefGHIJ"
QUOTED = urllib.parse.quote(SECRET, safe="")
JSON_ESCAPED = "".join(f"\\u{ord(c):04x}" for c in SECRET)
BEGUN = SECRET[:12]

NEEDLES = [
    SECRET[:8],
    urllib.parse.quote(SECRET[:8], safe=""),
    base64.b64encode(SECRET.encode()).decode()[:10],
    "".join(f"\\u{ord(c):04x}" for c in SECRET[:8]),
    SECRET[:8].replace("/", "\\/"),
]

# By the last step of the path: what is answered. 404, 500 and so on are tried once more at most.
ECHOES = {
    "text": lambda: peer.reply(SECRET.encode()),
    "text-begun": lambda: peer.reply(f"no such token: {BEGUN}...".encode()),
    "text-quoted": lambda: peer.reply(f"no such token: {QUOTED}".encode()),
    "text-json": lambda: peer.reply(f'no JSON: "{JSON_ESCAPED}"'.encode()),
    "text-cut": lambda: peer.reply(("x" * 40 + " bad token " + SECRET).encode()),
    "html": lambda: peer.reply(f"<html><p>{SECRET}</p></html>".encode(), kind="text/html"),
    "kind": lambda: peer.reply(b"a,b\n", kind=f"text/{SECRET}"),
    "error": lambda: peer.reply({"error": {"message": f"invalid token {SECRET}"}}, "400 Bad Request"),
    "error-begun": lambda: peer.reply({"message": f"invalid token {BEGUN}"}, "403 Forbidden"),
    "error-in-200": lambda: peer.reply({"errors": [{"message": f"invalid token {SECRET}"}]}),
    "problem": lambda: peer.reply({"type": "about:blank", "title": SECRET, "detail": SECRET}, "422 No",
                                  "application/problem+json"),
    "limit": lambda: peer.reply({"error": f"rate limit met for {SECRET}"}, "403 Forbidden"),
    "phrase": lambda: peer.reply({}, f"500 {SECRET}"),
    "challenge": lambda: peer.reply({}, "401 No", headers=[f'WWW-Authenticate: Bearer error="{SECRET}"']),
    "wait": lambda: peer.reply({}, "503 Busy", headers=[f"Retry-After: {SECRET}"]),
    "quota": lambda: peer.reply(headers=[f"X-RateLimit-Reset: {SECRET}", f"RateLimit: \"{SECRET}\";r=1;t=1"]),
    "etag": lambda: peer.reply(headers=[f'ETag: "{SECRET}"', f"X-Request-Id: {SECRET}"]),
    "moved": lambda: peer.reply({}, "302 Found", headers=[f"Location: /ok?session={QUOTED}"]),
    "moved-badly": lambda: peer.reply({}, "302 Found", headers=[f"Location: ftp://h/{QUOTED}"]),
    "moved-away": lambda: peer.reply({}, "302 Found", headers=[f"Location: http://127.0.0.2:9/{QUOTED}"]),
    "moved-off": lambda: peer.reply({}, "302 Found", headers=[f"Location: http://{SECRET}@h/"]),
    "cookie": lambda: peer.reply({}, "404 No", headers=[f"Set-Cookie: sid={SECRET}"]),
    "no-http": lambda: f"HTTP/1.1 200 OK\r\nX-A: b\r\n{SECRET}\r\n\r\n".encode(),
    "not-ready": lambda: peer.reply({"token": SECRET}, "202 Accepted"),
}


def answer(ask):
    path = ask.path.split("?")[0]
    if path == "/login":
        return peer.reply({"access_token": SECRET})
    return ECHOES.get(path.split("/")[-1], peer.reply)()


def check_clean(what, data):
    for needle in NEEDLES:
        at = data.find(needle.encode())
        check(at < 0, what, "holds the secret:", data[max(0, at - 120):at + 60])


def check_run_dir(run_dir):
    for path, data in harness.everything_in(run_dir).items():
        if path.endswith(".csv"):
            continue  # a table is made of bodies
        if "/raw/" in path:
            for line in data.splitlines():
                check_clean(path, re.split(rb',"(?:body|text|base64)":', line)[0])
        elif os.path.basename(path).startswith("list"):
            continue  # a copy of the user's own list
        else:
            check_clean(path, data)


def check_ended(ended):
    check_clean("stdout", ended.out)
    check_clean("stderr", ended.err)


def check_readers(run_dir):
    for reader in (["status"], ["status", "--json"], ["verify"], ["verify", "--json"]):
        check_ended(harness.run(*reader, run_dir))


QUIET = ["--answer", "status=401 do=fail", "--retries", "1", "--backoff", "1ms:2ms", "--max-wait", "2s"]


def urls(server):
    return f"{server.url}/e/{{{','.join(ECHOES)}}}"


def private(path, flags):
    return os.open(path, flags, 0o600)


def headers_file():
    with open(scratch("headers"), "w", encoding="ascii", opener=private) as file:
        file.write(f"X-Api-Key: {SECRET}\n")
    return scratch("headers")


def typed(query):
    return lambda server: [urls(server) + query]


SOURCES = {
    "header-env": lambda server: ["-H", "X-Anything: a ${T}", urls(server)],
    "header-typed": lambda server: ["-H", f"Authorization: Bearer {SECRET}", urls(server)],
    "header-odd": lambda server: ["-H", f"CB-ACCESS-SIGN: {SECRET}", urls(server)],
    "header-jwt": lambda server: ["-H", f"jwt: {SECRET}", urls(server)],
    "header-file": lambda server: ["-H", f"@{headers_file()}", urls(server)],
    "cookie": lambda server: ["-H", f"Cookie: theme=dark; sid={SECRET}", urls(server)],
    "query-env": typed("?api_key=${T}"),
    "query-typed": typed(f"?access_token={QUOTED}&n=1"),
    "form": lambda server: ["-d", f"user=me&password={QUOTED}", urls(server)],
    "json": lambda server: ["-d", json.dumps({"user": "me", "clientSecret": SECRET}), urls(server)],
    "graphql": lambda server: ["-d", json.dumps({"query": f'{{login(password:"{SECRET}"){{id}}}}'}),
                               urls(server)],
    "graphql-variables": lambda server: ["-d", json.dumps(
        {"query": "query($p:String){login(password:$p){id}}", "variables": {"password": SECRET}}), urls(server)],
}


def at_once(check_one, names):
    """Checks several runs side by side: each waits most of the time, as its answers hold their host."""
    def named(name):
        try:
            check_one(name)
        except harness.Failed as failed:
            raise harness.Failed(f"{name}: {failed}") from None

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(named, names))


def test_secret__is_nowhere__whatever_echoes_it():
    def check_source(name):
        server, run_dir = peer.Peer(answer), scratch(name + ".run")
        arguments = SOURCES[name](server)
        ended = harness.run("run", "--plain", "--json", *QUIET, "-o", run_dir, *arguments,
                            env=harness.environment(T=SECRET))
        check(ended.code in (3, 5), ended)
        check_ended(ended)
        check_run_dir(run_dir)
        check_readers(run_dir)
        for only in ("--dry-run", "--show-config"):
            check_ended(harness.run("run", only, *arguments, env=harness.environment(T=SECRET)))

    at_once(check_source, SOURCES)


def login_of(kind):
    return {
        "bearer": {"bearer": "${T}"},
        "basic": {"basic": {"user": "me", "password": "${T}"}},
        "key": {"key": "${T}", "query": "api_key"},
        "key-header": {"key": "${T}", "header": "X-Thing"},
        "call": {"url": "/login", "json": {"p": "${PW}"}},
        "typed": {"bearer": SECRET},
        "command": {"command": ["printenv", "T"]},
        "refresh": {"oauth2": {"url": "/login", "client_id": "me", "refresh_token": "${T}"}},
    }[kind]


def test_login__is_nowhere__whatever_echoes_it():
    def check_login(kind):
        server, run_dir = peer.Peer(answer), scratch(kind + ".run")
        job = jobs.write_job(kind, base=server.url, login=login_of(kind), vars={"how": list(ECHOES)},
                             endpoints=[{"name": "e", "url": "/e/{how}"}])
        ended = harness.run("run", "--plain", "--json", *QUIET, "-o", run_dir, job,
                            env=harness.environment(T=SECRET, PW="another-one"))
        check(b'"exit"' in ended.out, ended)
        check_ended(ended)
        check_run_dir(run_dir)
        check_readers(run_dir)

    at_once(check_login, ("bearer", "basic", "key", "key-header", "call", "typed", "command", "refresh"))


def test_login_command__is_kept_without_the_secrets_in_its_words():
    server = peer.Peer(answer)
    program = [sys.executable, "-c", "import sys; print('tk-' + sys.argv[1][-4:] + 'abcdefgh')"]
    form = "ghp_" + "x7Kq9ZpW2mLr4TnB8vYc6HdJ1fGs3QeA5uRo"
    for name, words in (("option", ["--password", SECRET]), ("named", ["--token=" + SECRET]), ("form", [form])):
        run_dir = scratch("c-" + name + ".run")
        job = jobs.write_job("c-" + name, base=server.url, login={"command": [*program, *words]},
                             endpoints=[{"name": "e", "url": "/e/ok"}])
        harness.succeed("run", "--plain", "-o", run_dir, job)
        for path, data in harness.everything_in(run_dir).items():
            check(SECRET.encode() not in data and form.encode() not in data, path, "holds the secret of", name)
        ended = harness.run("run", "--plain", "-o", run_dir, "--only-failed")
        check(ended.code == 2 and b"E-SEC3" in ended.err and b"login" in ended.err, "without it:", ended)
        harness.succeed("run", "--plain", "-o", run_dir, job)
    run_dir = scratch("plain.run")
    job = jobs.write_job("plain", base=server.url, endpoints=[{"name": "e", "url": "/e/ok"}],
                         login={"command": [*program, "--key", "/a/path.pem", "-c", "token=$(cat x) echo"]})
    harness.succeed("run", "--plain", "-o", run_dir, job)
    harness.succeed("run", "--plain", "-o", run_dir)


# --- what is asked again with it --------------------------------------------------------------------------


class Listing:
    """Pages that name the next one with the token in hand in it, and take none without; tokens of `uses`."""

    def __init__(self, name_next, pages=6):
        self.name_next, self.pages = name_next, pages
        self.logins = 0
        self.server = peer.Peer(self.answer)
        self.wrong = []

    def token(self):
        return f"{SECRET}{self.logins}"

    def answer(self, ask):
        path, _, query = ask.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        if path == "/login":
            self.logins += 1
            return peer.reply({"access_token": self.token()})
        page = int(asked.get("page", 1))
        if page > 1 and asked.get("session") != self.token():
            self.wrong.append(ask.path)
        next_url = f"{self.server.url}/list?page={page + 1}&session={urllib.parse.quote(self.token(), safe='')}"
        body, headers = {"items": [{"id": page}]}, []
        if page < self.pages:
            headers = self.name_next(body, next_url)
        return peer.reply(body, headers=headers)


def by_body(body, url):
    body["next"] = url
    return []


def by_link(_, url):
    return [f'Link: <{url}>; rel="next"']


def listing_job(name, server, pages):
    return jobs.write_job(name, base=server.url, login={"url": "/login", "json": {"p": "${PW}"}}, endpoints=[
        {"name": "list", "url": "/list", "records": "/items", "pages": pages}])


def test_token_in_the_next_url__is_sealed__and_is_the_present_one_when_asked():
    for name, how, pages in (("body", by_body, {"next": "/next"}), ("link", by_link, "link")):
        listing = Listing(how)
        run_dir = scratch(name + ".run")
        job = listing_job(name, listing.server, pages)
        env = harness.environment(PW="another-one")
        first = harness.scrapetop("run", "--plain", "--rate", "2/s", "-o", run_dir, job, env=env)
        harness.wait_for(lambda: listing.server.total() >= 4, "some pages")  # pylint: disable=cell-var-from-loop
        first.kill()
        first.wait()
        check_run_dir(run_dir)
        ended = harness.succeed("run", "--plain", "--json", "-o", run_dir, job, env=env)
        check_ended(ended)
        check_run_dir(run_dir)
        check_equal(listing.logins, 2, "logins")
        check_equal(listing.wrong, [], "asked with another token than that in hand")
        check_equal(len(list(harness.raw_lines(run_dir))), listing.pages, "pages")


def test_typed_secret__is_given_again__when_the_run_goes_on():
    server = peer.Peer(lambda ask: peer.reply({"a": ask.path}))
    for name, arguments in (("url", [f"{server.url}/x/[1-40]?api_key={QUOTED}"]),
                            ("body", ["--repeat-posts", "-d", f"password={QUOTED}", f"{server.url}/x/[1-40]"])):
        run_dir = scratch(name + ".run")
        asked = server.total()
        first = harness.scrapetop("run", "--plain", "--rate", "20/s", "-o", run_dir, *arguments)
        harness.wait_for(lambda: server.total() > asked + 5, "some answers")  # pylint: disable=cell-var-from-loop
        first.kill()
        first.wait()
        check_run_dir(run_dir)
        ended = harness.run("run", "--plain", "-o", run_dir)
        check_equal(ended.code, 2, f"exit code without it; {ended}")
        check(b"E-SEC3" in ended.err and b"not kept" in ended.err, ended)
        other = [a.replace(QUOTED, "another-one") for a in arguments]
        check_equal(harness.succeed("run", "--plain", "-o", run_dir, *other).code, 0, "with another one")
        check_run_dir(run_dir)
        check_equal(len(list(harness.raw_lines(run_dir))), 40, "records")
        ended = harness.run("run", "--plain", "-o", run_dir, f"{server.url}/y?api_key={QUOTED}")
        check(b"E-JOB1" in ended.err, "another job:", ended)
        check_ended(ended)


# --- probe, and the screen ---------------------------------------------------------------------------------


def test_probe__prints_no_secret__of_any_place():
    server = peer.Peer(answer)
    places = {
        "header": f"-H 'X-Passphrase: {SECRET}' -H 'X-Credential: {SECRET}' -H 'X-OWA-CANARY: {SECRET}'",
        "certificate": f"-H 'X-Client-Cert: {SECRET}'",
        "cookie": f"-b 'a=b; sid={SECRET}'",
        "user": f"-u 'me:{SECRET}'",
        "form": f"--data-raw 'user=me&password={QUOTED}'",
        "encoded": f"--data-urlencode 'password={SECRET}'",
        "json": f"--json '{json.dumps({'password': SECRET})}'",
        "graphql": "--json '" + json.dumps({"query": f'{{login(password:"{SECRET}"){{id}}}}'}) + "'",
        "query": f"-G -d 'token={QUOTED}'",
    }
    for name, options in places.items():
        for echo in ("ok", *ECHOES) if name == "header" or not harness.SMALL else ("ok", "text", "error"):
            command = f"curl '{server.url}/e/{echo}' {options}"
            ended = harness.run("probe", "-", stdin=command.encode())
            try:
                check_ended(ended)
            except harness.Failed as failed:
                raise harness.Failed(f"{name}, {echo}: {failed}") from None
            check(echo != "ok" or ended.code == 0, name, ended)


def test_header_authority__is_no_secret():
    server = peer.Peer(lambda ask: peer.reply({"a": 1}))
    host = server.url.split("//")[1]
    ended = harness.run("probe", "-", stdin=f"curl '{server.url}/x' -H 'authority: {host}'".encode())
    check(host.encode() in ended.out, "the host is hidden:", ended)


def test_secret__is_on_no_screen__whatever_echoes_it():
    server = peer.Peer(answer)
    arguments = [harness.BINARY, "run", *QUIET, "-o", scratch("t.run"), "-H", "X-Api-Key: ${T}", urls(server)]
    with harness.terminal(arguments, env={"T": SECRET}, columns=200, rows=50) as shown:
        shown.wait_text(rf"{len(ECHOES)}/{len(ECHOES)}")
        for key in "1234567890":
            shown.keys(key)
            shown.pump(0.1)
            for move in ("\r", "j\r", "j\r", "j\r", "e"):
                shown.keys(move)
                shown.pump(0.1)
            shown.keys("\x1b")
            shown.pump(0.1)
        shown.keys("q")
        shown.pump(0.3)
        shown.keys("q")
        shown.exit_code()
        check_clean("the screen", shown.raw)
    check_run_dir(scratch("t.run"))


if __name__ == "__main__":
    harness.main(globals())
