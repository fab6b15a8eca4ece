"""Signed requests, against servers that check them by the specification: AWS Signature Version 4, and HMACs."""

import base64
import hashlib
import hmac
import re
import time
import urllib.parse

import harness
import jobs
import peer
from harness import check, check_equal, scratch

KEY_ID, KEY, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session-token-0123456789"


def encode(text):
    return urllib.parse.quote(text, safe="-_.~")


def canonical_query(query):
    """Sorted by the encoded names, then values (AWS General Reference, "Create a canonical request")."""
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    return "&".join("=".join(pair) for pair in sorted(
        (encode(urllib.parse.unquote(name)), encode(urllib.parse.unquote(value))) for name, value in pairs))


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def aws_fault(ask, service):
    """What is wrong with the signature of a request; None: nothing."""
    scheme, _, rest = ask.headers.get("authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        return "no signature"
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    day, region, name, last = fields["Credential"].split("/")[1:]
    signed = fields["SignedHeaders"].split(";")
    if signed != sorted(signed) or not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(signed):
        return "headers"
    if "expect" in signed or name != service or last != "aws4_request":
        return "scope"
    if ask.headers["x-amz-content-sha256"] != hashlib.sha256(ask.body).hexdigest():
        return "digest of the body"
    path, _, query = ask.path.partition("?")
    if service != "s3":
        path = re.sub("/+", "/", path)
    segments = [encode(urllib.parse.unquote(part) if service == "s3" else part) for part in path.split("/")]
    canonical = "\n".join([ask.method, "/".join(segments), canonical_query(query),
                           *(f"{header}:{' '.join(ask.headers[header].split())}" for header in signed), "",
                           ";".join(signed), ask.headers["x-amz-content-sha256"]])
    text = "\n".join(["AWS4-HMAC-SHA256", ask.headers["x-amz-date"], f"{day}/{region}/{name}/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + KEY).encode()
    for part in (day, region, name, "aws4_request"):
        key = digest(key, part)
    return None if digest(key, text).hex() == fields["Signature"] else "signature of\n" + canonical


def test_check__knows_the_example_of_the_specification():
    # AWS Signature Version 4 test suite, get-vanilla, with its key; here only the derivation of the key.
    key = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    for part in ("20150830", "us-east-1", "iam", "aws4_request"):
        key = digest(key, part)
    check_equal(key.hex(), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9", "the key")


TARGETS = ["/bucket/a.jsonl", "/bucket/with%20space/%C3%A4", "/b/p?partNumber=2&uploadId=ab", "/b/p?uploadId=ab&partNumber=2",
           "/b/p?uploads", "/b/p?uploads=", "/b/p?q=a%20b%2Bc&list-type=2&q=A", "/b/x~y_z-0.9", "/",
           "/b/p?a1=x&a=y&a-b=z", "/b/./c/../d?x=../y", "/b//c///d", "//b/", "/b/c/..", "/b/a+b%2Bc?q=a+b"]


def test_aws_signature__is_right__of_every_path_query_and_body():
    for service in ("s3", "execute-api"):
        server = peer.Peer(lambda ask, service=service: peer.reply(
            {"fault": fault} if (fault := aws_fault(ask, service)) else {"ok": 1}, "403 No" if fault else "200 OK"))
        endpoints = [{"name": f"e{n}", "url": target, **({"method": "POST", "json": {"n": n, "größe": "ü"}} if n % 3 == 0 else {})}
                     for n, target in enumerate(TARGETS)]
        for token in (None, "${S}"):
            name = f"{service}-{bool(token)}"
            job = jobs.write_job(name, base=server.url, endpoints=endpoints,
                                 sign={"aws": f"eu-central-1:{service}", "access_key": "${I}", "secret_key": "${K}",
                                       **({"session_token": token} if token else {})})
            ended = harness.run("run", "--plain", "--json", "--retries", "0", "-o", scratch(name + ".run"), job,
                                env=harness.environment(I=KEY_ID, K=KEY, S=SESSION))
            check_equal(ended.report()["ok"], len(TARGETS), f"{name}: {ended}")
            for path, data in harness.everything_in(scratch(name + ".run")).items():
                check(KEY.encode() not in data and SESSION.encode() not in data, path, "holds the key")


def test_hmac__signs_the_text_that_is_told__in_each_encoding():
    for encoding, digest_name, when in (("hex", "sha256", "s"), ("base64", "sha512", "ms"), ("base64", "sha256", "iso")):
        def answer(ask, encoding=encoding, digest_name=digest_name):
            path = ask.path.partition("?")[0]
            text = ask.headers["x-time"] + ask.method + path + ask.body.decode()
            made = hmac.new(b"s3cr3t-hmac-key", text.encode(), digest_name)
            want = made.hexdigest() if encoding == "hex" else base64.b64encode(made.digest()).decode()
            return peer.reply({"a": 1}, "200 OK" if ask.headers.get("x-sign") == want else "401 No")

        server = peer.Peer(answer)
        name = f"{encoding}-{digest_name}"
        job = jobs.write_job(name, base=server.url, endpoints=[
            {"name": "a", "url": "/a?x=1"}, {"name": "b", "url": "/b", "method": "POST", "json": {"q": "ä"}}],
            sign={"hmac": digest_name, "of": "{time}{method}{path}{body}", "key": "${K}", "header": "X-Sign",
                  "time_header": "X-Time", "encoding": encoding, "time": when})
        ended = harness.succeed("run", "--plain", "--json", "--retries", "0", "-o", scratch(name + ".run"), job,
                                env=harness.environment(K="s3cr3t-hmac-key"))
        check_equal(ended.report()["ok"], 2, name)


def test_clock_that_is_off__is_told__when_a_signature_is_refused():
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    server = peer.Peer(lambda ask: peer.reply({"message": "Signature expired"}, "403 No", headers=[f"Date: {date}"]))
    job = jobs.write_job("clock", base=server.url, endpoints=[{"name": "a", "url": "/a"}, {"name": "b", "url": "/b"}],
                         sign={"aws": "eu:s3", "access_key": "i", "secret_key": "${K}"})
    ended = harness.run("run", "--plain", "--retries", "0", "-o", scratch("clock.run"), job, env=harness.environment(K=KEY))
    check(ended.code == 5 and b"E-AUTH2" in ended.err and b"behind that of the server" in ended.err, ended)
    status = harness.succeed("status", "--json", scratch("clock.run")).report()
    check_equal((status["failed"], status["ok"]), (0, 0), "failed and ok: nothing is lost by a clock")
    check_equal(server.total(), 2, "asked")


def test_clock_that_is_off__is_only_told__when_signatures_are_taken():
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    server = peer.Peer(lambda ask: peer.reply({"a": 1}, "403 No" if ask.path == "/9" else "200 OK", headers=[f"Date: {date}"]))
    job = jobs.write_job("taken", base=server.url, vars={"id": "[1-12]"}, endpoints=[{"name": "a", "url": "/{id}"}],
                         sign={"aws": "eu:s3", "access_key": "i", "secret_key": "${K}"}, pace={"cap": 1})
    ended = harness.run("run", "--plain", "--json", "-o", scratch("taken.run"), job, env=harness.environment(K=KEY))
    check_equal((ended.code, ended.report()["ok"], ended.report()["failed"]), (3, 11, 1), "exit code, ok and failed")
    check_equal(ended.err.count(b"behind that of the server"), 1, ended)


NO_DIGESTS = """openssl_conf = i
[i]
providers = p
alg_section = a
[p]
default = d
[d]
activate = 1
[a]
default_properties = fips=yes
"""


def test_request__is_refused_once__when_this_machine_allows_no_digest():
    server = peer.Peer(lambda ask: peer.reply({"a": 1}))
    with open(scratch("openssl.cnf"), "w", encoding="ascii") as file:
        file.write(NO_DIGESTS)
    job = jobs.write_job("fips", base=server.url, endpoints=[{"name": "a", "url": "/a"}],
                         sign={"hmac": "sha256", "of": "{time}{path}", "key": "${K}", "header": "X-Sign"})
    ended = harness.succeed("run", "--plain", "-o", scratch("fips.run"), job, code=3,
                            env=harness.environment(K="s3cr3t-hmac-key", OPENSSL_CONF=scratch("openssl.cnf")))
    check(b"cannot be signed: OpenSSL does not allow the digest" in ended.err, ended)
    check_equal(server.total(), 0, "requests without a signature")


def test_sign__is_refused__when_it_lacks_something():
    for sign, said in (({"aws": "eu"}, b"REGION:SERVICE"), ({"aws": "eu:s3"}, b"access_key"), ({}, b"want one of"),
                       ({"hmac": "md5", "of": "{body}", "key": "abcdefgh", "header": "X"}, b"sha256"),
                       ({"hmac": "sha256", "of": "{body}", "key": "${NOT_SET}", "header": "X"}, b"NOT_SET")):
        job = jobs.write_job("bad", base="http://127.0.0.1:9", endpoints=[{"name": "a", "url": "/a"}], sign=sign)
        ended = harness.run("run", "--plain", "-o", scratch("bad.run"), job)
        check(ended.code == 2 and said in ended.err, sign, ended)


if __name__ == "__main__":
    harness.main(globals())
