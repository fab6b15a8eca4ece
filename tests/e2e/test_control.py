"""What no client of the control socket can do to a run, whatever it sends, and what several of them cost.

Environment: CONTROL_FUZZ_S says for how many seconds the socket is fuzzed (5).
"""

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

import harness
from harness import check, check_equal, scaled, scratch, wait_for
from live import live_run, socket_of

FUZZ_S = float(os.environ.get("CONTROL_FUZZ_S", "5"))
FUZZ_BYTES_S = 20_000
CONNECTS_S = 1000
CLIENTS_MAX = 8
CORE_OF_VIEWERS = 0.25  # most of it frames, ten a second for each


def connect(path, hello=b""):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(harness.HANG_S)
    client.connect(path)
    client.sendall(hello)
    return client


def heard(client):
    """All that comes until the run closes."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65536):
            got += part
    return got


def line_of(client, wanted):
    """The next line with these bytes in it."""
    got = b""
    while not got.endswith(b"\n") or wanted not in got.splitlines()[-1]:
        part = client.recv(1)
        check(part, "closed before", wanted, "came:", got[-200:])
        got += part
    return got.splitlines()[-1]


# --- (f) ---------------------------------------------------------------------------------------------

VIEWER = b'{"hello":1,"as":"viewer","frames":"snapshot","every_ms":100,"events":true}\n'
DRIVER = b'{"hello":1,"as":"driver","frames":"totals","every_ms":100,"name":"fuzz"}\n'
# Words that change nothing of what is fetched.
HARMLESS = [b"status", b"failed", b"waiting", b"hosts", b"help", b"note x", b"cap 8", b"retry-failed", b"retry-waiting xyz"]


def odd_line(rng):
    """One line, or a part of one, that nobody in his senses sends."""
    kind = rng.randrange(10)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 2000))
    if kind == 1:
        line = bytearray(rng.choice([VIEWER, DRIVER, b'{"seq":1,"detail":"17"}\n', b'{"seq":2,"report":true}\n']))
        for _ in range(rng.randrange(1, 4)):
            line[rng.randrange(len(line))] = rng.randrange(256)
        return bytes(line)
    if kind == 2:
        return b"[" * rng.randrange(1, 3000) + b"\n"
    if kind == 3:
        return b'{"seq":' + b"9" * rng.randrange(1, 400) + b',"detail":"' + b"1" * rng.randrange(1, 90) + b'"}\n'
    if kind == 4:
        return b'{"hello":1,"name":"' + b"\\ud800\\u0000\xff" * rng.randrange(1, 50) + b'"}\n'
    if kind == 5:
        return b'{"seq":"' + rng.randbytes(rng.randrange(1, 60)) + b'"}\n'
    if kind == 6:
        return b'{"a":' * rng.randrange(1, 40) + b"\n"
    if kind == 7:
        return b"x" * rng.choice([10, 16384, 65535, 65536, 65537, 70000])
    if kind == 8:
        return b'{"seq":1,"report":true}\n' * rng.randrange(1, 80)
    return rng.choice([b"\n", b"\r\n", b"\x00", b"{}\n", b'{"hello":2}\n', b'{"hello":-1}\n', b'{"hello":1e9}\n', b'{"hello"\n'])


def fuzz(path, end, seed):
    """About FUZZ_BYTES_S of nonsense, by connections that begin well as often as not."""
    rng, sent, began = random.Random(seed), 0, time.monotonic()
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(0.2)
            client.connect(path)
            if rng.random() < 0.6:
                client.sendall(VIEWER)
            for _ in range(rng.randrange(1, 6)):
                line = odd_line(rng)
                sent += len(line)
                client.sendall(line)
                time.sleep(max(0.0, sent / FUZZ_BYTES_S - (time.monotonic() - began)))
            if rng.random() < 0.3:
                client.recv(4096)


def steer(path, end, seed):
    """A driver who says what may be said, as fast as he may and faster."""
    rng = random.Random(seed)
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(0.2)
            client.connect(path)
            client.sendall(DRIVER)
            for number in range(rng.randrange(1, 120)):
                client.sendall(b'{"seq":%d,"do":"%s"}\n' % (number, rng.choice(HARMLESS)))
            client.recv(65536)
        time.sleep(0.05)


def storm(path, end, counts):
    """CONNECTS_S connections in each second, closed at once."""
    began, count = time.monotonic(), 0
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(0.2)
            client.connect(path)
            count += 1
        time.sleep(max(0.0, count / CONNECTS_S - (time.monotonic() - began)))
    counts.append(count / (time.monotonic() - began))


def test_fuzz_and_storm__lose_nothing():
    urls = int(max(20_000 * FUZZ_S / 60, scaled(2000, 800)))
    counts = []
    with harness.api("--latency", "5ms") as server:
        quiet = scratch("quiet.csv")
        harness.succeed("run", "--plain", "-o", scratch("q.run"), "-c", "16", "--csv", quiet, f"{server.url}/posts/[1-{urls}]")
        asked = server.count()
        began = time.monotonic()
        with live_run(server, urls, "-c", "8", "--rate", f"{max(int(urls / FUZZ_S), 1)}/s", "--csv",
                      scratch("loud.csv")) as (child, run):
            path, end = socket_of(run), began + FUZZ_S
            threads = [threading.Thread(target=fuzz, args=(path, end, seed)) for seed in range(2)]
            threads.append(threading.Thread(target=steer, args=(path, end, 7)))
            threads.append(threading.Thread(target=storm, args=(path, end, counts)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            check(child.poll() in (None, 0), "the run ended while it was fuzzed:", child.poll())
            ended = harness.finish(child)
        check_equal(ended.code, 0, f"exit code, which is another where memory leaks: {ended}")
        check_equal(server.count() - asked, urls, "requests")
        check_equal(harness.read(scratch("loud.csv")), harness.read(quiet), "the table's bytes")
        harness.succeed("verify", run)
    print(f"  {FUZZ_S:.0f} s, {urls} requests, {counts[0]:.0f} connects/s")


# --- (b) and (j), roughly: scripts/bench viewers measures them ----------------------------------------------------


def drain(client, stop, bytes_s=None):
    """Reads all, or so many bytes a second."""
    client.settimeout(0.2)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            if not client.recv(65536 if bytes_s is None else 1):
                return
        if bytes_s:
            stop.wait(1 / bytes_s)


def test_viewers__cost_next_to_nothing__even_those_that_do_not_read():
    """By the processor's time, which says the same however busy the machine is; scripts/bench viewers has the speed."""
    urls = scaled(2400, 1200)
    used, peaks = {}, {}
    with harness.api("--latency", "20ms") as server:
        for viewers in (0, CLIENTS_MAX):
            stop, clients = threading.Event(), []
            with live_run(server, urls, "-c", "16", "--json", name=f"v{viewers}.run") as (child, run):
                path = socket_of(run)
                for i in range(viewers):
                    clients.append(connect(path, VIEWER))
                    if i > 0:  # the first never reads, the second a byte a second
                        threading.Thread(target=drain, args=(clients[i], stop, 1 if i == 1 else None), daemon=True).start()
                peak = 0
                while child.poll() is None:
                    with contextlib.suppress(OSError, AttributeError):
                        peak = max(peak, harness.peak_kib(child.pid))
                    time.sleep(0.02)
                ended = harness.finish(child)
                stop.set()
                for client in clients:
                    client.close()
            check_equal(ended.code, 0, f"exit code: {ended}")
            used[viewers] = ended.report()["cpu_s"]
            peaks[viewers] = peak
    core = (used[CLIENTS_MAX] - used[0]) / ended.report()["wall_s"]
    print(f"  {100 * core:.0f} % of a core for eight; KiB {peaks[0]}, {peaks[CLIENTS_MAX]}")
    check(core < CORE_OF_VIEWERS, "eight viewers take much of a core:", core, used)
    if not harness.SMALL:  # a sanitizer keeps what is freed
        check(peaks[CLIENTS_MAX] - peaks[0] < 10 * 1024, "eight viewers take memory (KiB):", peaks)


