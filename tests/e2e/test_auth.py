"""Auth kinds: OAuth2's grants, a command that prints a token, and what goes wrong with each."""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

import harness
import jobs
import peer
from harness import check, check_equal, scratch

SECRET = "Qx7-planted-0123456789abcdef"


def private(name, text, mode=0o600):
    path = scratch(name)
    with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, mode)) as file:
        file.write(text)
    return path


class Tokens:
    """A token endpoint and an API. Tokens are good for `uses`; a refresh token for one use, after which the new one
    is only taken when the file that keeps it has it (`kept`)."""

    def __init__(self, uses=10, device_polls=0, kept=None):
        self.uses, self.device_polls, self.kept = uses, device_polls, kept
        self.left, self.number, self.refresh = 0, 0, 0
        self.forms, self.wrong = [], []
        self.lock = threading.Lock()
        self.server = peer.Peer(self.answer)
        self.url = self.server.url

    def token(self):
        return f"{SECRET}-t{self.number}"

    def refresh_token(self):
        return f"{SECRET}-r{self.refresh}"

    def give(self, **more):
        self.number += 1
        self.left = self.uses
        return peer.reply({"access_token": self.token(), "token_type": "bearer", "expires_in": 3600, **more})

    def grant(self, ask):
        form = dict(urllib.parse.parse_qsl(ask.body.decode()))
        self.forms.append((form, ask.headers.get("authorization", "")))
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != self.refresh_token():
                return peer.reply({"error": "invalid_grant"}, "400 No")
            self.refresh += 1
            return self.give(refresh_token=self.refresh_token())
        if form["grant_type"].endswith("device_code"):
            self.device_polls -= 1
            if self.device_polls >= 0:
                return peer.reply({"error": "authorization_pending"}, "400 Wait")
        return self.give()

    def answer(self, ask):
        with self.lock:
            if ask.path == "/token":
                return self.grant(ask)
            if ask.path == "/device":
                return peer.reply({"device_code": SECRET + "-d", "user_code": "WDJB-MJHT", "interval": 1,
                                   "verification_uri": "https://id.example/device", "expires_in": 60})
            good = ask.headers.get("authorization") == f"Bearer {self.token()}" and self.left > 0
            if self.kept and good and harness.read(self.kept()).decode().strip() != self.refresh_token():
                self.wrong.append(ask.path)  # a token was used before its refresh token was kept
            self.left -= good
            return peer.reply({"path": ask.path}) if good else peer.reply({"error": "token"}, "401 No")


def run(server_url, login, name, count=25, code=0, more=(), env=None):
    job = jobs.write_job(name, base=server_url, login=login, vars={"id": f"[1-{count}]"},
                         endpoints=[{"name": "x", "url": "/x/{id}"}])
    ended = harness.run("run", "--plain", "--json", "-c", "2", *more, "-o", scratch(name + ".run"), job,
                        env=harness.environment(**(env or {})))
    check(code is None or ended.code == code, f"wanted exit code {code}:", ended)
    check(SECRET.encode() not in ended.out + ended.err, "said:", ended)
    for path, data in harness.everything_in(scratch(name + ".run")).items():
        check(SECRET.encode() not in data or path.endswith("/refresh-token"), path, "holds a token")
    return ended


def test_password_grant__sends_user_and_password__and_names_the_client():
    tokens = Tokens()
    run(tokens.url, {"oauth2": {"url": "/token", "client_id": "me", "client_secret": "${C}", "user": "anna",
                                "password": "${P}", "scope": "a b"}}, "password", env={"C": "c-secret", "P": "p&ss=word"})
    form, header = tokens.forms[0]
    check_equal(form, {"grant_type": "password", "username": "anna", "password": "p&ss=word", "scope": "a b"}, "form")
    check_equal(header, "Basic " + base64.b64encode(b"me:c-secret").decode(), "client")
    check(2 < tokens.number < 6, "tokens:", tokens.number)


