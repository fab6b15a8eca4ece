"""`run --fleet rediss://...`: by a real redis-server with TLS that wants a certificate of its clients, and what is wrong each with
its sentence."""

import os
import subprocess

import fleet_peers
import harness
import ports
from fleet_peers import Shop, worker, write_job
from harness import check, check_equal, scratch, wait_for
from test_client_certificates import EC, openssl

PASSWORD = "secret-of-redis"


def sign(name, subject, *extensions):
    """scratch(NAME.crt) and .key, signed by the authority ca."""
    csr, crt, key = (scratch(f"{name}.{kind}") for kind in ("csr", "crt", "key"))
    openssl("req", *EC, "-nodes", "-keyout", key, "-out", csr, "-subj", f"/CN={subject}", *extensions)
    openssl("x509", "-req", "-in", csr, "-CA", scratch("ca.crt"), "-CAkey", scratch("ca.key"), "-CAcreateserial", "-copy_extensions",
            "copyall", "-out", crt, "-days", "2")


def make_certificates():
    for name in ("ca", "other"):
        openssl("req", "-x509", *EC, "-nodes", "-keyout", scratch(f"{name}.key"), "-out", scratch(f"{name}.crt"), "-subj", f"/CN={name}",
                "-days", "2")
    sign("here", "here", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    sign("elsewhere", "elsewhere", "-addext", "subjectAltName=DNS:redis.test")
    sign("client", "client")


class Redis(fleet_peers.Redis):
    """On a port of its own, by TLS with that certificate; without one, plain."""

    def __init__(self, certificate, *options):
        listens = ["--bind", "127.0.0.1"]
        if certificate:
            listens += ["--tls-cert-file", scratch(f"{certificate}.crt"), "--tls-key-file", scratch(f"{certificate}.key"),
                        "--tls-ca-cert-file", scratch("ca.crt")]
        for last in range(ports.TRIES):
            self.port = ports.free_port()
            try:
                super().__init__("--tls-port" if certificate else "--port", str(self.port), *listens, *options, name=f"r{self.port}")
                return
            except harness.Failed:
                check(self.child.poll() is not None and last < ports.TRIES - 1, "redis-server does not begin")

    def start(self):
        self.child = harness.start(["redis-server", "--unixsocket", self.socket, "--save", "", "--appendonly", "no", "--dir",
                                    os.path.dirname(self.socket), *(() if "--port" in self.options else ("--port", "0")), *self.options],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_for(lambda: b"PONG" in self.say("ping") or b"NOAUTH" in self.say("ping") or self.child.poll() is not None, "redis-server")
        if self.child.poll() is not None and b"tls-port" in (said := self.child.stdout.read()) and b"Bad directive" in said:
            raise harness.Skipped("this redis-server has no TLS")
        check(self.child.poll() is None, "redis-server ended")

    def at(self, scheme, host="127.0.0.1", job="job", **files):
        settings = "&".join(["lease=2s"] + [f"{name}={scratch(file)}" for name, file in files.items()])
        return f"{scheme}://{host}:{self.port}/{job}?{settings}"


CLIENT = {"cert": "client.crt", "key": "client.key"}


def test_workers__share_a_job_by_tls__and_show_no_password():
    make_certificates()
    redis, shop = Redis("here", "--requirepass", PASSWORD), Shop(12)
    job, env = write_job(shop), harness.environment(SCRAPETOP_FLEET_PASSWORD=PASSWORD)
    workers = {host: worker(redis.at("rediss", host, cacert="ca.crt", **CLIENT), f"{host}.run", job, env=env)
               for host in ("127.0.0.1", "localhost")}
    for host, child in workers.items():
        ended = harness.finish(child)
        check_equal(ended.code, 0, f"exit code of the worker by {host}: {ended}")
        kept = harness.everything_in(scratch(f"{host}.run"))
        check(PASSWORD.encode() not in ended.err and not any(PASSWORD.encode() in text for text in kept.values()), "the password is told")
    url = redis.at("rediss", cacert="ca.crt", **CLIENT)
    told = harness.succeed("status", url, env=env).out
    check(b"job: done" in told and b"0 at work, 2 not" in told, "status:", told)
    check(b"job" in harness.succeed("fleet", "ls", url, env=env).out, "fleet ls")
    redis.kill()


def test_what_is_wrong_with_tls__has_its_sentence():
    make_certificates()
    redis, elsewhere, plain, shop = Redis("here"), Redis("elsewhere"), Redis(None), Shop(4)
    job = write_job(shop)
    with open(scratch("none.crt"), "w", encoding="utf-8") as file:
        file.write("no certificate\n")
    openssl("pkey", "-aes256", "-in", scratch("client.key"), "-out", scratch("locked.key"), "-passout", "pass:a-pass-of-letters")
    cases = (
        (b"is not trusted, ?cacert=FILE names another authority", redis.at("rediss", cacert="other.crt", **CLIENT)),
        (b"is not trusted, ?cacert=FILE names another authority", redis.at("rediss", **CLIENT)),
        (b"the certificate of the Redis is not that of 127.0.0.1", elsewhere.at("rediss", cacert="ca.crt", **CLIENT)),
        (b"the certificate of the Redis is not that of localhost", elsewhere.at("rediss", "localhost", cacert="ca.crt", **CLIENT)),
        (b"wants a certificate of its clients, ?cert=FILE&key=FILE", redis.at("rediss", cacert="ca.crt")),
        (b"?cacert= has no certificates", redis.at("rediss", cacert="none.crt", **CLIENT)),
        (b"?cert= has no certificate", redis.at("rediss", cacert="ca.crt", cert="missing.crt")),
        (b"?key= has no key of ?cert= that is not encrypted", redis.at("rediss", cacert="ca.crt", cert="client.crt", key="locked.key")),
        (b"?key= has no key of ?cert= that is not encrypted", redis.at("rediss", cacert="ca.crt", cert="client.crt", key="here.key")),
        (b"after ? may stand", plain.at("redis", cacert="ca.crt")),
    )
    for words, url in cases:
        ended = harness.succeed("run", "--plain", "--fleet", url, "-o", scratch("never.run"), job, code=2)
        check(words in ended.err, "want", words, "in", ended, url)
        ended = harness.run("status", url)
        check(ended.code == 2 and words in ended.err, "status: want", words, "in", ended, url)
    for url, words in ((plain.at("rediss", cacert="ca.crt"), rb"no word of TLS from there; a Redis without it says none, and wants redis://"),
                       (redis.at("redis"), rb"(one that speaks TLS wants|the Redis speaks TLS, want) rediss://")):
        child = worker(url, "waits.run", job)
        harness.read_until(child.stderr, words)
        child.kill()
        child.wait()
    check(not shop.asked, "requests without a fleet:", shop.asked)
    for server in (redis, elsewhere, plain):
        server.kill()


if __name__ == "__main__":
    harness.main(globals())
