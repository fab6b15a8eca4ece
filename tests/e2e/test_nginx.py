"""A second, real server: nginx, with limit_req, gzip and a certificate of its own making.

What our own API answers could suit our own client too well. The limit guards static files: a `return`
in the limited location would be answered before the limit is looked at.
"""

import gzip
import json
import os
import re
import shutil
import subprocess

import harness
from harness import check, check_equal, scaled, scratch
from nginx import Nginx

URLS = scaled(120, 60)
CAP = 10
RETRY_AFTER_S = 1
PATIENT = ["--connect-timeout", "100s"]  # a handshake loads all that the machine trusts: slow, when busy

CONFIG = """
daemon off; master_process off; worker_processes 1;
pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
    {temp}
    default_type application/json;
    log_format asked '$msec $status $request_uri $connection $sent_http_content_encoding';
    access_log {dir}/access.log asked;
    limit_req_zone $server_port zone=all:1m rate=20r/s;
    limit_req_status 429;
    keepalive_requests 100000;
    gzip_types application/json; gzip_min_length 1; gzip_http_version 1.1;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
        root {dir}/www;
        location /free/ {{ alias {dir}/www/items/; }}
        location /gzip/ {{ alias {dir}/www/items/; gzip on; }}
        location /limited/ {{
            alias {dir}/www/items/;
            limit_req zone=all burst=10 nodelay;
            error_page 429 @later;
        }}
        location @later {{ add_header Retry-After {retry_after} always; return 429; }}
        location /bare/ {{ alias {dir}/www/items/; limit_req zone=all burst={bare_burst} nodelay; }}
    }}
}}
"""


def make_certificate(directory):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    f"{directory}/key.pem", "-out", f"{directory}/cert.pem"],
                   check=True, capture_output=True)


def body(number):
    """Large enough to be worth packing, with what must come through byte for byte."""
    item = {"id": number, "big": 9007199254740993 + number, "text": "größe “quote”\n" * 20}
    return json.dumps(item, ensure_ascii=False).encode() + b"\n"


class Limited(Nginx):
    def __init__(self):
        self.dir = scratch("nginx")
        os.makedirs(f"{self.dir}/www/items")
        for number in range(1, URLS + 1):
            with open(f"{self.dir}/www/items/{number}", "wb") as file:
                file.write(body(number))
        make_certificate(self.dir)
        super().__init__(CONFIG, retry_after=RETRY_AFTER_S, bare_burst=URLS // 2)

    def url(self, location, tls=False, count=URLS):
        scheme, port = ("https", self.tls_port) if tls else ("http", self.port)
        return f"{scheme}://127.0.0.1:{port}/{location}/[1-{count}]"

    def asked(self, location):
        """(seconds, status, connection, encoding) of every request there that has been answered."""
        return [(float(r[0]), int(r[1]), int(r[3]), r[4]) for r in self.log() if r[2].startswith(f"/{location}/")]


def nginx():
    if not shutil.which("openssl"):
        raise harness.Skipped("openssl is missing: scripts/deps --test")
    return Limited()


def fetch(server, location, *options, tls=False):
    return harness.succeed("run", "-o", scratch(f"{location}.run"), "-c", str(CAP), "--json", *options,
                           server.url(location, tls)).report()


def check_all_there(location):
    stored = {}
    for path, them in harness.bodies(scratch(f"{location}.run")).items():
        check_equal(len(them), 1, f"bodies of {path}")
        stored[path] = them[0]
    # Line breaks between tokens become spaces in a raw line; nothing else may change.
    want = {f"/{location}/{n}": body(n).replace(b"\n", b" ") for n in range(1, URLS + 1)}
    check_equal({k: v.strip() for k, v in stored.items()}, {k: v.strip() for k, v in want.items()},
                "bodies stored")


def check_silence(asked):
    """In a window that a 429 named no requests but those that were under way, and as many again until it was
    read: without a hold there would be all that were left."""
    for sent_s in [when for when, status, _, _ in asked if status == 429]:
        inside = [when - sent_s for when, _, _, _ in asked if sent_s < when < sent_s + RETRY_AFTER_S]
        check(len(inside) <= 2 * CAP, "requests", inside, "s after a 429 that said", RETRY_AFTER_S, "s")


def test_limit__is_kept_and_all_arrives__when_nginx_names_retry_after():
    server = nginx()
    report = fetch(server, "limited")
    server.stop()
    asked = server.asked("limited")
    check_equal(report["ok"], URLS, "ok")
    check_all_there("limited")
    limited = sum(status == 429 for _, status, _, _ in asked)
    check(limited > 0, "nginx refused nothing: this test shows nothing")
    check_equal(report["status"]["429"], limited, "429s, ours against nginx's log")
    check_equal(report["politeness"]["requests_before_a_deadline"], 0, "requests before a deadline")
    check_silence(asked)


def test_limit__is_backed_off_from_and_all_arrives__when_429_has_no_header():
    server = nginx()
    report = fetch(server, "bare", "--backoff", "200ms:2s")
    server.stop()
    asked = server.asked("bare")
    check_equal(report["ok"], URLS, "ok")
    check_all_there("bare")
    limited = sum(status == 429 for _, status, _, _ in asked)
    check(limited > 0, "nginx refused nothing: this test shows nothing")
    check(limited <= URLS, limited, "refusals of", URLS, "requests: that is hammering")


def test_gzip__is_unpacked__when_nginx_packs():
    server = nginx()
    report = fetch(server, "gzip")
    server.stop()
    check_equal({encoding for _, _, _, encoding in server.asked("gzip")}, {"gzip"}, "encodings")
    check_all_there("gzip")
    packed = sum(len(gzip.compress(body(n))) for n in range(1, URLS + 1))
    check(report["bytes"] > packed, "bodies are counted packed:", report["bytes"])


def test_connections__are_kept__when_nginx_keeps_them():
    server = nginx()
    report = fetch(server, "free")
    server.stop()
    connections = {connection for _, _, connection, _ in server.asked("free")}
    check(len(connections) <= CAP, len(connections), "connections at cap", CAP)
    check_equal(report["reused_connections"], URLS - len(connections), "reused connections")


def test_https__is_refused_with_its_reason__when_self_signed():
    server = nginx()
    ended = harness.run("run", "-o", scratch("tls.run"), *PATIENT, server.url("free", tls=True, count=CAP))
    check(ended.code == 3, "want exit code 3:", ended)
    check(re.search(r"certificate|self.signed", ended.err.decode(), re.I), "no word on why:", ended)
    tries = harness.ledger(scratch("tls.run"), "SELECT max(attempt) FROM request")[0][0]
    check_equal(tries, 1, f"tries: a bad certificate does not get better: {ended}")
    check_equal(harness.bodies(scratch("tls.run")), {}, "bodies")


def test_https__works__when_certificate_is_trusted_or_any_is_taken():
    server = nginx()
    fetch(server, "free", *PATIENT, "--cacert", f"{server.dir}/cert.pem", tls=True)
    check_all_there("free")
    harness.succeed("run", "-o", scratch("any.run"), *PATIENT, "-k", server.url("free", tls=True))
    check_equal(len(harness.bodies(scratch("any.run"))), URLS, "bodies with -k")


if __name__ == "__main__":
    harness.main(globals())
