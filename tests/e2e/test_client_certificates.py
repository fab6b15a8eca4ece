"""Certificates of clients, against nginx that wants one; and pins, versions and other ways to a server.

What cannot be shown is told before the first request: nothing is sent then.
"""

import os
import shutil
import socket
import ssl
import subprocess

import harness
from harness import check, check_equal, scratch
from nginx import Nginx
from peer import Peer, reply
from test_guards import certificate, https

PASS = "a-pass-of-letters"
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]

CONFIG = """
daemon off; pid {dir}/pid; error_log {dir}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off; {temp}
    server {{
        listen 127.0.0.1:{port} ssl; ssl_certificate {dir}/server.crt; ssl_certificate_key {dir}/server.key;
        ssl_client_certificate {dir}/ca.crt; ssl_verify_client on;
        location / {{ default_type application/json; return 200 '{{"who":"$ssl_client_s_dn"}}'; }}
    }}
}}
"""


def openssl(*arguments):
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise harness.Skipped("openssl is missing: scripts/deps --test") from None
    check_equal(done.returncode, 0, f"exit code of openssl {arguments[0]}: {done.stderr.decode()}")
    return done.stdout.decode()


def ended_already():
    """How this openssl says that a certificate has expired: from 3.5 on it takes no days before today."""
    known = subprocess.run(["openssl", "x509", "-help"], capture_output=True, check=False)
    if b"-not_after" in known.stdout + known.stderr:
        return "-not_before", "20200101000000Z", "-not_after", "20200102000000Z"
    return "-days", "-1"


