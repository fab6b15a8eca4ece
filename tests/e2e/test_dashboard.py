"""The dashboard of a real run in a pseudo-terminal: keys, signals, sizes, stalls, hang-ups, hostile text."""

import contextlib
import glob
import http.server
import json
import os
import random
import re
import signal
import socket
import threading
import time

import harness
from harness import check, check_equal, scaled, scratch, wait_for

LEAVE = b"\x1b[?1049l"  # the end of the alternate screen
ASKS = b"\x1b]11;?\x1b\\\x1b[c"  # for the background's colour, and for the terminal's kind
CTRL_C, CTRL_L, CTRL_Z = "\x03", "\x0c", "\x1a"


def watch(server, urls, *options, **terminal_options):
    """A run with its dashboard on the screen and requests under way."""
    arguments = [harness.BINARY, "run", "-o", scratch("d.run"), *options, f"{server.url}/posts/[1-{urls}]"]
    return harness.terminal(arguments, **terminal_options)


def wait_cap(shown, cap):
    """The header's cap: the log below it tells of caps, too."""
    shown.wait_text(rf"RUN .*\bcap {cap} +(auto|rate)")


def in_flight(server):
    """Requests at work when the last one arrived."""
    asked = server.asked()
    return asked[-1].in_flight if asked else 0


# --- keys --------------------------------------------------------------------------------------------


def test_keys__steer_the_run__when_pressed():
    with harness.api("--latency", "100ms") as server, watch(server, 100_000) as shown:
        wait_cap(shown, 10)
        shown.keys("+")
        wait_cap(shown, 11)
        shown.wait(lambda: in_flight(server) == 11, "11 in flight")
        shown.keys("]")
        wait_cap(shown, 22)
        shown.keys("c7\r")
        wait_cap(shown, 7)
        check(b"draining" in shown.raw, "no word on the draining:", shown.text())
        shown.keys("p")
        shown.wait_text(r"PAUSED")
        shown.wait_text(r"In flight 0/7")
        before = server.count()
        shown.keys("?")
        shown.wait_text(r"double the cap")
        check_equal(server.count(), before, "requests seen while paused")
        shown.keys("?")
        shown.wait(lambda: "double the cap" not in shown.text(), "the help goes away")
        shown.keys("n")
        shown.wait_text(r"[0-9]+ rows x [0-9]+ col")
        shown.keys("p")
        shown.wait_text(r"\bRUN\b")
        shown.wait(lambda: server.count() > before + 7, "requests after the pause")
        shown.keys("q")
        check_equal(shown.exit_code(), 7, "exit code of a drained run")
    table = scratch("d.run/127.0.0.1.csv")
    check(harness.read(table).startswith(b"userId,id,title,body\n"), "no table in", table)
    check(b"resume with: scrapetop run -o" in shown.raw, "no word on how to resume")


def test_detach__gives_the_shell_its_terminal__and_the_run_goes_on():
    run = scratch("d.run")
    with harness.api("--latency", "20ms") as server, harness.terminal(["/bin/bash", "--norc", "-i"]) as shown:
        shown.keys(f"PS1='ready> '; {harness.BINARY} run -o {run} -c 2 {server.url}/posts/[1-500]\r")
        wait_cap(shown, 2)
        shown.keys("D")
        shown.wait_text(r"scrapetop attach comes back")
        shown.keys("y")
        shown.wait_text(r"detached; process \d+ goes on")
        shown.wait_text(r"come back: scrapetop attach ")
        shown.wait_text(r"ready> ")
        shown.keys("echo the shell is here\r")
        shown.wait_text(r"(?m)^the shell is here")
        check(server.count() < 500, "it ended before it was left alone")
        wait_for(lambda: (shown.pump(0), server.count() == 500)[1], "all requests, without a terminal")
        shown.wait_text(r"500/500 ok")
        shown.keys("stty -a | grep -o ' echo '\r")
        shown.wait_text(r"(?m)^ echo *$")


def test_words__steer_a_plain_run__when_typed():
    arguments = [harness.BINARY, "run", "--plain", "-o", scratch("w.run"), "-c", "3"]
    with harness.api("--latency", "50ms") as server:
        with harness.terminal([*arguments, f"{server.url}/posts/[1-100000]"]) as shown:
            shown.wait_text(r"commands may be typed")
            shown.keys("cap 12\r")
            shown.wait_text(r"cap 3 -> 12 by you")
            shown.wait(lambda: in_flight(server) == 12, "12 in flight")
            shown.keys("stat\r")
            shown.wait_text(r"/100000 .*cap 12")
            shown.keys("pause\r")
            shown.wait_text(r"paused: \d+ in flight finish")
            shown.keys("frobnicate\r")
            shown.wait_text(r"no such command")
            shown.keys("resume\r")
            shown.wait_text(r"resumed")
            shown.keys("quit\r")
            check_equal(shown.exit_code(), 7, "exit code of a drained run")
        check(b"\x1b" not in shown.raw, "an escape byte in plain lines")