def test_refresh_token__is_kept_before_its_token_is_used__wherever_it_came_from():
    for name, given in (("file", "@r.txt"), ("env", "${R}")):
        run_dir = scratch(name + ".run")
        kept = scratch("r.txt") if given[0] == "@" else os.path.join(run_dir, "refresh-token")
        tokens = Tokens(kept=lambda kept=kept: kept)
        private("r.txt", SECRET + "-r0\n")
        login = {"oauth2": {"url": "/token", "client_id": "me", "refresh_token": given}}
        run(tokens.url, login, name, env={"R": SECRET + "-r0"}, code=None, more=["--max-requests", "15"])
        run(tokens.url, login, name, env={"R": SECRET + "-r0"})
        check(tokens.refresh >= 3, "refreshed:", tokens.refresh)
        check_equal(tokens.wrong, [], "asked with a token whose refresh token was not kept yet")
        check_equal(oct(os.stat(kept).st_mode & 0o777), "0o600", "mode")


def test_refresh_token__is_lost_by_no_kill__between_any_two_requests():
    tokens = Tokens(uses=3, kept=lambda: scratch("k.txt"))
    private("k.txt", SECRET + "-r0")
    job = jobs.write_job("k", base=tokens.url, vars={"id": "[1-60]"}, endpoints=[{"name": "x", "url": "/x/{id}"}],
                         login={"oauth2": {"url": "/token", "client_id": "me", "refresh_token": "@k.txt"}})
    for kill in range(4, 60, 9):
        child = harness.scrapetop("run", "--plain", "-c", "1", "--rate", "50/s", "-o", scratch("k.run"), job)
        harness.wait_for(lambda: tokens.server.total() >= kill or child.poll() is not None, "requests")  # pylint: disable=cell-var-from-loop
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.wait()
        # The server may have given one that no one has received: that is what a kill in its answer does.
        kept = harness.read(scratch("k.txt")).decode().strip()
        check(re.fullmatch(SECRET + r"-r\d+", kept), "the file is torn:", kept)
        tokens.refresh = int(kept.rsplit("r", 1)[1])
    harness.succeed("run", "--plain", "-o", scratch("k.run"), job)
    check_equal(tokens.wrong, [], "used before it was kept")


def test_refresh_token_that_is_refused__ends_the_run_with_a_sentence():
    tokens = Tokens()
    private("old.txt", SECRET + "-r9")
    ended = run(tokens.url, {"oauth2": {"url": "/token", "client_id": "me", "refresh_token": "@old.txt"}}, "old", code=5)
    check(b"invalid_grant" in ended.err, ended)
    check_equal(len(tokens.forms), 1, "asked")


def test_device_code__shows_where_to_go__and_asks_until_somebody_was_there():
    tokens = Tokens(device_polls=2)
    ended = run(tokens.url, {"oauth2": {"url": "/token", "client_id": "me", "device_url": "/device", "scope": "read"}},
                "device", count=5)
    check(b"open https://id.example/device and type WDJB-MJHT" in ended.err, ended)
    check_equal([form.get("device_code") for form, _ in tokens.forms], [SECRET + "-d"] * 3, "polls")


def test_device_code__is_on_the_screen():
    tokens = Tokens(device_polls=2)
    job = jobs.write_job("screen", base=tokens.url, endpoints=[{"name": "x", "url": "/x/1"}],
                         login={"oauth2": {"url": "/token", "client_id": "me", "device_url": "/device"}})
    with harness.terminal([harness.BINARY, "run", "-o", scratch("screen.run"), job], columns=80, rows=24) as shown:
        shown.wait_text(r"WDJB-MJHT")
        shown.keys("qq")
        shown.exit_code()


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True).stdout


