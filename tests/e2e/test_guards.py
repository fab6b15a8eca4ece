"""What a run must refuse or leave alone, each thing by the guard that does it: with that guard gone, its test fails.

Certificates, redirects that leave https, proxies of the environment, names that nobody answers for, servers that
stall, bodies that expand without end, files of a run that are links.
"""

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import warnings

import harness
import jobs
from harness import check, check_equal, scratch
from peer import Peer, reply

SEGMENT = "raw/00000001.jsonl"


# --- certificates ----------------------------------------------------------------------------------------


def certificate(name, names, *more):
    """Paths of a self-signed certificate for `names` and of its key."""
    key, crt = scratch(f"{name}.key"), scratch(f"{name}.crt")
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt,
                        "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-days", "2", *more],
                       check=True, capture_output=True)
    except FileNotFoundError:
        raise harness.Skipped("openssl is missing: scripts/deps --test") from None
    return crt, key


def https(answer, crt, key, newest=None):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(crt, key)
    if newest:
        tls.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
            tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            tls.maximum_version = newest
    return Peer(answer, tls)


def always(_):
    return reply()


def ask(url, run_dir, *more, **options):
    """One request, tried once."""
    return harness.run("run", "--plain", "--json", "--retries", "0", "-o", scratch(run_dir), *more, url, **options)


def reasons(run_dir):
    return [reason for (reason,) in harness.ledger(scratch(run_dir), "SELECT reason FROM request")]


def check_untrusted(server, run_dir, *more):
    ended = ask(server.url + "/x", run_dir, *more)
    check(ended.code not in (0, 4), f"{run_dir} was taken:", ended)
    check_equal(ended.report()["ok"], 0, f"answers that {run_dir} was believed")
    check_equal(server.total(), 0, f"requests that {run_dir} was told")


def test_certificate__is_taken__when_it_is_trusted_and_of_that_host():
    crt, key = certificate("right", "IP:127.0.0.1")
    server = https(always, crt, key)
    ended = ask(server.url + "/x", "right", "--cacert", crt)
    check_equal((ended.code, server.total()), (0, 1), "exit code and requests")


def test_certificate__is_refused__when_it_is_of_another_host():
    crt, key = certificate("other", "DNS:other.test,IP:127.0.0.2")
    check_untrusted(https(always, crt, key), "of another host", "--cacert", crt)


def test_certificate__is_refused__when_nobody_vouches_for_it():
    trusted, _ = certificate("trusted", "IP:127.0.0.1")
    crt, key = certificate("unknown", "IP:127.0.0.1")
    check_untrusted(https(always, crt, key), "unknown to all")
    check_untrusted(https(always, crt, key), "unknown to the file", "--cacert", trusted)


def test_certificate__is_refused__when_it_has_expired():
    # A certificate's end may not lie before its beginning: one that was for a day long ago.
    key, request, crt = scratch("old.key"), scratch("old.csr"), scratch("old.crt")
    os.mkdir(scratch("ca"))
    with open(scratch("ca/index.txt"), "w", encoding="ascii"), open(scratch("ca/conf"), "w", encoding="ascii") as conf:
        conf.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={scratch('ca/index.txt')}\nnew_certs_dir={scratch('ca')}\n"
                   "rand_serial=yes\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
    for command in (
            ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=old",
             "-addext", "subjectAltName=IP:127.0.0.1"],
            ["ca", "-batch", "-selfsign", "-config", scratch("ca/conf"), "-keyfile", key, "-in", request, "-out", crt,
             "-startdate", "200101000000Z", "-enddate", "200102000000Z", "-notext"]):
        done = subprocess.run(["openssl", *command], capture_output=True, check=False)
        check_equal(done.returncode, 0, f"exit code of openssl: {done.stderr.decode()}")
    check_untrusted(https(always, crt, key), "expired", "--cacert", crt)