def test_export__writes_the_rows_of_a_panel():
    with harness.api("--latency", "100ms") as server, watch(server, 100_000) as shown:
        wait_cap(shown, 10)
        shown.keys("7e")
        shown.wait_text(r"1 row written: hosts-[-0-9T]+\.csv")
    lines = [harness.read(path) for path in glob.glob(scratch("d.run/hosts-*.csv"))]
    check_equal(len(lines), 1, "files")
    check(lines[0].startswith(b"host,cap,in_flight,"), "no names in", lines[0])
    check(b"\n127.0.0.1:" in lines[0], "no host in", lines[0])


@contextlib.contextmanager
def changing_server(first):
    """Answers /1 to /first at once; the others, with a further column, once the event that it gives is set."""
    go_on = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            number = int(self.path[1:])
            body = {"id": number, "price": 1}
            if number > first:
                go_on.wait(harness.HANG_S)
                body = {"id": number, "price": "on request", "stock": 7}
            text = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, go_on
    finally:
        go_on.set()
        server.shutdown()


def test_drift__is_told__when_the_table_of_mid_run_is_made_anew():
    run = scratch("c.run")
    with changing_server(10) as (server, go_on):
        arguments = [harness.BINARY, "run", "-o", run, "-c", "1", f"{server.url}/[1-20]"]
        with harness.terminal(arguments, columns=120) as shown:
            shown.wait_text(r"\b10/20\b")
            shown.keys("n")
            shown.wait_text(r"10 rows x 2 col")
            go_on.set()  # the table of mid-run is made anew at the end
            shown.wait_text(r"20 rows x 3 col")
            shown.wait_text(r"DONE")
            shown.keys("q")
            shown.exit_code()
    told = [json.loads(line) for line in harness.read(os.path.join(run, "events.jsonl")).splitlines()]
    check_equal([event["text"] for event in told if event["event"] == "drift"],
                ["table: new since the last table: stock int64",
                 "table: changed since the last table: price text, was int64"], "drift in events.jsonl")
    report = harness.succeed("normalise", "--json", "-o", scratch("again.csv"), run).report()
    check_equal(report["drift"], {"new": [], "gone": [], "type": []}, "drift of the same table in another file")
    report = harness.succeed("normalise", "--json", "--columns", "id", "-o", scratch("few.csv"), run).report()
    check("drift" not in report, "a table of chosen columns is compared with one of all:", report)


def test_sweep__tries_caps_and_goes_on__when_b_is_pressed():
    with harness.api("--latency", "50ms") as server, watch(server, 100_000) as shown:
        wait_cap(shown, 10)
        shown.keys("b")
        shown.wait_text(r"sweep caps: 5,10,20,40")
        shown.keys("\x15" + "2,6\r")
        shown.wait_text(r"SWEEP 1/2 .*\bcap 2 ")
        shown.wait_text(r"SWEEP 2/2 .*\bcap 6 ")
        wait_cap(shown, 6)
        before = server.count()
        shown.wait(lambda: server.count() > before + 20, "requests after the sweep")
        shown.keys(":sweep 3,4\r")
        shown.wait_text(r"SWEEP 1/2 .*\bcap 3 ")
        shown.keys("b")
        wait_cap(shown, 6)
        shown.keys("q")
        check_equal(shown.exit_code(), 7, "exit code")
    events = harness.read(scratch("d.run/events.jsonl")).decode()
    check('"text":"sweep: cap 2 gives ' in events and '"text":"sweep: cap 6 gives ' in events,
          "what a step gave is not told")
    check('"text":"cap 6 -> 6 ' not in events and "6 is the smallest within 5 %" in events, events)
    stored = sum(1 for _ in harness.raw_lines(scratch("d.run")))
    check_equal(stored, server.count(), "what the sweep fetched is kept")


def test_quit__exits_with_the_runs_code__when_done_failed_or_aborted():
    with harness.api() as server:
        with watch(server, 20) as shown:
            shown.wait_text(r"DONE")
            shown.keys("q")
            check_equal(shown.exit_code(), 0, "exit code when all is well")
        arguments = [harness.BINARY, "run", "-o", scratch("f.run"), f"{server.url}/status/404"]
        with harness.terminal(arguments) as shown:
            shown.wait_text(r"FAILED|1 failed|failed 1")
            shown.keys("q")
            check_equal(shown.exit_code(), 3, "exit code when a request failed")
    with harness.api("--latency", "60s", name="slow") as server:
        arguments = [harness.BINARY, "run", "-o", scratch("a.run"), f"{server.url}/posts/[1-50]"]
        with harness.terminal(arguments) as shown:
            shown.wait_text(r"In flight 10/10")
            shown.keys("q")
            shown.wait_text(r"DRAIN")
            shown.keys(CTRL_C)
            check_equal(shown.exit_code(), 130, "exit code when aborted")