def test_jwt__is_one_that_openssl_verifies__of_both_kinds():
    for name, make in (("RS256", ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
                       ("ES256", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        tokens = Tokens()
        private(name + ".pem", openssl(*make).decode())
        run(tokens.url, {"oauth2": {"url": "/token", "private_key": f"@{name}.pem", "issuer": "robot@example",
                                    "subject": "anna", "scope": "read", "key_id": "k1"}}, name, count=3)
        form = tokens.forms[0][0]
        check_equal(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer", "grant")
        head, claims, signature = form["assertion"].split(".")
        raw = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (head, claims, signature)]
        check_equal(json.loads(raw[0]), {"alg": name, "typ": "JWT", "kid": "k1"}, "head")
        said = json.loads(raw[1])
        check(abs(said["iat"] - time.time()) < 60 and said["exp"] == said["iat"] + 300, said)
        check_equal((said["iss"], said["sub"], said["aud"], said["scope"]),
                    ("robot@example", "anna", tokens.url + "/token", "read"), "claims")
        der = raw[2]
        if name == "ES256":
            r, s = (int.from_bytes(raw[2][at:at + 32], "big") for at in (0, 32))
            parts = [number.to_bytes((number.bit_length() + 8) // 8, "big") for number in (r, s)]
            body = b"".join(b"\x02" + bytes([len(part)]) + part for part in parts)
            der = b"\x30" + bytes([len(body)]) + body
        with open(scratch("sig"), "wb") as file:
            file.write(der)
        with open(scratch("pub.pem"), "wb") as file:
            file.write(openssl("pkey", "-in", scratch(name + ".pem"), "-pubout"))
        openssl("dgst", "-sha256", "-verify", scratch("pub.pem"), "-signature", scratch("sig"),
                stdin=f"{head}.{claims}".encode())


def test_private_key__is_refused_before_anything_is_asked__when_it_is_none():
    tokens = Tokens()
    encrypted = openssl("genpkey", "-algorithm", "RSA", "-aes256", "-pass", "pass:x").decode()
    weak = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024").decode()
    for name, text in (("none", "no key\n"), ("encrypted", encrypted), ("weak", weak)):
        private(name + ".pem", text)
        job = jobs.write_job(name, base=tokens.url, endpoints=[{"name": "x", "url": "/x"}],
                             login={"oauth2": {"url": "/token", "private_key": f"@{name}.pem", "issuer": "i"}})
        ended = harness.run("run", "--plain", "-o", scratch(name + ".run"), job, stdin=b"")
        check(ended.code == 2 and b"E-KEY1" in ended.err, name, ended)
    check_equal(tokens.server.total(), 0, "requests")


# --- a command ---------------------------------------------------------------------------------------------


def script(text):
    return [sys.executable, "-c", text]


def test_command__prints_the_token__and_is_asked_anew_at_a_401():
    tokens = Tokens(uses=10)
    private("n", "0")
    tokens.number = 0

    def count():
        return int(harness.read(scratch("n")))

    text = (f"import os, pathlib; p = pathlib.Path({scratch('n')!r}); n = int(p.read_text()) + 1;"
            "p.write_text(str(n)); print(os.environ['T'] + '-t' + str(n))")

    def answer(ask):
        with tokens.lock:
            if tokens.number != count():
                tokens.number, tokens.left = count(), 10
            good = ask.headers.get("authorization") == f"Bearer {tokens.token()}" and tokens.left > 0
            tokens.left -= good
            return peer.reply({"a": 1}) if good else peer.reply({"error": "token"}, "401 No")

    tokens.server.answer = answer
    run(tokens.url, {"command": script(text)}, "command", count=35, env={"T": SECRET})
    check(3 < count() < 8, "runs of the command:", count())


def test_command_that_goes_wrong__ends_the_run_with_a_sentence__at_once():
    tokens = Tokens()
    for name, words, said, more in (
            ("missing", ["/no/such/program"], b"cannot be run: no such file", {}),
            ("two-lines", script("print('a'); print('b')"), b"printed several lines", {}),
            ("nothing", script("pass"), b"printed nothing", {}),
            ("fails", script("import sys; sys.exit('you are not logged in')"), b"status 1: you are not logged in", {}),
            ("hangs", script("import time; time.sleep(60)"), b"did not end within 500 ms", {"timeout": "500ms"}),
            ("long", script("print('x' * 100000)"), b"printed over", {}),
            ("control", script("print('a' + chr(1) + 'b')"), b"what no header may hold", {})):
        began = time.monotonic()
        ended = run(tokens.url, {"command": words, **more}, name, code=5)
        check(said in ended.err and b"E-AUTH2" in ended.err, name, ended)
        check(time.monotonic() - began < 10, name, "took", time.monotonic() - began)
    check_equal(tokens.server.total(), 0, "requests")


def test_command_that_hangs__does_not_hold_up_the_end_of_a_run():
    tokens = Tokens()
    job = jobs.write_job("held", base=tokens.url, endpoints=[{"name": "x", "url": "/x"}],
                         login={"command": script("import time; time.sleep(300)")})
    child = harness.scrapetop("run", "--plain", "-o", scratch("held.run"), job)
    time.sleep(0.5)
    child.send_signal(signal.SIGTERM)
    harness.wait_for(lambda: child.poll() is not None, "the end", limit_s=15)


if __name__ == "__main__":
    harness.main(globals())