def refuse_in_clear_text(listener):
    """As servers do that read a line and find no HTTP in it."""
    while True:
        with listener.accept()[0] as one, contextlib.suppress(OSError):
            one.recv(1 << 16)
            one.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def test_tls__is_refused__when_it_is_too_old_or_none_at_all():
    crt, key = certificate("right", "IP:127.0.0.1")
    check_untrusted(https(always, crt, key, ssl.TLSVersion.TLSv1_1), "TLS 1.1", "--cacert", crt)
    plain = Peer(always)
    plain.url = plain.url.replace("http:", "https:")
    check_untrusted(plain, "clear text", "--cacert", crt)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=refuse_in_clear_text, args=(listener,), daemon=True).start()
    ended = ask(f"https://127.0.0.1:{listener.getsockname()[1]}/x", "clear words", "--cacert", crt)
    check_equal(ended.code, 3, f"exit code: {ended}")
    check(b"speaks no TLS at this port" in json.dumps(reasons("clear words")).encode(), "words:", reasons("clear words"))


# --- redirects -------------------------------------------------------------------------------------------


def led(target):
    return lambda asked: reply(status="302 Found", headers=[f"Location: {target}"])


def test_redirect__is_refused__when_it_leaves_https():
    crt, key = certificate("right", "IP:127.0.0.1")
    plain = Peer(always)
    server = https(led(plain.url + "/there"), crt, key)
    ended = ask(server.url + "/x", "downgrade", "--cacert", crt)
    check_equal((server.total(), plain.total()), (1, 0), "requests by https and in clear text")
    check(ended.code != 0 and b"https" in json.dumps(reasons("downgrade")).encode(), "not refused:", ended)


def test_redirect__is_followed__from_https_to_https_and_from_http_to_https():
    crt, key = certificate("right", "IP:127.0.0.1")
    last = https(always, crt, key)
    second = https(led(last.url + "/c"), crt, key)
    first = Peer(led(second.url + "/b"))
    ended = ask(first.url + "/a", "upgrade", "--cacert", crt)
    check_equal((ended.code, first.total(), second.total(), last.total()), (0, 1, 1, 1), "exit code and requests")


# --- proxies of the environment --------------------------------------------------------------------------


def test_proxy_of_the_environment__gets_what_curl_would_give_it__and_no_more():
    proxy, server = Peer(always), Peer(always)
    through = {"http_proxy": 1, "all_proxy": 1, "ALL_PROXY": 1, "https_proxy": 0, "HTTPS_PROXY": 0, "HTTP_PROXY": 0}
    for name, count in through.items():
        before = proxy.total(), server.total()
        ended = ask(server.url + "/x", name + ".run", env=harness.environment(**{name: proxy.url}))
        check_equal(ended.code, 0, f"exit code with {name}: {ended}")
        check_equal((proxy.total() - before[0], server.total() - before[1]), (count, 1 - count),
                    f"requests of the proxy and of the server with {name}")
        check_equal(ended.err.count(b"goes through the proxy"), int(name != "HTTP_PROXY"), f"lines about {name}: {ended}")


# --- names that nobody answers for -----------------------------------------------------------------------


