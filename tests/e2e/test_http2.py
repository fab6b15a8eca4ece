"""HTTP/2 against nghttpd, over TLS and in clear text, and --http2 where the server has none."""

import os
import shutil
import subprocess
import time

import harness
from harness import check, check_equal, scratch
from peer import Peer, reply
from test_guards import certificate
from test_proxies import started

URLS = 40


def nghttpd(key=None, crt=None):
    if not shutil.which("nghttpd", path=os.environ["PATH"] + ":/usr/sbin"):
        raise harness.Skipped("nghttpd is missing: scripts/deps --test")
    root = scratch("www")
    os.makedirs(root, exist_ok=True)
    for number in range(1, URLS + 1):
        with open(f"{root}/{number}", "w", encoding="ascii") as file:
            file.write(f'[{{"id":{number}}}]')
    env = harness.environment(PATH=os.environ["PATH"] + ":/usr/sbin")
    return started(lambda port: harness.start(["nghttpd", "-a", "127.0.0.1", "-d", root, *(["--no-tls"] if not key else []),
                                               str(port), *([key, crt] if key else [])], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


def ask(name, url, *more):
    return harness.run("run", "--plain", "--json", "--retries", "0", "-o", scratch(name), *more, url)


def check_all(ended, name):
    check_equal((ended.code, ended.report()["ok"]), (0, URLS), f"exit code and answers: {ended}")
    ids = harness.bodies(scratch(name))
    check_equal(len(ids), URLS, "bodies")


def test_http2__is_spoken_in_clear_text__with_prior_knowledge_alone():
    port = nghttpd()
    url = f"http://127.0.0.1:{port}/[1-{URLS}]"
    check_all(ask("h2c", url, "--http2-prior-knowledge"), "h2c")
    without = ask("h1", url)
    check_equal(without.code, 3, f"exit code without: {without}")
    check(b"(--http2-prior-knowledge)" in harness.read(scratch("h1/failed.jsonl")), "hint", without)


def test_http2__is_spoken_over_tls__with_few_connections():
    crt, key = certificate("right", "IP:127.0.0.1")
    port = nghttpd(key, crt)
    ended = ask("h2", f"https://127.0.0.1:{port}/[1-{URLS}]", "--http2", "--cacert", crt)
    check_all(ended, "h2")
    check(ended.report()["reused_connections"] >= URLS - 10, "reused", ended.report()["reused_connections"])


def test_http2__does_not_wait__for_a_server_that_has_none():
    """In clear text a connection carries one request at a time: the others must not wait for it."""
    def slow(_):
        time.sleep(0.2)
        return reply()

    server = Peer(slow)
    ended = harness.run("run", "--plain", "--json", "-c", "10", "--http2", "-o", scratch("plain"), server.url + "/[1-20]")
    check_equal((ended.code, ended.report()["max_in_flight"]), (0, 10), f"exit code and most at once: {ended}")
    check(ended.report()["wall_s"] < 2.5, "one after the other:", ended.report()["wall_s"])


# --- names and URLs as people write them -----------------------------------------------------------------


def test_name_beyond_ascii__is_asked_as_dns_has_it__whatever_the_locale():
    server = Peer(lambda _: reply())
    port = server.url.rsplit(":", 1)[1]
    for number, locale in enumerate(("C.UTF-8", "C")):
        ended = harness.run("run", "--plain", "-o", scratch(f"idn{number}"), "--resolve",
                            f"xn--bcher-kva.test:{port}:127.0.0.1", f"http://bücher.test:{port}/ü?q=é",
                            env=harness.environment(LC_ALL=locale))
        check_equal(ended.code, 0, f"exit code in {locale}: {ended}")
        check_equal(server.asks[-1].headers["host"], f"xn--bcher-kva.test:{port}", "host")
        check_equal(server.asks[-1].path, "/%C3%BC?q=%C3%A9", "path")


def test_braces_of_json__stand_for_themselves__and_that_is_said():
    server = Peer(lambda _: reply())
    for number, query in enumerate(('f={"a":[1,2],"b":{"c":3}}&g=1', "filter[status]=open", "f={$eq", "f={}")):
        ended = harness.run("run", "--plain", "-o", scratch(f"json{number}"), f"{server.url}/x?{query}")
        check_equal(ended.code, 0, f"exit code with {query}: {ended}")
        check(server.asks[-1].path.replace("%22", '"') == "/x?" + query, "asked", server.asks[-1].path, "for", query)
        check(b"W-GLOB1" in ended.err and b"-g" in ended.err, "nothing is said:", ended)
    quiet = harness.run("run", "--plain", "-g", "-o", scratch("quiet"), server.url + "/x?filter[status]=open")
    check(quiet.code == 0 and b"W-GLOB1" not in quiet.err, quiet)


if __name__ == "__main__":
    harness.main(globals())
