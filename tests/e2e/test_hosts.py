"""Several hosts at once, some of them unwell: what one of them says or does leaves the others alone.

The servers are made here, because they must misbehave in ways that `serve` has no option for; what they
saw, with their own time stamps, is the witness.
"""

import collections
import contextlib
import http.server
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time

import harness
from harness import check, check_equal, scratch, wait_for
from http2_peer import ENHANCE_YOUR_CALM, Http2Peer, reset, whole
from test_guards import certificate

BODY = b'{"a":1}'
CAP = 10
Seen = collections.namedtuple("Seen", "at_s status path in_flight")


class Host:
    """A server whose answers a function makes: answer(path, number) -> (status, fields, delay), where the
    delay is in seconds or an event."""

    def __init__(self, answer):
        host = self
        self.seen, self.lock, self.at_work = [], threading.Lock(), 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one segment: no waiting for an ACK

            def do_GET(self):
                with host.lock:
                    number = len(host.seen)
                    status, fields, delay = answer(self.path, number)
                    host.at_work += 1
                    host.seen.append(Seen(time.monotonic(), status, self.path, host.at_work))
                if isinstance(delay, threading.Event):
                    delay.wait(harness.HANG_S)
                else:
                    time.sleep(delay)
                with host.lock:
                    host.at_work -= 1
                self.send_response(status)
                for name, value in fields:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(BODY)))
                self.end_headers()
                self.wfile.write(BODY)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

            def handle_error(self, *_):  # a client that has gone
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def hosts(*answers):
    them = [Host(answer) for answer in answers]
    try:
        yield them
    finally:
        for one in them:
            one.stop()


def well(delay_s=0.01):
    return lambda path, number: (200, (), delay_s)


def urls(name, *sources):
    """A list that takes from each of (host, count) in turn."""
    path = scratch(name)
    left = [(host, iter(range(1, count + 1))) for host, count in sources]
    with open(path, "w", encoding="ascii") as file:
        while left:
            for source in list(left):
                number = next(source[1], None)
                if number is None:
                    left.remove(source)
                else:
                    file.write(f"http://{source[0].address}/{number}\n")
    return path


