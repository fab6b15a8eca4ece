"""HTTP/2 against nghttpd, over TLS and in clear text, and --http2 where the server has none."""

import collections
import contextlib
import json
import os
import re
import shutil
import ssl
import subprocess
import time

import harness
from harness import check, check_equal, scratch
from http2_peer import DATA, ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED, REFUSED_STREAM, Http2Peer, frame, go_away, reset, whole
from nginx import PATH, Nginx
from peer import Peer, reply
from ports import started
from test_guards import certificate

URLS = 40


def www():
    root = scratch("www")
    os.makedirs(root, exist_ok=True)
    for number in range(1, URLS + 1):
        with open(f"{root}/{number}", "w", encoding="ascii") as file:
            file.write(f'[{{"id":{number}}}]')
    return root


def nghttpd(key=None, crt=None):
    if not shutil.which("nghttpd", path=os.environ["PATH"] + ":/usr/sbin"):
        raise harness.Skipped("nghttpd is missing: scripts/deps --test")
    root = www()
    env = harness.environment(PATH=os.environ["PATH"] + ":/usr/sbin")
    return started(lambda port: harness.start(["nghttpd", "-a", "127.0.0.1", "-d", root, *(["--no-tls"] if not key else []),
                                               str(port), *([key, crt] if key else [])], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


def ask(name, url, *more):
    return harness.run("run", "--plain", "--json", "--retries", "0", "-o", scratch(name), *more, url)


def check_all(ended, name):
    check_equal((ended.code, ended.report()["ok"]), (0, URLS), f"exit code and answers: {ended}")
    ids = harness.bodies(scratch(name))
    check_equal(len(ids), URLS, "bodies")


def test_http2__is_spoken_in_clear_text__with_prior_knowledge():
    port = nghttpd()
    url = f"http://127.0.0.1:{port}/[1-{URLS}]"
    check_all(ask("h2c", url, "--http2-prior-knowledge"), "h2c")


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


class TalksUnasked(Peer):
    """What it says into all its connections nobody has asked for; they end for it."""

    def __init__(self, answer):
        self.peers, self.ended = [], 0
        super().__init__(answer)

    def _serve(self, peer):
        self.peers.append(peer)
        super()._serve(peer)
        self.ended += 1

    def talk(self, is_waiting):
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.sendall(reply({"stale": 1}))
        if not is_waiting:
            return
        harness.wait_for(lambda: self.ended == len(self.peers), "the end of what has talked", 10)


def check_by_turns(name, is_waiting, *more):
    """Between two requests to it the other one is asked, and it talks. Each connection is good for one answer then."""
    talking = TalksUnasked(lambda ask: reply({"asked": ask.path}))

    def answer(_):
        talking.talk(is_waiting)
        return reply()

    other = Peer(answer)
    with open(scratch(name + ".txt"), "w", encoding="ascii") as file:
        for number in range(5):
            file.write(f"{talking.url}/a{number}\n{other.url}/b{number}\n")
    ended = harness.run("run", "--plain", "--json", "-o", scratch(name), "-c", "1", *more, "-i", scratch(name + ".txt"))
    check_equal((ended.code, ended.report()["ok"]), (0, 10), f"exit code and answers: {ended}")
    found = harness.bodies(scratch(name))
    for number in range(5):
        check_equal(found[f"/a{number}"], [b'{"asked": "/a%d"}' % number], "its own answer")


def test_http2__is_not_spoken__and_what_comes_unasked_is_no_answer():
    check_by_turns("by-turns", True, "--http2")


def test_what_came_unasked__is_no_answer__though_the_next_request_is_sent_at_once():
    for number in range(5):
        check_by_turns(f"at-once{number}", False, "--http1.1")


# --- which version is spoken ---------------------------------------------------------------------------------


def libcurl_has_http2_right():
    version = re.search(rb"libcurl (\d+)\.(\d+)", harness.run("--version").out)
    check(version, "no version of libcurl:", harness.run("--version"))
    return tuple(map(int, version.groups())) >= (8, 1)


def libcurl_has_http3():
    return b"HTTP/3" in harness.run("--version").out


def tls_of(*protocols):
    crt, key = certificate("right", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    context.set_alpn_protocols(list(protocols))
    return context, crt


def events(name):
    return [json.loads(line) for line in harness.read(scratch(name + "/events.jsonl")).splitlines()]


def texts(name, event):
    return [e["text"] for e in events(name) if e["event"] == event]


def test_version__is_chosen__by_libcurl_and_by_option():
    """With a server that has both the peer sees which was spoken."""
    tls, crt = tls_of("h2", "http/1.1")
    for name, more, spoken in (("auto", (), libcurl_has_http2_right()), ("one", ("--http1.1",), False),
                               ("two", ("--http2",), True), ("last", ("--http2", "--http1.1"), False)):
        server = Http2Peer(lambda ask: whole(ask.stream), tls, older=reply())
        ended = ask(name, f"{server.url}/[1-5]", "--cacert", crt, *more)
        check_equal((ended.code, ended.report()["ok"]), (0, 5), f"exit code and answers: {ended}")
        check_equal((server.connections > 0, server.strangers > 0), (spoken, not spoken), f"HTTP/2, HTTP/1.1 with {name}")
    job = {"name": "j", "endpoints": [{"name": "t", "url": server.url + "/1"}], "network": {"http": "2", "cacert": crt}}
    with open(scratch("j.json"), "w", encoding="ascii") as file:
        json.dump(job, file)
    ended = ask("j", scratch("j.json"))
    check_equal((ended.code, server.connections), (0, 1), f"exit code of a job, and connections of HTTP/2: {ended}")
    shown = harness.run("run", "--show-config", "--http1.1", server.url + "/1")
    check(b'network.http = "1.1"' in shown.out and b"--http1.1" in shown.out, shown)
    if not libcurl_has_http3():
        wrong = harness.run("run", "--plain", "--http3", "-o", scratch("three"), server.url + "/1")
        check(wrong.code == 2 and b"E-NET2" in wrong.err and b"leave out --http3" in wrong.err, wrong)


def test_server_that_has_only_http2__is_asked_so__and_that_is_told_once():
    crt, key = certificate("right", "IP:127.0.0.1")
    for name, port, scheme in (("h2c", nghttpd(), "http"), ("h2", nghttpd(key, crt), "https")):
        ended = ask(name, f"{scheme}://127.0.0.1:{port}/[1-{URLS}]", "--cacert", crt)
        check_all(ended, name)
        check_equal(ended.report()["retried"], 0, f"tries that it cost: {ended}")
        told = texts(name, "http")
        if name == "h2c" or not libcurl_has_http2_right():
            check_equal((len(told), "speaks only HTTP/2" in "".join(told)), (1, True), f"told of {name}: {told}")
        shown = harness.run("probe", "--cacert", crt, f"{scheme}://127.0.0.1:{port}/1")
        check(shown.code == 0 and b"200" in shown.out, "probe of", name, shown)
    refused = ask("never", f"http://127.0.0.1:{nghttpd()}/1", "--http1.1")
    check_equal(refused.code, 3, f"exit code with --http1.1: {refused}")
    check(b"(--http2-prior-knowledge)" in harness.read(scratch("never/failed.jsonl")), "hint", refused)


def test_what_a_server_speaks__is_known_to_the_next_session__and_found_out_anew_when_that_has_changed():
    """With a libcurl that speaks HTTP/2 of itself there is nothing to find out."""
    tls, crt = tls_of("h2")
    server = Http2Peer(lambda ask: whole(ask.stream), tls)
    words = ["run", "--plain", "--json", "--cacert", crt, "-o", scratch("known"), f"{server.url}/[1-40]"]
    for most in ("20", "10"):  # ten are there to find out
        ended = harness.run(*words, "--max-requests", most)
        check_equal(ended.code, 4, f"exit code: {ended}")
        if most == "10":
            check_equal(server.strangers, 0, "asked with HTTP/1.1 again")
            check_equal(len(texts("known", "http")), 0 if libcurl_has_http2_right() else 1, "told")
        server.strangers = 0
    tls.set_alpn_protocols(["http/1.1"])
    server.older, before = reply(), server.connections
    ended = harness.run(*words)
    check_equal((ended.code, ended.report()["failed"]), (0, 0), f"of what now speaks HTTP/1.1: {ended}")
    check(server.strangers > 0 and server.connections == before, "asked:", server.strangers, server.connections)


def test_server_whose_http2_is_broken__is_asked_with_http1__and_that_is_told():
    def broken(ask):
        ask.close = True
        return frame(DATA, 0, 0, b"what is this?")  # RFC 9113 section 6.1: a connection error

    tls, crt = tls_of("h2", "http/1.1")
    server = Http2Peer(broken, tls, older=reply())
    ended = harness.run("run", "--plain", "--json", "--backoff", "10ms:20ms", "-o", scratch("broken"), "--cacert", crt,
                        "--http2", f"{server.url}/[1-20]")
    check_equal((ended.code, ended.report()["ok"]), (0, 20), f"exit code and answers: {ended}")
    told = texts("broken", "http")
    check_equal((len(told), "answers with HTTP/1.1" in "".join(told)), (1, True), f"told: {told}")


def test_post__that_ended_without_an_answer__is_not_sent_again_in_another_version():
    """Nobody knows whether it was acted on. Those after it are asked, once each."""
    tls, crt = tls_of("http/1.1")
    server = Http2Peer(None, tls)
    ended = harness.run("run", "--plain", "--json", "--backoff", "10ms:20ms", "-o", scratch("lost"), "--cacert", crt,
                        "-d", '{"q":1}', f"{server.url}/[1-3]")
    check_equal((ended.code, server.strangers), (3, 3), f"exit code, and POSTs that the server got: {ended}")
    check_equal(harness.read(scratch("lost/failed.jsonl")).count(b'"class":"maybe-sent"'), 3, "may have been acted on")
    server = Http2Peer(None, tls)
    harness.run("probe", "--cacert", crt, "-d", "{}", server.url + "/1")
    check_equal(server.strangers, 1, "POSTs of a probe")


def test_server_that_ends_once_without_an_answer__is_not_said_to_speak_only_http2():
    """Asked with HTTP/2 it chooses HTTP/1.1, and that answers."""
    tls, crt = tls_of("http/1.1")
    server = Http2Peer(None, tls, older=reply(), drops=1)
    ended = ask("once", server.url + "/1", "--cacert", crt)
    check_equal((ended.code, ended.report()["ok"], server.strangers), (0, 1, 2), f"exit code, answers, asked: {ended}")
    told = texts("once", "http")
    check(not any("speaks only HTTP/2" in text for text in told), "told:", told)


# --- nginx --------------------------------------------------------------------------------------------------

NGINX = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
    {temp}
    default_type application/json;
    log_format asked '$server_protocol $connection $request_uri $status';
    access_log {dir}/access.log asked;
    keepalive_requests 10;
    server {{
        {listen}
        ssl_certificate {crt}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
        root {root};
    }}
}}
"""


def nginx(listen, crt, key):
    """It ends each connection with GOAWAY after ten requests. Its log has protocol, connection, path, status."""
    return Nginx(NGINX.replace("{listen}", listen), crt=crt, key=key, root=www())


def all_asked(server):
    harness.wait_for(lambda: len(server.log()) >= URLS, "nginx's log")
    return server.log()


def test_nginx__is_asked_over_few_connections__and_its_goaways_lose_nothing():
    crt, key = certificate("right", "IP:127.0.0.1")
    server = nginx("listen 127.0.0.1:{port} ssl http2; http2_max_concurrent_streams 4;", crt, key)
    ended = harness.run("run", "--plain", "--json", "-o", scratch("nginx2"), "--cacert", crt, "--http2",
                        f"https://127.0.0.1:{server.port}/[1-{URLS}]")
    check_all(ended, "nginx2")
    asked = all_asked(server)
    check_equal({line[0] for line in asked}, {"HTTP/2.0"}, "protocols")
    check(URLS / 10 <= len({line[1] for line in asked}) <= URLS / 2, "connections:", asked)


def test_http3__is_spoken__where_libcurl_and_the_server_have_it():
    crt, key = certificate("right", "IP:127.0.0.1")
    build = subprocess.run(["nginx", "-V"], env=harness.environment(PATH=PATH), stderr=subprocess.PIPE, check=False).stderr
    if not libcurl_has_http3() or b"http_v3" not in build:
        raise harness.Skipped("libcurl or nginx has no HTTP/3 (Debian 13 has both)")
    server = nginx("listen 127.0.0.1:{port} quic; listen 127.0.0.1:{port} ssl;", crt, key)
    ended = harness.run("run", "--plain", "--json", "-o", scratch("three"), "--cacert", crt, "--http3",
                        f"https://127.0.0.1:{server.port}/[1-{URLS}]")
    check_all(ended, "three")
    asked = all_asked(server)
    check("HTTP/3.0" in {line[0] for line in asked}, "protocols:", asked)


# --- what HTTP/2 says beside answers -------------------------------------------------------------------------


def test_refused_stream__is_asked_again_at_once__and_costs_no_try():
    tls, crt = tls_of("h2")
    asked = collections.Counter()

    def refuses_each_twice(ask):
        asked[ask.path] += 1
        return reset(ask.stream, REFUSED_STREAM) if asked[ask.path] <= 2 else whole(ask.stream)

    for name, more in (("get", ()), ("post", ("-d", '{"q":1}'))):
        asked.clear()
        server = Http2Peer(refuses_each_twice, tls)
        ended = ask(name, f"{server.url}/[1-20]", "--cacert", crt, "--http2", *more)
        check_equal((ended.code, ended.report()["ok"], ended.report()["retried"]), (0, 20, 0), f"code, ok, retried: {ended}")
        check_equal(set(asked.values()), {3}, "times that each was asked")
        # libcurl 7.88 ends the connection at a refusal, and then tells of the others, or of all, only that it is lost.
        told = {why: int(n) for n, why in re.findall(rb"(\d+) sent once more at once, as (?:a|the) (\w+)", ended.err)}
        check_equal(sum(told.values()), 40, f"told: {told}; {ended}")


def test_refused_stream__of_a_post__was_not_sent():
    """Six refusals in a row are a try that failed; what was not acted on may be asked again."""
    tls, crt = tls_of("h2")
    server = Http2Peer(lambda ask: reset(ask.stream, REFUSED_STREAM) if ask.nth < 8 else whole(ask.stream), tls)
    ended = harness.run("run", "--plain", "--json", "--backoff", "10ms:20ms", "-o", scratch("post"), "--cacert", crt,
                        "--http2", "-d", '{"q":1}', server.url + "/x")
    check_equal((ended.code, ended.report()["ok"], ended.report()["retried"]), (0, 1, 1), f"code, ok, retried: {ended}")
    why = [e["reason"] for e in events("post") if e["event"] == "retry"]
    check_equal(why, ["the server refused the stream each time (REFUSED_STREAM)"], "reason")


def test_connection_that_goes_away__is_renewed__and_nothing_is_lost():
    """Each connection takes five requests, answers them, says so, and hears no more."""
    tls, crt = tls_of("h2")

    def five(ask):
        if ask.order == 4:
            ask.close = True
            return whole(ask.stream) + go_away(ask.stream)
        return whole(ask.stream)

    server = Http2Peer(five, tls)
    ended = harness.run("run", "--plain", "--json", "--backoff", "10ms:20ms", "-o", scratch("away"), "--cacert", crt,
                        "--http2", f"{server.url}/[1-{URLS}]")
    check_equal((ended.code, ended.report()["ok"], ended.report()["failed"]), (0, URLS, 0), f"code, ok, failed: {ended}")
    check_equal(len(harness.bodies(scratch("away"))), URLS, "bodies")
    check(server.connections >= URLS / 5, "connections:", server.connections)


def test_stream_beyond_a_goaway__is_asked_again_at_once__though_the_connection_stays_open():
    """Each connection answers five, says so while more are on their way, and stays open without a further word."""
    tls, crt = tls_of("h2")

    def five(ask):
        said = whole(ask.stream) if ask.order < 5 else b""
        return said + (go_away(ask.stream) if ask.order == 4 else b"")

    server = Http2Peer(five, tls)
    ended = harness.run("run", "--plain", "--json", "--backoff", "10ms:20ms", "-o", scratch("open"), "--cacert", crt,
                        "-c", "40", "--retries", "20", "--http2", f"{server.url}/[1-{URLS}]")
    check_all(ended, "open")
    late = [e for e in events("open") if e["event"] == "retry" and "timed out" in e["reason"]]
    check(not late, "run into the time limit:", late)


def test_server_that_requires_http1__is_asked_so():
    tls, crt = tls_of("h2", "http/1.1")
    server = Http2Peer(lambda ask: reset(ask.stream, HTTP_1_1_REQUIRED), tls, older=reply())
    ended = ask("older", f"{server.url}/[1-20]", "--cacert", crt, "--http2")
    check_equal((ended.code, ended.report()["ok"]), (0, 20), f"exit code and answers: {ended}")


def test_connection_that_ends_with_enhance_your_calm__is_a_refusal():
    tls, crt = tls_of("h2")

    def calms(ask):
        if ask.connection == 0:
            ask.close = True
            return go_away(0, ENHANCE_YOUR_CALM, b"too_many_requests")
        return whole(ask.stream)

    server = Http2Peer(calms, tls)
    ended = harness.run("run", "--plain", "--json", "--backoff", "50ms:100ms", "-c", "1", "-o", scratch("calm"), "--cacert",
                        crt, "--http2", server.url + "/[1-20]")
    check_equal((ended.code, ended.report()["ok"]), (0, 20), f"exit code and answers: {ended}")
    held = texts("calm", "hold")
    check(held and all("enhance your calm" in text for text in held), "holds:", held, ended)
    check_equal(ended.report()["politeness"]["holds"], len(held), "holds in the report")


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

# What new URL() of a browser makes of it, seen from /x/start.
AS_BROWSERS = (
    ("/a b?q=x y", "/a%20b?q=x%20y"), ("/ü/é?q=ß€", "/%C3%BC/%C3%A9?q=%C3%9F%E2%82%AC"), ("/p?q=%zz&r=100%", "/p?q=%zz&r=100%"),
    ("/p?a=1#frag ment", "/p?a=1"), ("/p?q=😀 ", "/p?q=%F0%9F%98%80"), ("  /p?lead=1", "/p?lead=1"), ("?page=2", "/x/start?page=2"),
    ("page2?x= 1", "/x/page2?x=%201"), ("../up?x=ü", "/up?x=%C3%BC"), ("{origin}/full path?q=ü x", "/full%20path?q=%C3%BC%20x"),
    ("/p?q=a%20b c", "/p?q=a%20b%20c"), ("/p?filter[status]=open", "/p?filter[status]=open"))


def test_url_of_a_server__is_asked_as_a_browser_asks_it__in_a_redirect_and_a_next_link():
    state = {}

    def answer(ask):
        if ask.path != "/x/start":
            return reply({"items": [{"id": 2}]})
        if state["mode"] == "redirect":
            return reply(b"", status="302 Found", headers=["Location: " + state["url"].encode().decode("latin-1")])
        return reply({"items": [{"id": 1}], "next": state["url"]})

    server = Peer(answer)
    job = {"name": "j", "base": server.url, "endpoints": [{"name": "t", "url": "/x/start"}]}
    for mode in ("redirect", "next"):
        if mode == "next":
            job["endpoints"][0]["pages"] = {"next": "/next"}
        with open(scratch(mode + ".json"), "w", encoding="ascii") as file:
            json.dump(job, file)
        for number, (url, wanted) in enumerate(AS_BROWSERS):
            state.update(mode=mode, url=url.replace("{origin}", server.url))
            ended = ask(f"{mode}{number}", scratch(mode + ".json"))
            check_equal((ended.code, server.asks[-1].path), (0, wanted), f"exit code and what is asked for {mode} {url}: {ended}")


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