# --- bad input ---------------------------------------------------------------------------------------


def test_bad_lines__each_have_a_sentence():
    cases = [
        (b'{"hello":1}\n{"seq":1,"do":"pasue"}\n', b"did you mean pause?", False),
        (b'{"hello":1}\n{"seq":1,"do":"dance"}\n', b'no such command: \\"dance\\"', False),
        (b'{"hello":1,"as":"viewer"}\n{"seq":1,"do":"cap 5"}\n', b'"E-CTL2","reply":"this client may only look"', False),
        (b'{"hello":7}\n', b"version 7 of the control protocol, this run version 1", True),
        (b'{"hello":1,"name":"\xff\xfe"}\n', b'"E-CTL7","reply":"a line must be one JSON object"', True),
        (b'{"hello":1}\n{"seq":1,"do":"\\ud800"}\n', b"no such command", False),
        (b"{" * 70_000, b'"E-CTL7","reply":"a line is too long"', True),
        (b'{"hello":1}\n{"seq":1,"do":"note ' + b"x" * 60_000 + b'"}\n', b'"ok":true', False),
        (b'{"hello":1}\n' + b"".join(b'{"seq":%d,"do":"note %s"}\n' % (n, b"x" * 60_000) for n in range(1, 9)),
         b'"seq":8,"ok":true', False),
        (b'{"hello":1}\n{"seq":1}\n', b'a request has \\"do\\"', False),
        (b'{"hello":1}\n' + b'{"seq":1,"do":"status"}\n' * 60, b'"E-CTL4","reply":"more than 50 requests', False),
    ]
    with harness.api("--latency", "50ms") as server, live_run(server, 100_000, "-c", "3") as (child, run):
        path = socket_of(run)
        for sent, wanted, is_closed in cases:
            with connect(path) as client:
                client.sendall(sent)
                line_of(client, wanted)
                if is_closed:
                    heard(client)
        with connect(path, b'{"hello":1}\n{"seq":1,"do":"cap') as half:  # and nothing more
            check(b'"hello":1' in line_of(half, b"hello"), "no hello")
        with connect(path) as silent:
            check_equal(heard(silent), b"", "who says nothing is closed in silence")
        check_equal(json.loads(harness.succeed("ctl", run).out)["cap"], 3, "somebody steered")
        harness.succeed("ctl", run, "abort")
        harness.finish(child)


