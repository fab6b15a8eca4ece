"""Secrets stay where they were given: not in the run directory, not in any output, not on the screen.

test_planted.py looks for them in what servers answer.
"""

import os
import re
import resource
import subprocess
import threading

import harness
import jobs
import peer
from harness import check, check_equal, scratch, wait_for

FROM_ENV = "env-s3cret-0badcafe"
FROM_FILE = "file-s3cret-0badcafe"
IN_QUERY = "query-s3cret-0badcafe"
SECRETS = [secret.encode() for secret in (FROM_ENV, FROM_FILE, IN_QUERY)]


def command(server, *more):
    with open(scratch("headers"), "w", encoding="ascii", opener=private) as file:
        file.write(f"X-Api-Key: {FROM_FILE}\n")
    # A status of its own kind for each way a URL is told: stored, failed, tried again.
    return ["run", "-o", scratch("s.run"), "-H", "Authorization: Bearer ${E2E_TOKEN}", "-H",
            f"@{scratch('headers')}", "--retries", "1", "--backoff", "10ms", "--csv",
            scratch("s.csv"), *more,
            f"{server.url}/{{posts/1,status/404,status/500,empty,retry-after}}"
            f"?api_key={IN_QUERY}&again={FROM_ENV}&s=1&n=[1-3]"]


def private(path, flags):
    return os.open(path, flags, 0o600)


def check_clean(what, data):
    for secret in SECRETS:
        at = data.find(secret)
        check(at < 0, what, "holds a secret:", data[max(0, at - 80):at + 40])


def check_files(run_dir):
    for path, data in harness.everything_in(run_dir).items():
        check_clean(path, data)
    check_clean("the table", harness.read(scratch("s.csv")))


def test_secrets__are_nowhere__when_run_without_a_terminal():
    with harness.api() as server:
        ended = harness.run(*command(server, "--json"), env=harness.environment(E2E_TOKEN=FROM_ENV))
        check(ended.code == 3, "some of these requests are to fail:", ended)
    check_clean("stdout", ended.out)
    check_clean("stderr", ended.err)
    check_files(scratch("s.run"))
    for reader in ("raw", "verify", "status"):
        said = harness.succeed(reader, scratch("s.run"))
        check_clean(reader, said.out + said.err)


def test_secrets__are_on_no_screen__when_run_in_a_terminal():
    with harness.api("--latency", "50ms") as server:
        arguments = [harness.BINARY, *command(server)]
        with harness.terminal(arguments, env={"E2E_TOKEN": FROM_ENV}, columns=200, rows=50) as shown:
            shown.wait_text(r"15/15")
            for key in "12345678":
                shown.keys(key + "z")
                shown.pump(0.2)
                shown.keys("z")
                shown.pump(0.2)
            shown.keys("q")
            shown.exit_code()
            check_clean("the terminal", shown.raw)
    check_files(scratch("s.run"))


PASSWORD = "demo"  # of the embedded API; its tokens hold that word, so another text is looked for
CLIENT_SECRET = "demo-secret"
TOKEN = re.compile(rb"demo-\d+-[0-9a-f]{16}")


def login_job(server, name, login):
    return jobs.write_job(name, base=server.url, login=login, vars={"id": "[1-60]"}, endpoints=[
        {"name": "posts", "url": "/private/token/posts/{id}"}])


LOGINS = {
    "oauth2": {"oauth2": {"url": "/oauth/token", "client_id": "demo-client",
                          "client_secret": "${E2E_SECRET}"}},
    "call": {"url": "/api/auth/login", "json": {"email": "demo@example.com", "password": "${E2E_PASSWORD}"}},
}


def check_no_token(what, data):
    check(not TOKEN.search(data), what, "holds a token:", TOKEN.search(data))
    check(CLIENT_SECRET.encode() not in data, what, "holds the client's secret")
    check(b"ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ=" not in data, what, "holds the client in base64")
    check(b'"password":"demo"' not in data, what, "holds the password")


def test_tokens__are_nowhere__when_they_end_and_are_asked_anew():
    env = {"E2E_SECRET": CLIENT_SECRET, "E2E_PASSWORD": PASSWORD}
    with harness.api("--token-uses", "20", "--fail", "5%") as server:
        for name, login in LOGINS.items():
            run_dir = scratch(name + ".run")
            ended = harness.succeed(*jobs.command(login_job(server, name, login), run_dir, "--json"),
                                    env=harness.environment(**env))
            check_equal(ended.report()["ok"], 60, "ok")
            check_no_token("stdout", ended.out)
            check_no_token("stderr", ended.err)
            for path, data in harness.everything_in(run_dir).items():
                check_no_token(path, data)


def test_tokens__are_on_no_screen__not_even_in_the_detail_of_a_request():
    with harness.api("--latency", "100ms", "--token-uses", "20") as server:
        job = login_job(server, "call", LOGINS["call"])
        arguments = [harness.BINARY, *jobs.command(job, scratch("t.run"), "-c", "2")]
        with harness.terminal(arguments, env={"E2E_PASSWORD": PASSWORD}, columns=200, rows=50) as shown:
            shown.wait_text(r"Authorization|\d+/60")
            shown.keys("1\r")
            shown.pump(0.2)
            for key in "1234567890":
                shown.keys(key + "z")
                shown.pump(0.1)
                shown.keys("z")
            shown.wait_text(r"60/60")
            shown.keys("q")
            shown.exit_code()
            check_no_token("the terminal", shown.raw)
    for path, data in harness.everything_in(scratch("t.run")).items():
        check_no_token(path, data)


