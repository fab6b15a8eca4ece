"""What a pasted curl command asks, beside what curl itself asks: type, credentials, cookies, body; and the job
that probe makes of it asks the same again. And who says what a body is: the endpoint, else the job, else itself."""

import base64
import http.server
import json
import re
import shlex
import shutil
import subprocess
import threading
import urllib.parse

import harness
from harness import check, check_equal, scratch

HEADS = ("content-type", "authorization", "cookie", "accept", "user-agent", "referer", "x-a")


class Echo(http.server.ThreadingHTTPServer):
    """Keeps what it is asked, in order: method, path, headers that matter, body."""

    daemon_threads = True

    def __init__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((self.command, self.path, heads_of(self.headers), body))
                answer = b'[{"a":1}]'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def last(self):
        """The one request since."""
        check_equal(len(self.asked), 1, "requests")
        return self.asked.pop()


def heads_of(headers):
    """Without each program's own words: its name, and what it accepts."""
    own = {"accept": ("*/*", "application/json"), "user-agent": ("curl/", "scrapetop/")}
    found = {}
    for name, value in headers.items():
        name = name.lower()
        if name not in HEADS or value.startswith(own.get(name, "\0")):
            continue
        if name == "cookie":
            value = [c.strip() for c in value.split(";") if c.strip()]
        found.setdefault(name, [])
        found[name] += value if name == "cookie" else [value]
    return found


BODY = '{"a":1}'
COMMANDS = (
    ["-d", BODY], ["-d", "[1]"], ["-d", "1"], ["-d", "a=1"], ["-d", "a=1", "-d", "b=2"], ["-d", ""], ["-d", "  " + BODY],
    ["--data-binary", BODY], ["--data-raw", BODY], ["-X", "PUT", "-d", "{}"], ["-X", "GET", "-d", "a=1"], ["-X", "POST"],
    ["-d", BODY, "-H", "Content-Type: application/vnd.x+json"], ["-H", "content-type: text/plain", "-d", BODY],
    ["-H", "Content-Type: a/b"],
    ["--json", BODY], ["--json", '{"a":', "--json", "1}"], ["--json", BODY, "-X", "PUT"], ["--json", ""],
    ["--json", BODY, "-H", "Content-Type: application/vnd.api+json"],
    ["-H", "Content-Type: application/vnd.api+json", "--json", BODY], ["--json", BODY, "-H", "Accept: text/x"],
    ["--json", BODY, "-H", "content-type: application/vnd.api+json", "-H", "accept: application/vnd.api+json"],
    ["-d", "a", "--json", "b"], ["--json", "b", "-d", "a"], ["-G", "--json", BODY], ["-G", "-d", "a=1"],
    ["-G", "-d", BODY],
    ["-u", ":pass"], ["-u", ":password"], ["-u", "user:"], ["-u", "us:pa:ss"], ["-u", ":"], ["--basic", "-u", "a:b"],
    ["-u", "a:b", "-u", "c:d"], ["-u", "a:b", "-H", "Authorization: Bearer zzzzzzzzzzzz"],
    ["-H", "authorization: Bearer zzzzzzzzzzzz", "-u", "a:b"], ["-u", "a:b", "-H", "Authorization:"],
    ["--oauth2-bearer", "tttttttttttt"], ["--oauth2-bearer", "tttttttttttt", "-u", "a:b"],
    ["-u", "a:b", "--oauth2-bearer", "tttttttttttt"],
    ["--oauth2-bearer", "tttttttttttt", "-H", "Authorization: X yyyyyyyyyyyy"],
    ["--oauth2-bearer", "aaaaaaaaaaaa", "--oauth2-bearer", "bbbbbbbbbbbb"],
    ["-b", "a=1"], ["-b", "a=1", "-b", "b=2"], ["-b", "a=1; c=3", "-b", "b=2", "-b", "d=4"], ["-b", "a=1;", "-b", "b=2"],
    ["-b", "a=1", "-H", "Cookie: z=9"], ["-H", "cookie: z=9", "-b", "a=1"], ["-H", "Cookie: z=9", "-H", "Cookie: y=8"],
    ["-b", "a=1", "-H", "Cookie:"],
    ["-A", "me/1", "-A", "me/2"], ["-A", "me/1", "-H", "User-Agent: other"], ["-A", "me/1", "-A", ""],
    ["-e", "http://r/"], ["-e", "http://r/;auto"], ["-e", ";auto"], ["-e", "http://r/", "-H", "Referer: http://q/"],
    ["-H", "X-A:"], ["-XDELETE"],
)