class Picky(Nginx):
    """One that takes clients with a certificate of its own authority."""

    def __init__(self):
        self.dir = scratch("nginx")
        os.makedirs(self.dir)
        self.make_certificates()
        super().__init__(CONFIG)

    def path(self, name):
        return f"{self.dir}/{name}"

    def make_certificates(self):
        d = self.dir
        openssl("req", "-x509", *EC, "-nodes", "-keyout", f"{d}/server.key", "-out", f"{d}/server.crt",
                "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
        openssl("req", "-x509", *EC, "-nodes", "-keyout", f"{d}/ca.key", "-out", f"{d}/ca.crt", "-subj",
                "/CN=ca", "-days", "2")
        openssl("req", *EC, "-nodes", "-keyout", f"{d}/client.key", "-out", f"{d}/client.csr", "-subj",
                "/CN=alice")
        openssl("x509", "-req", "-in", f"{d}/client.csr", "-CA", f"{d}/ca.crt", "-CAkey", f"{d}/ca.key", "-CAcreateserial",
                "-out", f"{d}/client.crt", "-days", "2")
        openssl("x509", "-req", "-in", f"{d}/client.csr", "-CA", f"{d}/ca.crt", "-CAkey", f"{d}/ca.key", "-CAcreateserial",
                "-out", f"{d}/old.crt", *ended_already())
        openssl("pkey", "-aes256", "-in", f"{d}/client.key", "-out", f"{d}/locked.key", "-passout", "pass:" + PASS)
        openssl("pkcs12", "-export", "-in", f"{d}/client.crt", "-inkey", f"{d}/client.key", "-out", f"{d}/client.p12",
                "-passout", "pass:" + PASS)
        for name in ("client.key", "locked.key", "client.p12"):
            os.chmod(f"{d}/{name}", 0o600)
        shutil.copy(f"{d}/client.key", f"{d}/open.key")
        os.chmod(f"{d}/open.key", 0o644)
        with open(os.open(f"{d}/both.pem", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            for name in ("client.crt", "client.key"):
                file.write(harness.read(f"{d}/{name}").decode())


def ask(name, url, *more, env=None):
    return harness.run("run", "--plain", "--json", "--retries", "0", "-o", scratch(name), *more, url,
                       env=harness.environment(**(env or {})))


# --- certificates of clients -----------------------------------------------------------------------------


def test_certificate__is_shown__as_pem_and_as_pkcs12():
    n = Picky()
    url, ca = f"https://127.0.0.1:{n.port}/x", ["--cacert", n.path("server.crt")]
    without = ask("without", url, *ca)
    check_equal(without.code, 3, f"exit code without a certificate: {without}")
    env = {"KEY_PASS": PASS}
    for name, more in (
            ("pem", ["--cert", n.path("client.crt"), "--key", n.path("client.key")]),
            ("both", ["-E", n.path("both.pem")]),
            ("locked", ["--cert", n.path("client.crt"), "--key", n.path("locked.key"), "--pass", "${KEY_PASS}"]),
            ("p12", ["--cert", n.path("client.p12"), "--pass", "${KEY_PASS}"]),
            ("curl", ["--cert", n.path("client.p12") + ":${KEY_PASS}"])):
        ended = ask(name, url, *ca, *more, env=env)
        check_equal(ended.code, 0, f"exit code of {name}: {ended}")
        check("alice" in str(harness.bodies(scratch(name))), "who nginx saw", harness.bodies(scratch(name)))
        check(PASS not in str(harness.everything_in(scratch(name))), "the pass phrase is kept in", name)
    resumed = harness.run("run", "--plain", "-o", scratch("p12"), env=harness.environment(**env))
    check_equal(resumed.code, 0, f"exit code when resumed: {resumed}")


def test_certificate__is_refused_before_anything_is_asked__when_it_cannot_be_shown():
    n = Picky()
    server = Peer(lambda _: reply())
    cert, key = ["--cert", n.path("client.crt")], ["--key", n.path("client.key")]
    for more, code, words in (
            (["--cert", n.path("none.crt")], "E-TLS4", "none.crt"),
            (["--cert", n.path("none.crt") + ":s3cret:s3cret"], "E-TLS4", "none.crt"),
            ([*cert, "--key", n.path("none.key")], "E-TLS4", "none.key"),
            ([*cert, "--key", n.path("open.key")], "E-SEC1", "open.key"),
            ([*cert, "--key", n.path("locked.key")], "E-TLS4", "wants a pass phrase"),
            ([*cert, "--key", n.path("locked.key"), "--pass", "wrong-phrase"], "E-TLS4", "the pass phrase is wrong"),
            (["--cert", n.path("client.p12"), "--pass", "wrong-phrase"], "E-TLS4", "the pass phrase is wrong"),
            (["--cert", n.path("client.p12")], "E-TLS4", "wants a pass phrase"),
            (["--cert", n.path("ca.crt"), *key], "E-TLS4", "are not of one another"),
            (["--cert", n.path("old.crt"), *key], "E-TLS4", "has expired, on 20"),
            (["--cert", n.path("client.csr"), *key], "E-TLS4", "holds no certificate"),
            ([*cert, "--key", n.path("both.pem").replace("both.pem", "client.p12")], "E-TLS4", "no private key"),
            (key, "E-TLS4", "give --cert"),
            (["--tls-min", "1.1"], "E-TLS4", "1.2 or 1.3"),
            (["--pinnedpubkey", "sha256//short"], "E-TLS4", "sha256//"),
            (["--resolve", "h:1:x"], "E-NET1", "HOST:PORT:ADDRESS"),
            (["--connect-to", "h:1"], "E-NET1", "HOST:PORT:HOST:PORT"),
            (["--unix-socket", scratch("no.sock")], "E-NET1", "no.sock"),
            (["--interface", "nothing0"], "E-NET1", "nothing0"),
            (["-4", "-6"], "E-NET1", "exclude each other")):
        ended = ask("refused", server.url + "/x", *more)
        check_equal(ended.code, 2, f"exit code with {more}: {ended}")
        check(f"error[{code}]".encode() in ended.err and words.encode() in ended.err, "not told", code, words, ended)
        check(b"s3cret" not in ended.err, "a password is told:", ended)
        check(not os.path.exists(scratch("refused")), "a directory was made for", more)
    check_equal(server.total(), 0, "requests")


def test_certificate__is_not_shown__to_who_a_redirect_leads_to():
    n = Picky()
    crt, key = certificate("right", "IP:127.0.0.1")
    stranger = https(lambda _: reply(status="302 Found", headers=[f"Location: https://127.0.0.1:{n.port}/x"]), crt, key)
    with open(scratch("cas.pem"), "w", encoding="ascii") as file:
        file.write(harness.read(crt).decode() + harness.read(n.path("server.crt")).decode())
    ended = ask("led", stranger.url + "/a", "--cacert", scratch("cas.pem"), "--cert", n.path("both.pem"))
    check_equal(ended.code, 3, f"exit code: {ended}")
    check(b"HTTP 400" in ended.err, "nginx saw a certificate", ended)


# --- pins, versions --------------------------------------------------------------------------------------


def pin_of(crt):
    public = subprocess.run(["openssl", "x509", "-in", crt, "-pubkey", "-noout"], capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public, capture_output=True, check=True)
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der.stdout, capture_output=True, check=True)
    encoded = subprocess.run(["openssl", "base64", "-A"], input=digest.stdout, capture_output=True, check=True)
    return "sha256//" + encoded.stdout.decode()


def test_pin__lets_only_its_server_through():
    crt, key = certificate("right", "IP:127.0.0.1")
    other, other_key = certificate("other", "IP:127.0.0.1")
    server, twin = https(lambda _: reply(), crt, key), https(lambda _: reply(), other, other_key)
    pin = pin_of(crt)
    good = ask("pinned", server.url + "/x", "-k", "--pinnedpubkey", pin)
    check_equal((good.code, server.total()), (0, 1), f"exit code and requests: {good}")
    bad = ask("unpinned", twin.url + "/x", "-k", "--pinnedpubkey", pin)
    check_equal((bad.code, twin.total()), (3, 0), f"exit code and requests of another server: {bad}")
    check("tls" in str(bad.report()["failures"]), "class", bad.report()["failures"])


def test_least_version__is_kept():
    crt, key = certificate("right", "IP:127.0.0.1")
    server = https(lambda _: reply(), crt, key, ssl.TLSVersion.TLSv1_2)
    for least, code in (("1.2", 0), ("1.3", 3)):
        ended = ask("tls" + least, server.url + "/x", "--cacert", crt, "--tls-min", least)
        check_equal(ended.code, code, f"exit code with {least}: {ended}")


# --- other ways to a server ------------------------------------------------------------------------------


def test_name__is_found_elsewhere__by_resolve_and_connect_to():
    server = Peer(lambda _: reply())
    port = server.url.rsplit(":", 1)[1]
    for name, url, more in (
            ("resolve", f"http://api.test:{port}/x", ["--resolve", f"api.test:{port}:127.0.0.1", "-4"]),
            ("connect", "http://api.test/x", ["--connect-to", f"api.test:80:127.0.0.1:{port}"]),
            ("interface", server.url + "/x", ["--interface", "127.0.0.9"])):
        ended = ask(name, url, *more)
        check_equal(ended.code, 0, f"exit code of {name}: {ended}")
        if name != "interface":
            check(server.asks[-1].headers["host"].startswith("api.test"), "host", server.asks[-1].headers)
    shown = harness.run("run", "--show-config", "--resolve", "api.test:80:127.0.0.1", "http://api.test/")
    check(b'network.resolve = ["api.test:80:127.0.0.1"]  # --resolve' in shown.out, shown)


def test_socket__is_asked__whatever_the_url():
    path = scratch("api.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        child = harness.scrapetop("run", "--plain", "-o", scratch("socket"), "--unix-socket", path, "http://docker/v1/x",
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with listener.accept()[0] as peer:
            asked = peer.recv(4096)
            peer.sendall(reply(headers=["Connection: close"]))
    ended = harness.finish(child)
    check_equal((ended.code, asked.split(b"\r\n")[0]), (0, b"GET /v1/x HTTP/1.1"), f"exit code and request: {ended}")


if __name__ == "__main__":
    harness.main(globals())