def test_two_runs_of_one_name__and_stale_sockets__are_told_apart():
    with harness.api("--latency", "50ms") as server:
        with live_run(server, 100_000) as (first, run):
            path = socket_of(run)
            with live_run(server, 100_000, name="sub/a.run") as (second, other):
                listed = harness.succeed("ls").out.decode()
                check(run in listed and other in listed, "ls:", listed)
                several = harness.run("attach", "--plain")
                check(several.code == 2 and b"E-CTL9" in several.err and b"2 runs are live" in several.err, several)
                harness.succeed("ctl", other, "cap 4")
                check_equal(json.loads(harness.succeed("ctl", run).out)["cap"], 10, "the other run was steered")
                harness.succeed("ctl", other, "abort")
                harness.finish(second)
            first.kill()
            first.wait()
        check(os.path.exists(path), "a killed run leaves its socket")
        gone = harness.run("ctl", run, "status")
        check(gone.code == 4 and b"E-CTL6" in gone.err, "what is left of it:", gone)
        with live_run(server, 100_000) as (again, run):
            wait_for(lambda: not os.path.exists(path), "the next run clears it")
            wait_for(lambda: harness.run("ctl", run, "status").code == 0, "the next run answers")
            harness.succeed("ctl", run, "abort")
            harness.finish(again)