def events(run_dir):
    with open(f"{run_dir}/events.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


# --- a window that one of them names --------------------------------------------------------------------


def test_window__is_kept_by_one_and_not_felt_by_the_other__when_a_host_says_429():
    """R12, with the receipt."""
    def limited(path, number):
        return (429, [("Retry-After", "2")], 0) if number == 20 else (200, (), 0.01)

    with hosts(limited, well()) as (a, b):
        run_dir = scratch("w.run")
        ended = harness.succeed("run", "--json", "-o", run_dir, "-c", str(CAP), "-i",
                                urls("w.txt", (a, 100), (b, 400)))
        said_s = next(s.at_s for s in a.seen if s.status == 429)
        before = {s.path for s in a.seen if s.at_s <= said_s}
        inside = [s for s in a.seen if said_s < s.at_s < said_s + 2]
        check(len(inside) <= 2 * CAP, len(inside), "requests inside the window:", inside)
        check(len([s for s in b.seen if said_s < s.at_s < said_s + 2]) > CAP,
              "the other host waited, too")
        check(len(before) < 100 - 2 * CAP, "all had been asked before: this test shows nothing")
        check_equal((len(a.seen), len(b.seen)), (101, 400), "requests to the two")
    polite = ended.report()["politeness"]
    check_equal((polite["requests_before_a_deadline"], polite["holds"], polite["hosts_held"]),
                (0, 1, 1), "requests before a deadline, holds, hosts held")
    check(2 <= polite["held_s"] < 2.1 and polite["backed_off_s"] == 0, "the receipt:", polite)
    check(b"0 requests before a named deadline, 1 host held, 2.0s waited" in ended.err, ended)
    told = [e for e in events(run_dir) if e["event"] == "hold"]
    check(len(told) == 1 and "(429, Retry-After: 2)" in told[0]["text"], told)


def test_gate__lets_them_in_at_the_rate__when_500_wait_behind_it():
    """R14: all 500 are refused at one moment; the server's own time stamps tell how they come back."""
    count, rate_per_s, burst = 500, 200, 10  # its pacer lets gather what is due within 20 ms
    shut_s = []
    all_there = threading.Event()

    def gate(path, number):
        if number == count - 1:
            shut_s.append(time.monotonic())
            all_there.set()
        if number < count:
            return (503, [("Retry-After", "1")], all_there)
        return (200, (), 0.01)

    with hosts(gate) as (a,):
        ended = harness.succeed("run", "--plain", "--json", "-o", scratch("g.run"), "-c", "600",
                                "--rate", f"{rate_per_s}/s", f"http://{a.address}/[1-{count}]")
        check_equal([s.status for s in a.seen], [503] * count + [200] * count, "what was answered")
        back = sorted(s.at_s for s in a.seen if s.status == 200)
        for number, at_s in enumerate(back):
            soonest_s = shut_s[0] + 1 + max(0, number - burst) / rate_per_s
            check(at_s >= soonest_s, "number", number, "came back", soonest_s - at_s, "s too soon")
    check_equal(ended.report()["retried"], count, "retried")


# --- one that hangs ---------------------------------------------------------------------------------------


class Tarpit:
    """Takes connections and never ends an answer: some bytes of its head every now and then."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.open, self.lock, self.ended, self.most = {}, threading.Lock(), 0, 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.drip, args=(connection,), daemon=True).start()

    def drip(self, connection):
        with self.lock:
            self.open[connection] = time.monotonic()
            self.most = max(self.most, len(self.open))
        with contextlib.suppress(OSError), connection:
            connection.recv(4096)  # however long the request takes to come
            connection.settimeout(0.2)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                try:
                    if not connection.recv(4096):
                        break  # the client has had enough
                except TimeoutError:
                    connection.sendall(b"x" * 20)  # fast enough for the limit of a stall
        with self.lock:
            self.ended += 1
            del self.open[connection]

    def stop(self):
        self.listener.close()


def test_slow_loris__leaves_the_other_host_alone__with_100_connections_stuck():
    """R15: the other host is served from its share of the slots, as if it were alone."""
    with hosts(well(0.2)) as (b,):
        stuck = Tarpit()
        try:
            path = urls("s.txt", (stuck, 100), (b, 400))
            child = harness.scrapetop("run", "--plain", "--json", "-o", scratch("s.run"), "-c", "120",
                                      "--cap-per-host", "100", "--max-time", "1h", "--connect-timeout", "100s",
                                      "-i", path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wait_for(lambda: len(b.seen) == 400 and not b.at_work, "the end of the other host's requests")
            check_equal((stuck.ended, stuck.most), (0, 100), "stuck connections: ended, at once at most")
            child.send_signal(signal.SIGINT)
            harness.read_until(child.stderr, b"Ctrl-C again aborts")
            child.send_signal(signal.SIGINT)
            ended = harness.finish(child)
        finally:
            stuck.stop()
    # It has 20 slots, whatever is stuck: none of them stays empty as long as it has work.
    full = [e["in_flight"] for e in events(scratch("s.run"))
            if e["event"] == "sample" and 0 < e["ok"] < 370]
    check(full and min(full) > 110 and max(full) == 120, "in flight, once a second:", full)
    check_equal(ended.code, 130, f"exit code of {ended}")
    report = ended.report()
    check_equal((report["ok"], report["failed"], report["pending"]), (400, 0, 100), "ok, failed, pending")


def test_unreachable__give_their_places_back__when_another_host_needs_them():
    """Else the two would hold all ten places for as long as a connection may take."""
    deaf = [harness.Deaf(), harness.Deaf()]
    with hosts(well(0.05)) as (b,):
        try:
            path = urls("d.txt", (deaf[0], 40), (deaf[1], 40), (b, 400))
            child = harness.scrapetop("run", "--plain", "--json", "-o", scratch("d.run"), "-c", str(CAP),
                                      "--connect-timeout", "1h", "--max-time", "1h", "-i", path,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wait_for(lambda: len(b.seen) == 400 and not b.at_work, "the end of the other host's requests")
            child.send_signal(signal.SIGINT)
            harness.read_until(child.stderr, b"Ctrl-C again aborts")
            child.send_signal(signal.SIGINT)
            ended = harness.finish(child)
        finally:
            for one in deaf:
                one.stop()
    report = ended.report()
    check_equal((report["ok"], report["failed"], report["retried"], report["pending"]), (400, 0, 0, 80),
                "ok, failed, retried, pending: taking a place back is no try")


def test_places_taken_back__count_for_no_limit__of_requests_or_failures():
    """Of twelve, the deaf host keeps one place; each other one is the good host's."""
    deaf, go = harness.Deaf(), threading.Event()
    with hosts(lambda path, number: (200, (), go)) as (b,):
        try:
            child = harness.scrapetop("run", "--plain", "--json", "-o", scratch("t.run"), "-c", "4",
                                      "--max-requests", "12", "--max-fail", "0", "--connect-timeout", "1h",
                                      "--max-time", "1h", "-i", urls("t.txt", (deaf, 40), (b, 40)),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wait_for(lambda: b.at_work == 3, "all places but one")
            go.set()
            harness.read_until(child.stderr, b"--max-requests 12: so many have been sent")
            wait_for(lambda: not b.at_work, "the last answer")
            child.send_signal(signal.SIGINT)
            harness.read_until(child.stderr, b"Ctrl-C again aborts")
            child.send_signal(signal.SIGINT)
            ended = harness.finish(child)
        finally:
            deaf.stop()
    report = ended.report()
    check_equal((len(b.seen), report["ok"], report["failed"], report["pending"]), (11, 11, 0, 69),
                "asked, ok, failed, pending")


# --- descriptors -------------------------------------------------------------------------------------------


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def switches(pid):
    """How often the process has gone to sleep."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt"))


def test_cap_of_a_million__names_the_limit_of_open_files():
    with hosts(well(3600)) as (a,):
        run_dir = scratch("m.run")
        child = harness.scrapetop("run", "--plain", "-o", run_dir, "-c", "1000000", "--max-time", "1h",
                                  f"http://{a.address}/[1-900000]", stderr=subprocess.PIPE,
                                  preexec_fn=few_files)
        said = harness.read_until(child.stderr, rb"only 256 files may be open: at most (\d+) at once .*W-RES1")
        most = int(said.group(1))
        wait_for(lambda: a.at_work == most, "as many connections as it says")

        def limited():
            status = json.loads(harness.succeed("status", "--json", run_dir).out)
            return status["limited_by"] if status["limited_by"] else None

        told = wait_for(limited, "a live status that tells the limit")
        check_equal((told["limit"], told["words"][:12]), ("FD LIMIT", "FD LIMIT 256"), "limited by")
        asked, slept, from_s = len(a.seen), switches(child.pid), time.monotonic()
        wait_for(lambda: time.monotonic() - from_s > 1, "a second to go by")
        woken, often = switches(child.pid) - slept, 400 * (time.monotonic() - from_s)
        check(woken < often, "it wakes again and again, thousands of times a second:", woken)
        check_equal((asked, len(a.seen)), (most, most), "requests before and while the limit stands")
        check(b"limited   FD LIMIT 256 (ulimit -n raises it), as of 20" in
              harness.succeed("status", run_dir).out, "no word of the limit in status")
        child.terminate()
        child.terminate()
        child.communicate()
    check(json.loads(harness.succeed("status", "--json", run_dir).out)["limited_by"] is None,
          "a run at rest is limited by nothing")


def test_options__are_refused__when_they_would_stall_or_burst():
    for options, word in ((["--rate", "0"], b'"0"'), (["--rate", "10/x"], b'"10/x"'),
                          (["--rate", "1/0s"], b'"1/0s"'), (["-c", "0"], b'"0"'),
                          (["-c", "-5"], b'"-5"'), (["-c", "1000001"], b"1000000")):
        ended = harness.run("run", "-o", scratch("o.run"), *options, "http://127.0.0.1:1/x")
        check_equal(ended.code, 2, f"exit code of {options}")
        check(b"error[E-ARG" in ended.err and word in ended.err, ended)
        check(not os.path.exists(scratch("o.run")), "a run directory in spite of", options)


# --- auto ------------------------------------------------------------------------------------------------------


def test_auto__keeps_the_cap_up__when_one_of_three_hosts_refuses():
    def refusing(path, number):
        return (200, (), 0.05) if number % 2 else (429, [("Retry-After", "1")], 0)

    with hosts(refusing, well(0.05), well(0.05)) as (a, b, c):
        ended = harness.succeed("run", "--auto", "--json", "-o", scratch("x.run"), "--retries", "100",
                                "-i", urls("x.txt", (b, 1000), (c, 1000), (a, 7)))
        check_equal((len(b.seen), len(c.seen)), (1000, 1000), "requests to the well ones")
    changes = [e for e in events(scratch("x.run")) if e["event"] == "cap"]
    lowered = [e["text"] for e in changes if e["cap"] < e["from"] and "429" in e["text"]]
    check(not lowered, "the cap was lowered for one host's sake:", lowered)
    check(any(e["cap"] > e["from"] for e in changes), "the cap never rose:", changes)
    report = ended.report()
    check(report["max_in_flight"] > 10, "in flight at most:", report["max_in_flight"])
    check(report["status"]["429"] > 5, "the host never refused: this test shows nothing")
    check_equal(report["politeness"]["requests_before_a_deadline"], 0, "requests before a deadline")


# --- HTTP/2 -------------------------------------------------------------------------------------------------


def test_enhance_your_calm__is_heeded_as_a_429__over_http2():
    crt, key = certificate("right", "IP:127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(crt, key)
    tls.set_alpn_protocols(["h2"])
    server = Http2Peer(lambda ask: reset(ask.stream, ENHANCE_YOUR_CALM) if ask.nth < 2 else whole(ask.stream), tls)
    ended = harness.run("run", "--json", "--plain", "--http2", "--cacert", crt, "-c", "1", "--connect-timeout", "100s",
                        "--backoff", "200ms", "-o", scratch("h.run"), f"{server.url}/[1-20]")
    check_equal(ended.code, 0, f"exit code of {ended}")
    report = ended.report()
    check_equal((report["ok"], report["retried"], len(server.asks)), (20, 2, 22), "ok, retried, asked")
    check_equal(report["politeness"]["holds"], 2, "holds")
    held = [e["text"] for e in events(scratch("h.run")) if e["event"] == "hold"]
    check(all("enhance your calm" in text for text in held), held)


if __name__ == "__main__":
    harness.main(globals())