def environment_of(request):
    """What the user of probe's job is told to set."""
    env = {}
    authorization = request[2].get("authorization", [""])[0]
    scheme, _, rest = authorization.partition(" ")
    if scheme == "Basic":
        env["API_USER"], _, env["API_PASSWORD"] = base64.b64decode(rest).decode().partition(":")
    env["API_TOKEN"], env["AUTHORIZATION"] = rest, authorization
    env["COOKIE"] = "; ".join(request[2].get("cookie", []))
    return harness.environment(**{k: v for k, v in env.items() if v})


def test_command__is_asked_as_curl_asks_it__and_so_is_the_job_made_of_it():
    if not shutil.which("curl"):
        raise harness.Skipped("curl is not installed")
    server = Echo()
    for number, words in enumerate(COMMANDS):
        subprocess.run(["curl", "-sq", *words, server.url + "/p"], check=True, capture_output=True,
                       timeout=harness.HANG_S, env=harness.environment())
        wanted = server.last()
        ended = harness.succeed("probe", "curl " + shlex.join(words) + " " + server.url + "/p")
        check_equal(server.last(), wanted, f"probe's request for {words}")
        if words in (["-u", ":"], ["--json", ""], ["-d", ""], ["-X", "POST"]):
            continue  # no credential; an empty body, which a job file has no word for
        path = scratch(f"job{number}.json")
        with open(path, "wb") as file:
            file.write(ended.out)
        run = harness.run("run", "--plain", "-o", scratch(f"r{number}.run"), path, env=environment_of(wanted))
        check(server.asked, "the job asks nothing", words, ended, run)
        check_equal(server.last(), wanted, f"the request of the job for {words}")
    server.shutdown()


def test_job_of_a_command__reaches_the_server_as_the_command_did():
    """A proxy with credentials, a name found elsewhere: the job has them, and no secret."""
    server = Echo()
    port = server.server_port
    command = (f"curl -x http://me:pass-word-1@127.0.0.1:{port} --resolve a.test:80:127.0.0.1 -k --http2 -4 "
               "http://a.test/p")
    ended = harness.succeed("probe", command)
    check(b"pass-word-1" not in ended.out and b'"user": "${PROXY_USER}"' in ended.out, "the job:", ended)
    with open(scratch("way.json"), "wb") as file:
        file.write(ended.out)
    server.asked.clear()
    run = harness.run("run", "--plain", "-o", scratch("way.run"), scratch("way.json"),
                      env=harness.environment(PROXY_USER="me:pass-word-1"))
    check_equal((run.code, [path for _, path, _, _ in server.asked]), (0, ["http://a.test/p"]), f"exit code and asked: {run}")
    for kept in (b'"resolve": ["a.test:80:127.0.0.1"]', b'"insecure": true', b'"http": "2"', b'"ip": 4'):
        check(kept in ended.out, "not kept:", kept, ended)
    server.shutdown()


def test_command__that_sends_a_body_without_a_type__is_refused():
    server = Echo()
    ended = harness.succeed("probe", f"curl -d '{BODY}' -H 'Content-Type:' {server.url}/p", code=2)
    check(b"E-CURL2" in ended.err and not server.asked, "not refused", ended)
    server.shutdown()


# What `run` takes in curl's words.
OPTIONS = (["-A", "me/1"], ["-b", "a=1; b=2"], ["-u", "me:pa:ss"], ["-G", "-d", "a=1", "--data-urlencode", "q=x{1}[2]"],
           ["--data-urlencode", "a=b/c", "--data-urlencode", "=d"], ["-X", "PUT", "--data-urlencode", "a=ü"],
           ["-F", "a=1", "-F", "b=x y;type=text/plain"], ["-A", "me/2", "-u", "a:b", "-H", "X-A: 1", "-d", "a=1"])


def test_options__ask_as_those_of_curl_do():
    if not shutil.which("curl"):
        raise harness.Skipped("curl is not installed")
    server = Echo()
    for number, words in enumerate(OPTIONS):
        subprocess.run(["curl", "-sqg", *words, server.url + "/p"], check=True, capture_output=True,
                       timeout=harness.HANG_S, env=harness.environment())
        wanted, run_dir = server.last(), scratch(f"o{number}.run")
        harness.succeed("run", "--plain", "-o", run_dir, *words, server.url + "/p")
        asked = server.last()
        check_equal([urllib.parse.unquote_plus(text) for text in asked[:2]],
                    [urllib.parse.unquote_plus(text) for text in wanted[:2]], f"method and URL for {words}")
        check_equal(*([{**heads, "content-type": [heads.get("content-type", [""])[0].split(";")[0]]}
                       for heads in (asked[2], wanted[2])]), f"headers for {words}")
        if "-F" in words:
            check(b'name="b"\r\nContent-Type: text/plain\r\n\r\nx y\r\n' in asked[3], "form", asked[3])
        else:
            check_equal(urllib.parse.unquote_plus(asked[3].decode()), urllib.parse.unquote_plus(wanted[3].decode()),
                        f"body for {words}")
    for words in (["-F", "a=1", "-d", "b"], ["-G", "-i", "/dev/null", "-d", "a"], ["-u", "me"]):
        ended = harness.run("run", "--plain", "-o", scratch("no.run"), *words, server.url + "/p")
        check_equal(ended.code, 2, f"exit code for {words}: {ended}")
    server.shutdown()