# --- signals, sizes ----------------------------------------------------------------------------------


def test_signals__change_the_cap__when_usr1_and_usr2():
    with harness.api("--latency", "100ms") as server, watch(server, 100_000) as shown:
        wait_cap(shown, 10)
        shown.send(signal.SIGUSR1)
        wait_cap(shown, 11)
        shown.send(signal.SIGUSR2)
        wait_cap(shown, 10)
        shown.send(signal.SIGUSR2)
        wait_cap(shown, 9)


def test_ctrl_z__stops_and_redraws__when_continued():
    with harness.api("--latency", "50ms") as server, watch(server, 100_000) as shown:
        shown.wait_text(r"\bRUN\b")
        shown.keys(CTRL_Z)
        shown.wait(lambda: harness.state_of(shown.pid) == "T", "the process to stop")
        # What it wrote before it stopped may come later: a kernel thread carries it.
        shown.wait(lambda: LEAVE in shown.raw[-200:], "the terminal to be given back")
        before = server.count()
        shown.screen.reset()
        shown.send(signal.SIGCONT)
        shown.wait_text(r"\bRUN\b")
        shown.wait_text(r"In flight 10/10")
        shown.wait(lambda: server.count() > before + 20, "requests after the stop")
        shown.keys("q")
        check_equal(shown.exit_code(), 7, "exit code")
    report = harness.run("status", scratch("d.run"))
    check("failed    0" in report.out.decode(), "the stop cost requests:", report)


def test_resize__redraws__when_any_size():
    chance = random.Random(1)
    with harness.api("--latency", "50ms") as server, watch(server, 100_000) as shown:
        for rows, columns in ((40, 120), (10, 40), (60, 200), (24, 80)):
            shown.resize(rows, columns)
            shown.wait(lambda: "cap" in shown.text() and shown.screen.columns == columns,
                       f"a picture at {columns}x{rows}")
        for _ in range(scaled(300, 60)):
            shown.resize(chance.randrange(1, 100), chance.randrange(1, 300))
            shown.pump(0.001)
        shown.resize(1, 1)
        shown.pump()
        check(shown.alive(), "ended at 1x1")
        shown.resize(24, 80)
        shown.keys(CTRL_L)
        wait_cap(shown, 10)
        shown.keys("q")
        check_equal(shown.exit_code(), 7, "exit code")


# --- terminals that stall or go away -------------------------------------------------------------------


def test_stalled_terminal__stops_no_transfer__when_nobody_reads():
    with harness.api("--latency", "20ms") as server, watch(server, 100_000) as shown:
        shown.wait_text(r"\bRUN\b")
        # Every ^L asks for a whole picture: far more bytes than the pipe takes.
        for _ in range(100):
            before = server.count()
            shown.keys(CTRL_L)
            wait_for(lambda before=before: server.count() > before, "requests while nobody reads")
        before = server.count()
        wait_for(lambda: server.count() > before + scaled(1000, 200), "requests while nobody reads")
        shown.keys("q")
        shown.wait_text(r"DRAIN|resume with")
        check_equal(shown.exit_code(), 7, "exit code")


def test_hang_up__lets_the_run_finish_without_spinning__when_terminal_closes():
    urls = scaled(400, 150)
    with harness.api("--latency", "100ms") as server, watch(server, urls) as shown:
        shown.wait_text(r"\bRUN\b")
        shown.hang_up()
        cpu_s, began = harness.cpu_s(shown.pid), time.monotonic()
        before = server.count()
        check(before < urls, "the run was over before the terminal was")
        wait_for(lambda: server.count() >= min(before + 100, urls - 20), "requests after the hang-up")
        share = (harness.cpu_s(shown.pid) - cpu_s) / (time.monotonic() - began)
        check(share < scaled(0.3, 0.9), f"uses {100 * share:.0f} % of a core: it spins")
        wait_for(lambda: not shown.alive(), "the end of the run")
        check_equal(shown.code, 0, "exit code")
        check_equal(len(harness.bodies(scratch("d.run"))), urls, "bodies")