INSIDE = """
import fcntl, os, socket, struct, sys
plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(plain, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up and running
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.53", 53))
silent.set_inheritable(True)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_run__ends_in_time__when_a_name_is_not_answered_for():
    """The resolver alone would wait for a minute: a run that joins its thread does so too."""
    with open(scratch("resolv.conf"), "w", encoding="ascii") as file:
        file.write("nameserver 127.0.0.53\noptions timeout:30 attempts:2\n")
    with open(scratch("nsswitch.conf"), "w", encoding="ascii") as file:
        file.write("hosts: files dns\n")
    mounts = "".join(f"mount --bind {scratch(name)} /etc/{name} && " for name in ("resolv.conf", "nsswitch.conf"))
    inside = ["unshare", "-n", "-m", "sh", "-c", mounts + 'exec "$@"', "sh"]
    try:
        tried = subprocess.run([*inside, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        raise harness.Skipped("unshare is not installed") from None
    if tried.returncode:
        raise harness.Skipped(f"the kernel lacks namespaces for us: {tried.stderr.decode().strip()}")
    child = harness.start([*inside, sys.executable, "-c", INSIDE, harness.BINARY, "run", "--plain", "--json",
                           "--retries", "0", "--connect-timeout", "1s", "-o", scratch("dead"),
                           "http://nobody.test/[1-3]"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        raise harness.Failed("waits for its resolver") from None
    check(child.returncode not in (0, -6, -11), "exit code", child.returncode, err)
    check_equal(json.loads(out)["failed"], 3, f"failed of {out}")


# --- servers that stall ----------------------------------------------------------------------------------


class Stalling:
    """Sends the head and a little, and then a byte a second or nothing at all."""

    def __init__(self, drips):
        self.drips = drips
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            peer = self.listener.accept()[0]
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n[1,")
            peer.settimeout(1)
            while True:
                try:
                    if not peer.recv(1):
                        return
                except TimeoutError:
                    if self.drips:
                        peer.sendall(b"1")


def test_stalled_body__is_given_up__long_before_the_time_of_a_try():
    for drips in (False, True):
        name = f"stall{int(drips)}"
        server = Stalling(drips)
        job = jobs.write_job(name, base=server.url, endpoints=[{"name": "x", "url": "/x"}],
                             network={"stall_timeout": "2s", "max_time": "1h"}, retry={"attempts": 1})
        ended = harness.run("run", "--plain", "--json", "-o", scratch(name), job)
        check_equal((ended.code, json.loads(ended.out or b"{}").get("failed")), (3, 1), f"exit code and failed of {ended}")
        check(all("stall" in r or "slow" in r or "timeout" in r or "timed out" in r for r in reasons(name)),
              "why:", reasons(name))


# --- bodies that expand ----------------------------------------------------------------------------------


def packed(random_bytes, zeros):
    """A JSON text of about so many bytes that do not pack and so many that do, and the answer with it."""
    digits = b"".join(hashlib.sha256(n.to_bytes(4, "big")).hexdigest().encode() for n in range(random_bytes // 32))
    body = b'["' + digits + b"0" * zeros + b'"]'
    return body, reply(gzip.compress(body, mtime=0), headers=["Content-Encoding: gzip"])


def test_body__is_refused__when_it_expands_beyond_reason():
    bomb, bomb_answer = packed(0, 8 << 20)
    honest, honest_answer = packed(64 << 10, 4 << 20)
    check(len(bomb) / len(bomb_answer) > 200 and 40 < len(honest) / len(honest_answer) < 70, "the ratios are others")
    server = Peer(lambda asked: bomb_answer if asked.path == "/bomb" else honest_answer)
    ended = ask(server.url + "/honest", "honest")
    check_equal((ended.code, harness.bodies(scratch("honest"))), (0, {"/honest": [honest]}), "the honest body")
    ended = ask(server.url + "/bomb", "bomb")
    check_equal((ended.report()["ok"], ended.report()["failed"]), (0, 1), "ok and failed of the bomb")
    check("expands" in reasons("bomb")[0], "why:", reasons("bomb"))


# --- links -----------------------------------------------------------------------------------------------


def linked(whole, name):
    """A copy of a run of which `name` is a link to the true bytes, and where these lie."""
    run_dir, away = scratch("linked.run"), scratch("away")
    for path in (run_dir, away):
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(whole, run_dir)
    os.mkdir(away)
    target = os.path.join(away, "target")
    os.rename(os.path.join(run_dir, name), target)
    os.symlink(target, os.path.join(run_dir, name))
    return run_dir, away


def test_segment__is_not_read_nor_written__when_it_is_a_link():
    server = Peer(always)
    whole = scratch("whole.run")
    with open(scratch("urls"), "w", encoding="ascii") as file:
        file.writelines(f"{server.url}/{n}\n" for n in range(20))
    harness.succeed("run", "--plain", "-o", whole, "--max-requests", "10", "-i", scratch("urls"), code=4)
    for name in (SEGMENT, "raw"):
        for command in (["run", "--plain", "-o"], ["verify"], ["normalise"], ["raw"]):
            run_dir, away = linked(whole, name)
            before = harness.everything_in(away)
            ended = harness.run(*command, run_dir)
            check(ended.code in (2, 7, 8), f"{command} took {name} that is a link:", ended)
            check_equal(harness.everything_in(away), before, f"what {command} left of {name}")
            check(b'{"a":1}' not in ended.out, f"{command} read {name} that is a link:", ended)


if __name__ == "__main__":
    harness.main(globals())
