"""Files that curl reads, too: -K and netrc. What is asked is what curl itself asks with the same file."""

import json
import os
import subprocess

import harness
import jobs
import peer
from harness import check, check_equal, scratch

SECRET = "Qx7-planted-0123456789"


def put(name, text, mode=0o600):
    path = scratch(name)
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, mode)) as file:
        file.write(text)
    return path


def echo():
    return peer.Peer(lambda ask: peer.reply({"path": ask.path}))


def seen(ask):
    """What the two must have alike."""
    names = ("authorization", "cookie", "referer", "user-agent", "x-key", "x-two", "content-type")
    headers = {n: ask.headers[n] for n in names if n in ask.headers}
    if headers.get("user-agent", "curl/").startswith(("curl/", "scrapetop")):
        headers.pop("user-agent", None)
    return ask.method, ask.path, headers, ask.body


def curl(*words):
    ended = subprocess.run(["curl", "-sS", "-q", *words], capture_output=True, check=False, cwd=scratch(""),
                           env=harness.environment(HOME=scratch("home")))
    check(ended.returncode == 0, ended)


def compare(server, words, *more):
    """The asks of curl, and then of run and probe."""
    before = len(server.asks)
    curl(*words)
    wanted = [seen(a) for a in server.asks[before:]]
    for command in ("run", "probe") if len(wanted) == 1 else ("run",):
        before = len(server.asks)
        options = ["--plain", "-c", "1", "-o", scratch(f"run{before}")] if command == "run" else []
        ended = harness.succeed(command, *options, *words, *more, env=harness.environment(HOME=scratch("home")))
        check_equal([seen(a) for a in server.asks[before:]], wanted, f"asked by {command}")
        check(SECRET.encode() not in ended.out + ended.err, "said:", ended)
        if command == "run":
            for path, data in harness.everything_in(scratch(f"run{before}")).items():
                check(SECRET.encode() not in data, path, "holds a secret")
    return wanted


def test_config__asks_what_curl_asks():
    server = echo()
    os.makedirs(scratch("home"), exist_ok=True)
    files = [
        f'url = "{server.url}/a?b=c"\nheader = "X-Key: {SECRET}"\nuser-agent = "the one \\"quoted\\""\n',
        f'# a comment\n--url {server.url}/b\n-H "X-Two: a\\tb"\nrequest=PUT\ndata: {{"a":1}}\n-H "Content-Type: application/json"\n',
        f'url={server.url}/c\nuser = "me:{SECRET}"\ncookie = "a=1; b=2"\nreferer = http://h.test/\nsilent\n-L\n',
        f'url={server.url}/d\ndata-urlencode = "q=abc"\nget\n-sS\n-XPATCH\n',
        f'url={server.url}/e\noauth2-bearer={SECRET}\njson = "{{\\"k\\": 1}}"\n',
        f'url={server.url}/f\nurl={server.url}/g\nheader="X-Key: 1"\n',
    ]
    for number, text in enumerate(files):
        compare(server, ["-K", put(f"{number}.conf", text)])
    inner = put("inner.conf", 'header = "X-Key: 7"\n')
    compare(server, ["-K", put("outer.conf", f'config = "{inner}"\nurl = {server.url}/h\n')])


def test_config__gives_way_to_options__and_is_read_anew_when_a_run_goes_on():
    server = echo()
    # "/" and "*" begin comments, and lines may begin with blanks, for curl 7.88, and not for 8.14.
    conf = put("c.conf", f'/ a comment\n* another\n  url = {server.url}/x/[1-3]\nheader = "X-Key: {SECRET}"\nheader = "X-Two: of the file"\n')
    harness.run("run", "--plain", "-c", "1", "--max-requests", "1", "-o", scratch("on.run"), "-K", conf, "-H", "X-Two: of the option")
    harness.succeed("run", "--plain", "-o", scratch("on.run"), "-K", conf, "-H", "X-Two: of the option")
    check_equal(sorted(a.path for a in server.asks), ["/x/1", "/x/2", "/x/3"], "asked")
    check_equal({(a.headers["x-key"], a.headers["x-two"]) for a in server.asks}, {(SECRET, "of the option")}, "headers")
    for path, data in harness.everything_in(scratch("on.run")).items():
        check(SECRET.encode() not in data, path, "holds a secret")
    job = jobs.write_job("j", base=server.url, endpoints=[{"name": "x", "url": "/of/job"}])
    put("h.conf", 'header = "X-Key: 9"\n')
    harness.succeed("run", "--plain", "-o", scratch("j.run"), "-K", scratch("h.conf"), job)
    check_equal((server.asks[-1].path, server.asks[-1].headers["x-key"]), ("/of/job", "9"), "a job file's request")


