"""Proxies as people have them: tinyproxy for HTTP and CONNECT, microsocks for SOCKS, and what goes wrong with them.

A failure of the proxy is told as such, stops the run where it is the same for every request, and is never the server's.
"""

import getpass
import json
import os
import shutil
import socket
import subprocess
import threading

import harness
from harness import check, check_equal, scratch
from peer import Peer, reply
from ports import mute_port, started
from test_guards import certificate, https

PASSWORD = "a-long-pass-word"
WITH_PASSWORD = {"PROXY_PASS": PASSWORD}


def always(_):
    return reply(b'[{"a":1}]')


def need(program):
    if not shutil.which(program):
        raise harness.Skipped(f"{program} is missing: scripts/deps --test")


def tinyproxy(*lines):
    need("tinyproxy")

    def make(port):
        path = scratch(f"tinyproxy{port}.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join([f"Port {port}", "Listen 127.0.0.1", "Timeout 20", *lines, ""]))
        return harness.start(["tinyproxy", "-d", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return started(make)


def microsocks(*more):
    need("microsocks")
    return started(lambda port: harness.start(["microsocks", "-i", "127.0.0.1", "-p", str(port), *more],
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


def ask(name, url, *more, env=None):
    return harness.run("run", "--plain", "--json", "--retries", "1", "--backoff", "10ms:20ms", "-o", scratch(name), *more,
                       url, env=harness.environment(**(env or {})))


def check_stopped(ended, words, code=7):
    check_equal(ended.code, code, f"exit code: {ended}")
    check_equal((ended.report()["ok"], ended.report()["failed"]), (0, 0), f"requests that ended: {ended}")
    check(b"error[E-PRX2]: proxy " in ended.err and words in ended.err, "not told", words, ended)


def check_no_secret(name, ended):
    check(PASSWORD.encode() not in ended.out + ended.err, "the password is shown:", ended)
    for where, _, files in os.walk(scratch(name)):
        for file in files:
            check(PASSWORD.encode() not in harness.read(os.path.join(where, file)), "the password is in", file)


# --- those that work -------------------------------------------------------------------------------------


def test_proxy__carries__http_and_https_with_credentials():
    crt, key = certificate("right", "IP:127.0.0.1")
    plain, secure = Peer(always), https(always, crt, key)
    ports = {"http": tinyproxy(f"BasicAuth bob {PASSWORD}"), "socks5h": microsocks("-u", "bob", "-P", PASSWORD)}
    ports["socks5"] = ports["socks5h"]
    for kind, port in ports.items():
        for server in (plain, secure):
            name = f"{kind}{server.url[:5].strip(':')}"
            before = server.total()
            ended = ask(name, server.url + "/[1-20]", "--cacert", crt, "-x",
                        f"{kind}://bob:${{PROXY_PASS}}@127.0.0.1:{port}", env=WITH_PASSWORD)
            check_equal((ended.code, server.total() - before), (0, 20), f"exit code and requests of {name}: {ended}")
            check_equal(ended.err.count(b"goes through the proxy"), 1, f"lines about the proxy: {ended}")
            check_equal(b"it looks names up" in ended.err, kind != "socks5", f"that {kind} looks names up: {ended}")
            check_no_secret(name, ended)


def test_credentials__are_taken__from_an_option_a_file_and_a_job():
    server, port = Peer(always), tinyproxy(f"BasicAuth bob {PASSWORD}")
    path = scratch("proxy.secret")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(f"bob:{PASSWORD}\n")
    proxy = f"http://127.0.0.1:{port}"
    for name, more in (("u", ["-x", proxy, "-U", "bob:${PROXY_PASS}"]), ("file", ["-x", proxy, "-U", "@" + path])):
        ended = ask(name, server.url + "/x", *more, env=WITH_PASSWORD)
        check_equal(ended.code, 0, f"exit code: {ended}")
        check_no_secret(name, ended)
    job = {"name": "j", "base": server.url, "endpoints": [{"name": "t", "url": "/x"}],
           "proxy": {"url": proxy, "user": "bob:${PROXY_PASS}"}}
    with open(scratch("j.json"), "w", encoding="ascii") as file:
        json.dump(job, file)
    ended = ask("j", scratch("j.json"), env=WITH_PASSWORD)
    check_equal(ended.code, 0, f"exit code of the job: {ended}")
    check_no_secret("j", ended)
    shown = harness.run("run", "--show-config", scratch("j.json"), env=harness.environment(**WITH_PASSWORD))
    check(f'proxy.url = "{proxy}"'.encode() in shown.out and b"bob:${PROXY_PASS}" in shown.out, shown)
    check(PASSWORD.encode() not in shown.out, "the password is shown:", shown)


def test_typed_password__is_not_kept__and_asked_for_again():
    server, port = Peer(lambda a: None if a.path == "/2" else always(a)), tinyproxy(f"BasicAuth bob {PASSWORD}")
    typed = ["-x", f"http://bob:{PASSWORD}@127.0.0.1:{port}"]
    ended = ask("typed", server.url + "/[1-2]", *typed)
    check_equal(ended.code, 3, f"exit code: {ended}")
    check(b"W-SEC1" in ended.err and b"of the proxy" in ended.err, "no warning:", ended)
    check_no_secret("typed", ended)
    again = harness.run("run", "--plain", "--only-failed", "-o", scratch("typed"))
    check(again.code == 2 and b"E-SEC3" in again.err and b"give -U again" in again.err, again)


def test_environment__is_shown__without_secrets():
    server = Peer(always)
    env = harness.environment(https_proxy=f"http://bob:{PASSWORD}@h.test:1", no_proxy="a.test,10.0.0.0/8")
    shown = harness.run("run", "--show-config", server.url + "/x", env=env)
    check_equal(shown.code, 0, f"exit code: {shown}")
    for line in ('proxy.https = "http://h.test:1"  # https_proxy of the environment',
                 'proxy.none_for = "a.test,10.0.0.0/8"  # no_proxy of the environment'):
        check(line.encode() in shown.out, "not shown:", line, shown)
    check(PASSWORD.encode() not in shown.out, "the password is shown:", shown)
    ended = harness.run("run", "--plain", server.url + "/x", env=harness.environment(http_proxy="gopher://h:1"))
    check(ended.code == 2 and b"E-PRX1" in ended.err and b"http_proxy of the environment" in ended.err, ended)
    for more, warns in (((), True), (("-x", ""), False)):
        ended = harness.run("run", "--plain", *more, "-o", scratch(f"capitals{warns}"), server.url + "/x",
                            env=harness.environment(HTTP_PROXY="http://127.0.0.1:1"))
        check(ended.code == 0 and (b"W-PRX1" in ended.err) == warns, "HTTP_PROXY in capitals:", ended)


def test_hosts__are_asked_directly__when_they_are_to_be():
    server, proxy = Peer(always), Peer(always)
    for name, more, env, count in (
            ("no", ["-x", proxy.url, "--noproxy", "127.0.0.1"], {}, 0),
            ("other", ["-x", proxy.url, "--noproxy", "10.0.0.1"], {}, 1),
            ("env", ["-x", proxy.url], {"NO_PROXY": "127.0.0.0/8"}, 0),
            ("over", ["-x", proxy.url, "--noproxy", ""], {"no_proxy": "*"}, 1),
            ("none", ["-x", ""], {"http_proxy": proxy.url}, 0)):
        before = proxy.total()
        ended = ask(name, server.url + "/x", *more, env=env)
        check_equal((ended.code, proxy.total() - before), (0, count), f"exit code and requests of the proxy, {name}: {ended}")


# --- those that do not -----------------------------------------------------------------------------------


def test_refused_proxy__stops_the_run__at_once():
    server, port = Peer(always), mute_port()
    for url in (server.url, server.url.replace("http:", "https:")):
        for kind in ("http", "socks5h"):
            name = f"dead{kind}{url[:5].strip(':')}"
            ended = ask(name, url + "/[1-50]", "-x", f"{kind}://127.0.0.1:{port}")
            check_stopped(ended, b"connection refused")
    check_equal(server.total(), 0, "requests that went past the proxy")


def test_unknown_proxy__stops_the_run__at_once():
    ended = ask("unknown", "http://127.0.0.1:9/[1-50]", "-x", "http://nobody.invalid:3128")
    check_stopped(ended, b"its name is not known")


def test_wrong_credentials__stop_the_run__and_are_told_by_their_class():
    crt, key = certificate("right", "IP:127.0.0.1")
    plain, secure = Peer(always), https(always, crt, key)
    http, socks = tinyproxy(f"BasicAuth bob {PASSWORD}"), microsocks("-u", "bob", "-P", PASSWORD)
    for number, (server, proxy, words) in enumerate((
            (plain, f"http://127.0.0.1:{http}", b"it wants credentials (HTTP 407)"),
            (secure, f"http://127.0.0.1:{http}", b"it wants credentials (HTTP 407)"),
            (secure, f"http://bob:wrong-word@127.0.0.1:{http}", b"it refuses the credentials"),
            (plain, f"http://bob:wrong-word@127.0.0.1:{http}", b"it refuses the credentials (HTTP 401)"),
            (plain, f"socks5h://127.0.0.1:{socks}", b"it wants credentials"),
            (plain, f"socks5h://bob:wrong-word@127.0.0.1:{socks}", b"it refuses the credentials"))):
        ended = ask(f"auth{number}", server.url + "/[1-50]", "--cacert", crt, "-x", proxy)
        check_stopped(ended, words, code=5)
    check_equal((plain.total(), secure.total()), (0, 0), "requests that came through")


def answering_connect(status):
    return Peer(lambda asked: reply(status=status))


def test_refused_host__fails_for_itself__without_a_retry_where_that_is_senseless():
    for status, tries, words in (("403 Forbidden", 1, "it refuses to connect to this host (HTTP 403)"),
                                 ("502 Bad Gateway", 2, "it cannot reach this host (HTTP 502)")):
        proxy = answering_connect(status)
        ended = ask(f"connect{status[:3]}", "https://127.0.0.1:9/x", "-x", proxy.url)
        check_equal((ended.code, proxy.total()), (3, tries), f"exit code and tries with {status}: {ended}")
        rows = harness.ledger(scratch(f"connect{status[:3]}"), "SELECT reason FROM request")
        check(words in rows[0][0], "reason of", status, rows)
        failures = ended.report()["failures"]
        check("proxy" in json.dumps(failures), "class of the failure", failures)


def test_dead_proxy__is_waited_for__when_it_has_worked():
    """It goes away after ten answers and comes back: nothing fails."""
    seen = []

    def answer(asked):
        seen.append(asked)
        return None if 10 < len(seen) < 14 else always(asked)

    proxy = Peer(answer)
    ended = harness.run("run", "--plain", "--json", "-c", "1", "--retries", "5", "--backoff", "10ms:20ms", "-o",
                        scratch("back"), "-x", proxy.url, "http://h.test/[1-30]")
    check_equal((ended.code, ended.report()["ok"]), (0, 30), f"exit code and answers: {ended}")


def test_redirect_to_a_private_address__is_refused__through_a_proxy_as_well():
    """The proxy looks names up; an address in the URL we see ourselves, however it is written."""
    places = ["http://127.0.0.1:9/", "http://0x7f000001:9/", "http://2130706433/", "http://[::ffff:127.0.0.1]:9/",
              "http://localhost:9/"]
    for number, place in enumerate(places):
        proxy = Peer(lambda asked, place=place: reply(status="302 Found", headers=["Location: " + place])
                     if asked.path.startswith("http://h.test/") else always(asked))
        ended = ask(f"private{number}", "http://h.test/x", "-x", proxy.url)
        check_equal((ended.code, proxy.total()), (3, 1), f"exit code and requests with {place}: {ended}")
        check(b"private address" in ended.err, ended)


# --- several ---------------------------------------------------------------------------------------------


def pool(name, *proxies):
    path = scratch(name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write("# of the pool\n\n" + "".join(url + "\n" for url in proxies))
    return path


def host_of(asked):
    return asked.path.split("/")[2]


def test_pool__keeps_a_host_where_it_is__and_spreads_hosts():
    proxies = [Peer(always) for _ in range(3)]
    with open(scratch("urls"), "w", encoding="ascii") as file:
        file.writelines(f"http://h{n % 20}.test/{n}\n" for n in range(200))
    ended = harness.run("run", "--plain", "--json", "-o", scratch("spread"), "--proxies",
                        pool("p3", *(p.url for p in proxies)), "-i", scratch("urls"))
    check_equal((ended.code, ended.report()["ok"]), (0, 200), f"exit code and answers: {ended}")
    hosts = [{host_of(asked) for asked in p.asks} for p in proxies]
    check_equal(sum(len(h) for h in hosts), 20, "hosts of the proxies together")
    check(all(hosts), "a proxy has no host:", hosts)
    check_equal(ended.err.count(b"everything goes through 3 proxies"), 1, f"lines about the pool: {ended}")


def test_pool__moves_a_host__that_refuses_one_proxy_or_whose_proxy_is_dead():
    """A 429, three 403s in a row, a dead proxy, one that wants credentials."""
    refused = {"429": ["429 Too Many Requests", "Retry-After: 600"], "403": ["403 Forbidden"]}
    for name, (status, *headers) in refused.items():
        bad, good = Peer(lambda _, s=status, h=headers: reply(status=s, headers=h)), Peer(always)
        ended = harness.run("run", "--plain", "--json", "-c", "1", "--retries", "0", "-o", scratch("pool" + name),
                            "--proxies", pool("p" + name, bad.url, bad.url.replace("127.0.0.1", "localhost"), good.url),
                            "http://h.test/[1-30]")
        lost = 0 if name == "429" else min(bad.total(), 4)
        check(ended.report()["ok"] >= 30 - lost and bad.total() <= 6, "moved too late:", name, bad.total(), ended)
        check(good.total() >= 26, "through the good one", good.total())
    dead, wants, good = mute_port(), tinyproxy(f"BasicAuth bob {PASSWORD}"), Peer(always)
    ended = ask("pooldead", "http://h.test/[1-20]", "--proxies",
                pool("pdead", f"http://127.0.0.1:{dead}", f"http://127.0.0.1:{wants}", good.url))
    check_equal((ended.code, ended.report()["ok"], good.total()), (0, 20, 20), f"exit code and answers: {ended}")
    all_dead = ask("poolall", "http://h.test/[1-20]", "--proxies",
                   pool("pall", f"http://127.0.0.1:{dead}", f"http://127.0.0.2:{dead}"))
    check_stopped(all_dead, b"connection refused")


def test_pool__is_not_shown__of_hosts_that_are_asked_directly():
    server, proxy = Peer(always), Peer(always)
    child = harness.scrapetop("run", "--plain", "-o", scratch("spared"), "--rate", "5/s", "--noproxy", "127.0.0.1", "--proxies",
                              pool("spared-pool", proxy.url, proxy.url.replace("127.0.0.1", "localhost")),
                              f"{server.url}/[1-2]", "http://h.test/[1-1000]",
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    harness.wait_for(lambda: server.total() and proxy.total(), "an answer of each")
    hosts = json.loads(harness.succeed("ctl", scratch("spared")).out)["hosts"]
    child.kill()
    child.wait()
    shown = {host["host"].split(":")[0]: host.get("proxy", "") for host in hosts}
    check_equal(shown["127.0.0.1"], "", "the proxy of a host that is asked directly")
    check(str(proxy.url.rsplit(":", 1)[1]) in shown["h.test"], "the proxy of the other", shown)


def test_pool__leaves_the_quota__with_the_proxy_that_the_host_leaves():
    """What is left of the one's window says nothing of the other, who has a window of its own."""
    first, lock, both = [], threading.Lock(), threading.Barrier(2)
    quota = ["X-RateLimit-Limit: 100", "X-RateLimit-Remaining: 5", "X-RateLimit-Reset: 3600"]

    def answer_as(name):
        def answer(asked):
            with lock:
                first.append(name)
                number = first.count(name)
            if name != first[0]:
                return always(asked)
            both.wait(harness.HANG_S)
            return reply(headers=quota) if number == 1 else \
                reply(status="429 Too Many Requests", headers=[*quota, "Retry-After: 3600"])
        return answer

    path = pool("quota", *(Peer(answer_as(name)).url for name in "ab"))
    ended = harness.run("run", "--plain", "--json", "-c", "2", "--max-duration", "20s", "-o", scratch("poolquota"),
                        "--proxies", path, "http://h.test/[1-40]")
    check_equal((ended.code, ended.report()["ok"]), (0, 40), f"exit code and answers: {ended}")


def test_pool__waits_for_a_proxy_that_comes_back__when_another_is_wrong_for_good():
    """One takes no connections until the other has said that it wants credentials."""
    def proxies():
        late, came = socket.socket(), []
        late.bind(("127.0.0.1", 0))

        def refuse(_):
            if not came:
                late.listen(128)
                came.append(Peer(always, listener=late))
            return reply(status="407 Proxy Authentication Required")

        return came, [Peer(refuse).url, f"http://127.0.0.1:{late.getsockname()[1]}"]

    for order in (1, -1):  # in one of them the host begins with the one that takes none yet
        came, urls = proxies()
        ended = harness.run("run", "--plain", "--json", "-c", "1", "--backoff", "10ms:50ms", "-o", scratch(f"back{order}"),
                            "--proxies", pool("back", *urls[::order]), "http://h.test/[1-20]")
        check_equal((ended.code, ended.report()["ok"]), (0, 20), f"exit code and answers: {ended}")
        check_equal(came[0].total(), 20, "through the other one")


def test_pool__of_one_gate_with_several_names__mixes_none_of_them():
    """Where the name says which address is used (residential proxies): each request has the name of its host's proxy."""
    seen = {}

    def answer(asked):
        seen.setdefault(host_of(asked), set()).add(asked.headers.get("proxy-authorization"))
        return always(asked)

    gate = Peer(answer)
    path = pool("pgate", *(gate.url.replace("http://", f"http://user{n}:{PASSWORD}@") for n in range(4)))
    with open(scratch("urls"), "w", encoding="ascii") as file:
        file.writelines(f"http://h{n % 12}.test/{n}\n" for n in range(60))
    ended = harness.run("run", "--plain", "--json", "-o", scratch("gate"), "--proxies", path, "-i", scratch("urls"))
    check_equal(ended.code, 0, f"exit code: {ended}")
    check_equal((len(seen), {len(names) for names in seen.values()}), (12, {1}), f"names by host: {seen}")
    check(len(set.union(*seen.values())) > 1, "names", seen)
    check_no_secret("gate", ended)
    os.chmod(path, 0o644)
    open_to_all = harness.run("run", "--plain", "--proxies", path, "http://h.test/x")
    check(open_to_all.code == 2 and b"E-SEC1" in open_to_all.err, open_to_all)
    with open(path, "w", encoding="ascii") as file:
        file.write("http://good:1\ngopher://bad:1\n")
    os.chmod(path, 0o600)
    bad = harness.run("run", "--plain", "--proxies", path, "http://h.test/x")
    check(bad.code == 2 and b"pgate:2" in bad.err and b"E-PRX1" in bad.err, bad)


# --- others that people have --------------------------------------------------------------------------------

SQUID = """
{listen}
pid_filename none
cache deny all
cache_log {dir}/cache.log
access_log none
coredump_dir {dir}
visible_hostname proxy.test
shutdown_lifetime 1 second
pinger_enable off
auth_param basic program /usr/lib/squid/basic_ncsa_auth {dir}/passwords
auth_param basic children 2
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""


def squid(listen):
    """It asks for a password; `listen` is its http_port or https_port line."""
    program = shutil.which("squid", path=os.environ["PATH"] + ":/usr/sbin")
    if not program or not os.path.exists("/usr/lib/squid/basic_ncsa_auth"):
        raise harness.Skipped("squid is missing: scripts/deps --test")
    hashed = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], check=True, capture_output=True, text=True).stdout

    def make(port):
        where = scratch(f"squid{port}")
        os.makedirs(where)
        os.chmod(os.path.dirname(where), 0o755)  # root's squid goes on as another user
        os.chmod(where, 0o777)
        with open(f"{where}/passwords", "w", encoding="ascii") as file:
            file.write("bob:" + hashed)
        with open(f"{where}/conf", "w", encoding="ascii") as file:
            file.write(SQUID.format(dir=where, listen=listen.format(port=port)))
        return harness.start([program, "-N", "-f", f"{where}/conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return started(make)


def readable(path):
    os.chmod(path, 0o644)
    return path


def test_squid__carries_http_and_https__in_clear_text_and_over_tls():
    """With https:// in front of it the way to the proxy itself is TLS: its certificate counts, and its name."""
    crt, key = certificate("right", "IP:127.0.0.1")
    readable(key)
    plain, secure = Peer(always), https(always, crt, key)
    listens = {"http": "http_port 127.0.0.1:{port}",
               "https": f"https_port 127.0.0.1:{{port}} tls-cert={crt} tls-key={key}"}
    for kind, listen in listens.items():
        port = squid(listen)
        for server in (plain, secure):
            name, before = f"squid-{kind}-{server.url[:5].strip(':')}", server.total()
            ended = ask(name, server.url + "/[1-20]", "--cacert", crt, "-x", f"{kind}://127.0.0.1:{port}", "-U",
                        "bob:${PROXY_PASS}", env=WITH_PASSWORD)
            check_equal((ended.code, server.total() - before), (0, 20), f"exit code and requests of {name}: {ended}")
            check_no_secret(name, ended)
        wrong = ask(f"wrong-{kind}", plain.url + "/[1-20]", "--cacert", crt, "-x", f"{kind}://127.0.0.1:{port}", "-U",
                    "bob:${PROXY_PASS}", env={"PROXY_PASS": "another"})
        check_stopped(wrong, b"407", 5)
    before = plain.total()
    check_stopped(ask("untrusted", plain.url + "/[1-20]", "-x", f"https://127.0.0.1:{port}", "-U", "bob:${PROXY_PASS}",
                      env=WITH_PASSWORD), b"certificate")
    check_equal(plain.total() - before, 0, "requests through a proxy whose certificate nobody trusts")


DANTE = """
logoutput: {dir}/log
internal: 127.0.0.1 port = {port}
external: lo
socksmethod: none
clientmethod: none
user.privileged: {user}
user.unprivileged: {user}
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks block {{ from: 0.0.0.0/0 to: 127.0.0.1/32 port = {closed} }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
"""


def test_dante__carries_http_and_https__and_its_refusal_is_the_hosts():
    program = shutil.which("danted", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        raise harness.Skipped("danted is missing: scripts/deps --test")
    crt, key = certificate("right", "IP:127.0.0.1")
    plain, secure, closed = Peer(always), https(always, crt, key), Peer(always)

    def make(port):
        where = scratch(f"dante{port}")
        os.makedirs(where)
        with open(f"{where}/conf", "w", encoding="ascii") as file:
            file.write(DANTE.format(dir=where, port=port, user=getpass.getuser(), closed=closed.url.rsplit(":", 1)[1]))
        return harness.start([program, "-f", f"{where}/conf", "-p", f"{where}/pid", "-N", "1"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)

    port = started(make)
    for kind in ("socks5", "socks5h", "socks4"):  # its SOCKS 4a connects to 0.0.0.1, which curl finds, too
        for server in (plain, secure):
            name, before = f"dante-{kind}-{server.url[:5].strip(':')}", server.total()
            ended = ask(name, server.url + "/[1-20]", "--cacert", crt, "-x", f"{kind}://127.0.0.1:{port}")
            check_equal((ended.code, server.total() - before), (0, 20), f"exit code and requests of {name}: {ended}")
    for kind, words in (("socks5h", b"it refuses to connect to this host"), ("socks4", b"or cannot")):
        refused = ask(f"refused-{kind}", closed.url + "/1", "-x", f"{kind}://127.0.0.1:{port}")
        check_equal((refused.code, closed.total(), refused.report()["failed"]), (3, 0, 1), f"code, requests, failed: {refused}")
        check(words in refused.err, "not told", words, refused)


def test_ssh__carries_http_and_https__as_a_socks_proxy():
    """ssh -D with a server and keys of this test's own."""
    server_program = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
    if not server_program or not shutil.which("ssh"):
        raise harness.Skipped("sshd or ssh is missing: scripts/deps --test")
    crt, key = certificate("right", "IP:127.0.0.1")
    plain, secure = Peer(always), https(always, crt, key)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch(name)], check=True)
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    options = ["HostKey=" + scratch("host"), "AuthorizedKeysFile=" + scratch("user.pub"), "ListenAddress=127.0.0.1",
               "StrictModes=no", "UsePAM=no", "PidFile=none", "PasswordAuthentication=no", "PermitRootLogin=yes"]
    flags = [word for option in options for word in ("-o", option)]
    ssh_port = started(lambda port: harness.start([server_program, "-D", "-f", "/dev/null", "-p", str(port), *flags],
                                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    port = started(lambda port: harness.start(
        ["ssh", "-N", "-F", "/dev/null", "-D", f"127.0.0.1:{port}", "-p", str(ssh_port), "-i", scratch("user"),
         "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
         f"{getpass.getuser()}@127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    for server in (plain, secure):
        name, before = f"ssh-{server.url[:5].strip(':')}", server.total()
        ended = ask(name, server.url + "/[1-20]", "--cacert", crt, "-x", f"socks5h://127.0.0.1:{port}")
        check_equal((ended.code, server.total() - before), (0, 20), f"exit code and requests of {name}: {ended}")


if __name__ == "__main__":
    harness.main(globals())