NOBODY = 65534


def as_a_user():
    """Root may read everything."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def core_limit(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
        return re.search(r"Max core file size +(\S+)", limits.read()).group(1)


def allow_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)


def test_memory__is_read_by_no_other_process_and_dumped_nowhere__unless_allowed():
    if harness.SMALL:
        raise harness.Skipped("sanitizers trace the process themselves")
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    user = as_a_user()
    if user and subprocess.run(["test", "-x", harness.BINARY], check=False, **user).returncode != 0:
        raise harness.Skipped("the user nobody may not run the program where it lies")
    os.chmod(scratch(""), 0o777)
    ended = threading.Event()
    server = peer.Peer(lambda ask: ended.wait() and None)
    try:
        for command in ("run", "--plain", "-o", scratch("a.run")), ("probe",):
            for more in (), ("--allow-core",):
                before = server.total()
                child = harness.scrapetop(*command, *more, f"{server.url}/posts/1", preexec_fn=allow_cores,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user)
                wait_for(lambda: server.total() > before, "a request")
                # Who may read this may read the memory; of that more is asked on some systems.
                code = subprocess.run(["sh", "-c", f": < /proc/{child.pid}/environ"], cwd="/",
                                      stderr=subprocess.DEVNULL, check=False, **user).returncode
                check_equal(code == 0, bool(more), f"{command[0]} {more}: whether its environment is read")
                limit = "0" if not more else "unlimited" if most == resource.RLIM_INFINITY else str(most)
                check_equal(core_limit(child.pid), limit, f"{command[0]} {more}: core file size")
                child.kill()
                child.wait()
    finally:
        ended.set()


def echo():
    return peer.Peer(lambda ask: peer.reply({"n": ask.number}))


def test_headers__come_by_stdin_or_from_a_command__and_are_not_kept():
    server = echo()
    run_dir = scratch("pipe.run")
    harness.succeed("run", "--plain", "-o", run_dir, "-H", "@-", f"{server.url}/a", stdin=b"X-Api-Key: stdin-s3cret-0badcafe\n")
    check_equal(server.asks[-1].headers.get("x-api-key"), "stdin-s3cret-0badcafe", "by stdin")
    text = f"exec {harness.BINARY} run --plain -o {scratch('sub.run')} -H @<(echo 'X-Api-Key: {FROM_FILE}') {server.url}/b"
    subprocess.run(["bash", "-c", text], check=True, capture_output=True)
    check_equal(server.asks[-1].headers.get("x-api-key"), FROM_FILE, "from a command")
    for where in (run_dir, scratch("sub.run")):
        for path, data in harness.everything_in(where).items():
            check(b"0badcafe" not in data, path, "holds a secret")
    ended = harness.run("run", "--plain", "-o", scratch("none.run"), "-H", "@-", f"{server.url}/c", stdin=b"")
    check(ended.code == 2 and b"no header lines" in ended.err, ended)


def test_env_file__beside_a_job__is_read_when_private_and_the_environment_goes_first():
    server = echo()
    job = jobs.write_job("dotenv", base=server.url, headers={"X-Api-Key": "${E2E_DOT}", "X-Other": "${E2E_OTHER}"},
                         endpoints=[{"name": "x", "url": "/x"}])
    with open(scratch(".env"), "w", encoding="ascii", opener=private) as file:
        file.write(f"# comment\nexport E2E_DOT='{FROM_FILE}'\nE2E_OTHER=not-this\n")
    harness.succeed("run", "--plain", "-o", scratch("dot.run"), job, env=harness.environment(E2E_OTHER="from-outside"))
    check_equal((server.asks[-1].headers["x-api-key"], server.asks[-1].headers["x-other"]), (FROM_FILE, "from-outside"),
                "headers")
    for path, data in harness.everything_in(scratch("dot.run")).items():
        check(FROM_FILE.encode() not in data, path, "holds a secret")
    # The run knows where it was, wherever the next session is begun.
    harness.succeed("run", "--plain", "-o", scratch("dot.run"), "--only-failed", cwd="/",
                    env=harness.environment(E2E_OTHER="from-outside"))
    # A job file names no such file: it might be anybody's.
    other = jobs.write_job("named", base=server.url, env_file=scratch(".env"), headers={"X-Api-Key": "${E2E_DOT}"},
                           endpoints=[{"name": "x", "url": "/x"}])
    os.makedirs(scratch("apart"))
    os.rename(other, scratch("apart/named.json"))
    ended = harness.run("run", "--plain", "-o", scratch("named.run"), scratch("apart/named.json"))
    check(ended.code == 2 and b"E2E_DOT is not set" in ended.err, ended)
    before = server.total()
    os.chmod(scratch(".env"), 0o644)
    ended = harness.run("run", "--plain", "-o", scratch("dot2.run"), job, env=harness.environment(E2E_OTHER="x"))
    check(ended.code == 2 and b"E-SEC1" in ended.err and b"chmod 600" in ended.err, ended)
    os.remove(scratch(".env"))
    ended = harness.run("run", "--plain", "-o", scratch("dot3.run"), job, env=harness.environment(E2E_OTHER="x"))
    check(ended.code == 2 and b"E2E_DOT is not set" in ended.err, ended)
    check_equal(server.total(), before, "asked without it")


if __name__ == "__main__":
    harness.main(globals())