def test_config__is_refused_with_its_line__and_what_is_passed_over_is_named():
    server = echo()
    for text, words in ((f"url={server.url}\nno-such-option = 1\n", b"bad.conf:2: curl command: curl has no option no-such-option"),
                        (f"url={server.url}\n\nupload-file = x\n", b"bad.conf:3:"), ("request\n", b"wants a value"),
                        (f'config = "{scratch("bad.conf")}"\n', b"within each other")):
        ended = harness.run("run", "--plain", "-o", scratch("bad.run"), "-K", put("bad.conf", text))
        check(ended.code == 2 and words in ended.err, ended)
    ended = harness.run("run", "--plain", "-K", scratch("none.conf"))
    check(ended.code == 2 and b"none.conf" in ended.err, ended)
    check_equal(server.total(), 0, "asked")
    ended = harness.succeed("run", "--plain", "-o", scratch("ok.run"), "-K",
                            put("ok.conf", f"url={server.url}\nretry = 3\nlimit-rate = 1k\n"))
    check(b"passed over in the curl command: retry limit-rate" in ended.err, ended)


NETRC = f"""# of mine
machine other.test login no password no
macdef up
  put x

machine 127.0.0.1
   login "my \\"name\\""   account x
   password {SECRET}
machine 127.0.0.1 login second password second
default login anybody password {SECRET}-d
"""


def test_netrc__tells_what_curl_tells():
    server = echo()
    os.makedirs(scratch("home"), exist_ok=True)
    put("home/.netrc", NETRC)
    wanted = compare(server, ["--netrc", server.url + "/n"])
    check("authorization" in wanted[0][2], "curl sent nothing:", wanted)
    for name, text in (("default", f"machine x.test login a password b\ndefault login me password {SECRET}\n"),
                       ("line", f"machine 127.0.0.1 login me password {SECRET}\n"), ("case", f"default login\n me\npassword\t{SECRET}")):
        compare(server, ["--netrc-file", put(name + ".netrc", text), server.url + "/" + name])
    wanted = compare(server, ["--netrc-optional", "--netrc-file", put("none.netrc", "machine x.test login a password b\n"), server.url + "/o"])
    check("authorization" not in wanted[0][2], wanted)
    job = jobs.write_job("n", base=server.url, endpoints=[{"name": "x", "url": "/job"}], login={"netrc": "line.netrc"})
    harness.succeed("run", "--plain", "-o", scratch("n.run"), job)
    check(server.asks[-1].headers["authorization"].startswith("Basic "), server.asks[-1].headers)
    ended = harness.succeed("probe", "-", stdin=f"curl -n '{server.url}/pasted'".encode(), env=harness.environment(HOME=scratch("home")))
    check_equal(server.asks[-1].path, "/pasted", "asked")
    check("authorization" in server.asks[-1].headers and b'"netrc"' in ended.out and SECRET.encode() not in ended.out, ended)


def test_netrc__says_what_is_wrong():
    server = echo()
    for text, words in (("machine x.test login a password b\n", b"has no entry for 127.0.0.1"), ("machine 127.0.0.1 login", b":1: a value"),
                        ('machine 127.0.0.1 login "a\npassword b', b"closing quote")):
        ended = harness.run("run", "--plain", "-o", scratch("w.run"), "--netrc-file", put("w.netrc", text), server.url)
        check(ended.code == 2 and words in ended.err, ended)
    check_equal(server.total(), 0, "asked")
    ended = harness.succeed("run", "--plain", "-o", scratch("open.run"), "--netrc-file",
                            put("open.netrc", f"default login a password {SECRET}\n", 0o644), server.url)
    check(b"W-SEC1" in ended.err and b"chmod 600" in ended.err, ended)


def test_pasted_digest__is_answered__and_kept_for_the_job():
    def answer(ask):
        if not ask.headers.get("authorization", "").startswith("Digest "):
            return peer.reply({}, "401 Who", headers=['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'])
        return peer.reply([{"a": 1}])

    server = peer.Peer(answer)
    ended = harness.succeed("probe", "-", stdin=f"curl --digest -u 'me:{SECRET}' {server.url}/x".encode())
    check(json.loads("\n".join(line for line in ended.out.decode().splitlines() if not line.lstrip().startswith("//")))["login"] ==
          {"digest": {"user": "${API_USER}", "password": "${API_PASSWORD}"}}, ended)
    check(SECRET.encode() not in ended.out + ended.err, ended)


if __name__ == "__main__":
    harness.main(globals())