def warned(server, name, **options):
    ended = harness.succeed("run", "--plain", "-o", scratch(name), f"{server.url}/posts/[1-5]", **options)
    check(b"W-CTL1" in ended.err, "no warning:", ended)
    return ended


def test_no_place_for_the_socket__is_a_warning__and_the_run_goes_on():
    with harness.api() as server:
        long = scratch("x" * 120)
        os.makedirs(long, mode=0o700)
        check(b"too long" in warned(server, "l.run", env=harness.environment(XDG_RUNTIME_DIR=long)).err, "too long")
        target, link = scratch("target"), scratch("linked")
        os.makedirs(target)
        os.makedirs(link)
        os.symlink(target, os.path.join(link, "scrapetop"))
        check(b"0700" in warned(server, "s.run", env=harness.environment(XDG_RUNTIME_DIR=link)).err, "a link")
        check_equal(os.listdir(target), [], "what a link led to")
        missing = warned(server, "m.run", env=harness.environment(XDG_RUNTIME_DIR=scratch("nowhere")))
        check(b"E-CTL5" in missing.err or b"cannot make" in missing.err, missing)


# --- (h) ---------------------------------------------------------------------------------------------


class Manager:
    """What systemd does for Type=notify, WatchdogSec and Restart=on-failure."""

    def __init__(self, arguments, watchdog_us):
        self.name = scratch("manager")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.name)
        self.arguments, self.watchdog_us = arguments, watchdog_us
        self.starts = self.watchdog_kills = 0
        self.told = b""
        self.start()

    def start(self):
        self.starts += 1
        self.child = harness.scrapetop(*self.arguments, stderr=subprocess.DEVNULL,
                                       env=harness.environment(NOTIFY_SOCKET=self.name, WATCHDOG_USEC=str(self.watchdog_us)))
        self.alive = time.monotonic() + 20  # it has time to begin

    def turn(self):
        """Hears a word, or loses its patience. False: the service has ended well."""
        self.socket.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            word = self.socket.recv(4096)
            self.told += word + b"\n"
            if b"WATCHDOG=1" in word:
                self.alive = time.monotonic() + self.watchdog_us / 1e6
        if self.child.poll() is None and time.monotonic() > self.alive:
            self.watchdog_kills += 1
            self.child.send_signal(signal.SIGABRT)
            self.child.send_signal(signal.SIGCONT)  # a stopped process is killed by systemd's second signal
            self.child.wait()
        if self.child.poll() is not None:
            if self.child.returncode in (0, 3, 7):
                return False
            self.start()
        return True

    def until(self, condition, what):
        end = time.monotonic() + harness.HANG_S
        while not condition():
            check(self.turn() or condition(), "it ended before", what)
            check(time.monotonic() < end, "never:", what)


def test_service__that_hangs__is_restarted_and_loses_nothing():
    urls = 150
    with harness.api("--latency", "30ms") as server:
        manager = Manager(["run", "--plain", "-o", scratch("w.run"), "-c", "2", f"{server.url}/posts/[1-{urls}]"], 4_000_000)
        manager.until(lambda: b"READY=1" in manager.told and b"STATUS=" in manager.told, "it is under way")
        manager.until(lambda: server.count() > 20, "some requests")
        manager.child.send_signal(signal.SIGSTOP)
        manager.until(lambda: manager.starts == 2, "it is begun again")
        while manager.turn():
            pass
        check_equal((manager.starts, manager.watchdog_kills), (2, 1), "starts, and kills by the watchdog")
        check_equal(manager.child.returncode, 0, "exit code")
        check(re.search(rb"STATUS=[^\n]*%d" % urls, manager.told), "no status")
        check_equal(len(list(harness.raw_lines(scratch("w.run")))), urls, "bodies")
        harness.succeed("verify", scratch("w.run"))


if __name__ == "__main__":
    harness.main(globals())