def test_terminal__is_as_it_was__when_the_dashboard_ends():
    script = 'stty -a; echo "<$?>"; "$@"; echo "<$?>"; stty -a; echo "<$?>"'
    with harness.api() as server:
        arguments = ["/bin/sh", "-c", script, "sh", harness.BINARY, "run", "-o", scratch("d.run"),
                     f"{server.url}/posts/[1-20]"]
        with harness.terminal(arguments) as shown:
            shown.wait_text(r"DONE")
            shown.keys("q")
            check_equal(shown.exit_code(), 0, "exit code of the shell")
    before, run, after, _ = re.split(rb"<[0-9]+>", shown.raw)
    check(b"icanon" in before, "stty said", before)
    check_equal(after.strip(), before.strip(), "stty -a after the run")
    check(LEAVE in run, "the alternate screen was not left")
    check(run.rfind(b"\x1b[?25h") > run.rfind(b"\x1b[?25l"), "the cursor is hidden")


# --- hostile text ----------------------------------------------------------------------------------------

PAYLOADS = [b"\x1b]0;PWN\x07", b"\x1b]52;c;UFdO\x07", b"\x1b[2JPWN", b"\x1bPqPWN\x1b\\", b"\x1b_PWN\x1b\\",
            b"\x9b31mPWN", b"\xc2\x9b31mPWN", b"\xc2\x9d0;PWN\x9c", b"PWN\rPWN\x08\x08\x7f",
            b"\xe2\x80\xaePWN", b"\xff\xfePWN", b"PWN\x00PWN"]

# What ncurses makes of a picture on an xterm: colours, moves, erasing, modes, charsets, the title's stack.
OURS = re.compile(rb"\x1b\[[0-9;?>]*[ABCDGHJKLMPSTXZ@dfhlmnrt]|\x1b[()][0AB]|\x1b[=>78MDEH]")


class HostileServer:
    """Answers each request with a payload as status line, type and body; a thread of its own."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                head = connection.recv(65536)
                number = int(re.match(rb"GET /(\d+)", head).group(1))
                payload = PAYLOADS[number % len(PAYLOADS)]
                line = payload.replace(b"\r", b"").replace(b"\x00", b"")
                status = b"404 " if number // len(PAYLOADS) % 2 else b"200 "
                connection.sendall(b"HTTP/1.1 " + status + line + b"\r\nContent-Type: " + line +
                                   b"\r\nRetry-After: " + line + b"\r\nConnection: close\r\n"
                                   b"Content-Length: %d\r\n\r\n" % len(payload) + payload)

    def stop(self):
        self.socket.close()


def check_only_ours(raw):
    rest = OURS.sub(b"", raw)
    check(b"\x1b" not in rest, "a foreign escape:", rest[max(0, rest.find(b"\x1b") - 20):][:60])
    controls = set(re.findall(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]", rest)) - {
        b"\x08", b"\x0e", b"\x0f"}  # moves and charsets, too
    check(not controls, "control characters", controls)
    check("\u202e".encode() not in raw, "a right-to-left override")
    raw.decode("utf-8")  # nothing that is not UTF-8


def test_hostile_text__is_shown_harmless__when_server_sends_escapes():
    server = HostileServer()
    count = 2 * len(PAYLOADS)
    names = [f'{{"name":"n{n}\\u001b]0;PWN\\u0007","url":"http://127.0.0.1:{server.port}/{n}"}}\n'
             for n in range(count)]
    plain = [f"http://127.0.0.1:{server.port}/{n}?%1b]0;PWN%07\n" for n in range(count)]
    with open(scratch("list"), "w", encoding="ascii") as file:
        file.writelines(plain)
    with open(scratch("names"), "w", encoding="ascii") as file:
        file.writelines(names)
    for given in ("list", "names"):
        arguments = [harness.BINARY, "run", "-o", scratch(f"{given}.run"), "--retries", "1", "--backoff",
                     "10ms", "-i", scratch(given)]
        with harness.terminal(arguments, rows=50, columns=200) as shown:
            shown.wait(lambda: "DONE" in shown.text() or "FAILED" in shown.text() or not shown.alive(),
                       "the end of the run")
            if shown.alive():
                for panel in "12345678":
                    shown.keys(panel + "z")
                    while shown.pump(0.1):
                        pass
                    shown.keys("z")
                shown.keys("n")
                while shown.pump(0.1):
                    pass
                shown.keys("q")
            shown.exit_code()
            check_equal(shown.raw.count(ASKS), shown.raw.count(b"\x1b[?1049h"), "questions for the background")
            check_only_ours(shown.raw.replace(ASKS, b""))
        ended = harness.run("run", "--plain", "-o", scratch(f"{given}-plain.run"), "--retries", "0", "-i",
                            scratch(given))
        check(b"\x1b" not in ended.out + ended.err, "an escape byte in plain lines:", ended)
        for reader in ("status", "verify"):
            said = harness.run(reader, scratch(f"{given}-plain.run")) if os.path.exists(
                scratch(f"{given}-plain.run")) else ended
            check(b"\x1b" not in said.out + said.err, "an escape byte of", reader, said)
    server.stop()


if __name__ == "__main__":
    harness.main(globals())