# --- types ---------------------------------------------------------------------------------------------------


def asked_by(server, name, job, *options):
    with open(scratch(f"{name}.json"), "w", encoding="ascii") as file:
        json.dump({"name": name, "base": server.url, **job}, file)
    run_dir = scratch(f"{name}.run")
    harness.succeed("run", "--plain", "-o", run_dir, *options, scratch(f"{name}.json"))
    types = {path: heads.get("content-type") for _, path, heads, _ in server.asked}
    server.asked.clear()
    return types


def test_type__is_the_endpoints_else_the_jobs_else_what_the_body_looks_like():
    server = Echo()
    endpoints = [{"name": "a", "url": "/a", "json": {"x": 1}}, {"name": "b", "url": "/b", "body": "x=1"},
                 {"name": "c", "url": "/c", "json": {}, "headers": {"content-type": "text/own"}}]
    own = {"/a": ["application/json"], "/b": ["application/x-www-form-urlencoded"], "/c": ["text/own"]}
    wide = {"/a": ["application/vnd.api+json"], "/b": ["application/vnd.api+json"], "/c": ["text/own"]}
    header = {"Content-Type": "application/vnd.api+json"}
    check_equal(asked_by(server, "none", {"endpoints": endpoints}), own, "types")
    check_equal(asked_by(server, "before", {"headers": header, "endpoints": endpoints}), wide, "types")
    check_equal(asked_by(server, "after", {"endpoints": endpoints, "headers": {"CONTENT-TYPE": header["Content-Type"]}}),
                wide, "types")
    check_equal(asked_by(server, "typed", {"endpoints": endpoints}, "-H", "Content-Type: application/vnd.api+json"), wide,
                "types")
    with open(scratch("lines"), "w", encoding="ascii") as file:
        file.write("Content-Type: application/vnd.api+json\n")
    harness.os.chmod(scratch("lines"), 0o600)
    check_equal(asked_by(server, "file", {"header_files": [scratch("lines")], "endpoints": endpoints}), wide, "types")
    # A later session reads what the first one wrote.
    harness.succeed("run", "--plain", "--max-requests", "9", "-o", scratch("after.run"))
    check_equal(server.asked, [], "requests")
    server.shutdown()


def test_basic__may_have_no_user_or_no_password():
    server = Echo()
    for number, (user, password) in enumerate((("", "${WORD}"), ("${WORD}", ""), ("${NONE}", "${WORD}"))):
        job = {"name": "j", "base": server.url, "login": {"basic": {"user": user, "password": password}},
               "endpoints": [{"name": "e", "url": "/e"}]}
        path, run_dir = scratch(f"b{number}.json"), scratch(f"b{number}.run")
        with open(path, "w", encoding="ascii") as file:
            json.dump(job, file)
        harness.succeed("run", "--plain", "-o", run_dir, path, env=harness.environment(WORD="sesame-4711", NONE=""))
        plain = b"sesame-4711:" if number == 1 else b":sesame-4711"
        check_equal(server.last()[2]["authorization"], ["Basic " + base64.b64encode(plain).decode()], "header")
        kept = open(run_dir + "/job.json", encoding="ascii").read()
        check("sesame" not in kept and re.search(r'"\$\{WORD\}"', kept), "job.json:", kept)
    # A key that is typed as a user without a password is a credential.
    job["login"]["basic"] = {"user": "sk_live_4711", "password": ""}
    with open(path, "w", encoding="ascii") as file:
        json.dump(job, file)
    harness.succeed("run", "--plain", "-o", scratch("key.run"), path)
    check_equal(server.last()[2]["authorization"], ["Basic " + base64.b64encode(b"sk_live_4711:").decode()], "header")
    check("sk_live" not in open(scratch("key.run") + "/job.json", encoding="ascii").read(), "the key is kept")
    server.shutdown()


if __name__ == "__main__":
    harness.main(globals())
