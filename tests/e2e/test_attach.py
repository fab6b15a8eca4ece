"""Runs that are come back to: attach, ctl, ls, and what clients of the control socket cannot do to a run."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading

import harness
from harness import check, check_equal, scratch, wait_for
from live import ctl, live_run, socket_of

SECRET = "planted-token-8417-x"


def test_ctl__steers_and_looks__from_another_process():
    with harness.api("--latency", "100ms") as server, live_run(server, 100_000, "-c", "3") as (child, run):
        check_equal(ctl(run, "cap", "7").out, b"done\n", "the reply to cap 7")
        frame = json.loads(ctl(run).out)
        check_equal(frame["cap"], 7, "cap")
        check_equal(frame["state"], "running", "state")
        check_equal(frame["total"], 100_000, "total")
        refused = ctl(run, "dance", code=2)
        check(b"E-CTL1" in refused.err and b"no such command" in refused.err, refused)
        check(b"want" in ctl(run, "rate", "fast", code=2).err, "a bad rate")
        check(re.search(rb"(?m)^pause: ", ctl(run, "help").out), "help lists no words")
        ctl(run, "pause")
        wait_for(lambda: json.loads(ctl(run).out)["state"] == "paused", "paused")
        listed = harness.succeed("ls").out.decode()
        check(re.search(rf"{child.pid} .*PAUSED .*/100000 .*{run}", listed), "ls does not list it:", listed)
        check_equal(json.loads(harness.succeed("ls", "--json").out)["pid"], child.pid, "pid")
        ctl(run, "resume")
        ctl(run, "drain")
        ended = harness.finish(child)
        check_equal(ended.code, 7, "exit code of a drained run")
        check(b"cap 7" in ended.err, "its own lines do not tell who steered:", ended)
    check(not os.path.exists(os.path.join(run, "control")), "the control file stays behind")
    check_equal(ctl(run, "pause", code=4).out, b"", "a run that is gone answers")
    check(b"no run of this user is live" in harness.succeed("ls").err, "ls lists what is gone")


def test_follow__prints_json_lines__and_ends_with_the_exit_code_of_the_run():
    with harness.api("--latency", "20ms") as server, live_run(server, 200, "-c", "4") as (child, run):
        totals = harness.scrapetop("ctl", run, "--follow", "totals", stdout=subprocess.PIPE)
        events = harness.scrapetop("ctl", run, "--follow", "events", stdout=subprocess.PIPE)
        check_equal(harness.finish(child).code, 0, "exit code of the run")
        seen = [json.loads(line) for line in harness.finish(totals).out.splitlines()]
        check_equal(totals.returncode, 0, "exit code of ctl")
        check(seen and all(one["total"] == 200 for one in seen), "no totals")
        told = [json.loads(line) for line in harness.finish(events).out.splitlines()]
        check(any(one["event"] == "end" for one in told), "no event of the end")


def test_attach__shows_the_same_and_steers__and_leaving_ends_nothing():
    with harness.api("--latency", "50ms") as server:
        urls = 900
        arguments = [harness.BINARY, "run", "-o", scratch("d.run"), "-c", "2", f"{server.url}/posts/[1-{urls}]"]
        with harness.terminal(["/bin/bash", "--norc", "-i"]) as shell:
            shell.keys(f"PS1='ready> '; {' '.join(arguments)}\r")
            shell.wait_text(r"RUN .*\bcap 2\b")
            shell.keys("D")
            shell.wait_text(r"scrapetop attach comes back")
            shell.keys("y")
            shell.wait_text(r"come back: scrapetop attach ")
        # That terminal is gone; the run is not.
        with harness.terminal([harness.BINARY, "attach"]) as one, \
                harness.terminal([harness.BINARY, "attach", "-r", scratch("d.run")]) as other:
            one.wait_text(r"RUN .*\bcap 2\b")
            other.wait_text(r"RUN .*\bcap 2\b")
            one.keys("++")
            one.wait_text(r"RUN .*\bcap 4\b")
            other.wait_text(r"RUN .*\bcap 4\b")
            other.keys("+")
            one.keys("p")
            one.wait_text(r"PAUSED")
            other.wait_text(r"PAUSED .*\bcap 4\b")
            one.keys("p")
            one.wait_text(r"\bRUN\b")
            one.keys("q")
            check_equal(one.exit_code(), 0, "exit code of who leaves")
            check(b"the run goes on" in one.raw, "no word on the run")
            other.keys("]]]")  # it may only look: the keys are not there
            other.send(signal.SIGINT)
            check_equal(other.exit_code(), 0, "exit code of who leaves by Ctrl-C")
        ctl(scratch("d.run"), "cap 40")
        with harness.terminal([harness.BINARY, "attach", scratch("d.run")]) as last:
            last.wait_text(r"cap 40")
            check_equal(last.exit_code(), 0, "the exit code of the run, to whoever sees its end")
            check(b"the run has ended" in last.raw, "no word on the end")
        check_equal(server.count(), urls, "requests")
        check_equal(len(list(harness.raw_lines(scratch("d.run")))), urls, "bodies")
        harness.succeed("verify", scratch("d.run"))


def test_screens__tell_how_many_are_attached():
    with harness.api("--latency", "50ms") as server:
        with harness.terminal([harness.BINARY, "run", "-o", scratch("n.run"), f"{server.url}/posts/[1-100000]"]) as own:
            own.wait_text(r"RUN .*\bcap 10\b")
            check("attached" not in own.text(), "nobody is attached:", own.text())
            with harness.terminal([harness.BINARY, "attach", scratch("n.run")]) as one, \
                    harness.terminal([harness.BINARY, "attach", "-r", scratch("n.run")], rows=40, columns=120) as other:
                own.wait_text(r"attached 2")
                one.wait_text(r"attached 2")
                other.wait_text(r"attached 2")
                one.keys("q")
                check_equal(one.exit_code(), 0, "exit code of who leaves")
                own.wait_text(r"attached 1")
                other.keys("q")
                check_equal(other.exit_code(), 0, "exit code of who leaves")
            own.wait(lambda: "attached" not in own.text(), "all have left")
            own.keys("qq")
            own.exit_code()


def test_attach__asks_before_it_ends_a_run():
    with harness.api("--latency", "50ms") as server, live_run(server, 100_000) as (child, run):
        with harness.terminal([harness.BINARY, "attach", run]) as shown:
            shown.wait_text(r"RUN ")
            shown.keys("Q")
            shown.wait_text(r"end the run: ")
            shown.keys("n")
            shown.keys("Q")
            shown.wait_text(r"end the run: ")
            shown.keys("y")
            check_equal(shown.exit_code(), 7, "the exit code of the run")
        check_equal(harness.finish(child).code, 7, "exit code of a drained run")


def test_attach__tells_that_a_run_was_killed():
    with harness.api("--latency", "50ms") as server, live_run(server, 100_000) as (child, run):
        with harness.terminal([harness.BINARY, "attach", run]) as shown:
            shown.wait_text(r"RUN ")
            child.send_signal(signal.SIGKILL)
            child.wait()
            check_equal(shown.exit_code(), 4, "exit code")
            check(b"the run is gone" in shown.raw, "no word on it")
        # What it left behind neither hides the next one nor hinders it.
        with live_run(server, 100_000) as (again, run):
            wait_for(lambda: harness.run("ctl", run, "status").code == 0, "the next run answers")
            ctl(run, "abort")
            harness.finish(again)


FAKE_SSH = """#!/bin/sh
# What ssh would do, without a network: the command of HOST, once nobody holds the gate.
echo "$*" >> {log}
while [ -e {gate} ]; do sleep 0.05; done
while [ "$1" != -- ]; do shift; done
shift 2
echo "Welcome to the far machine"
exec "$@"
"""


def fake_ssh(log, gate):
    """A directory whose ssh stays on this machine."""
    place = scratch("far")
    os.makedirs(place)
    with open(os.path.join(place, "ssh"), "w", encoding="utf-8") as script:
        script.write(FAKE_SSH.format(log=log, gate=gate))
    os.chmod(script.name, 0o755)
    os.symlink(harness.BINARY, os.path.join(place, "scrapetop"))
    return f"{place}:{os.environ['PATH']}"


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def test_attach_by_ssh__connects_anew__while_its_keys_answer():
    log, gate = scratch("ssh.log"), scratch("gate")
    path = fake_ssh(log, gate)
    with harness.api("--latency", "50ms") as server, live_run(server, 100_000) as (child, run):
        with harness.terminal([harness.BINARY, "attach", f"far.example.org:{run}"], env={"PATH": path}) as shown:
            shown.wait_text(r"RUN .*\bcap 10\b")
            shown.keys("+")
            shown.wait_text(r"\bcap 11\b")
            with open(gate, "w", encoding="ascii"):
                pass
            for pid in children_of(shown.pid):
                os.kill(pid, signal.SIGKILL)
            shown.wait_text(r"no frames for \d+ s; reconnecting, try 1")
            shown.keys("?")  # nothing waits for the connection
            shown.wait_text(r"Keys .*searches")
            shown.keys("?")
            os.remove(gate)
            shown.wait(lambda: "reconnecting" not in shown.text(), "frames again")
            shown.keys("+")
            shown.wait_text(r"\bcap 12\b")
            shown.keys("q")
            check_equal(shown.exit_code(), 0, "exit code of who leaves")
        first, again = harness.read(log).decode().splitlines()[:2]
        check("BatchMode" not in first, "the first may ask for a password:", first)
        check("BatchMode=yes" in again, "no other may:", again)
        ctl(run, "abort")
        harness.finish(child)


def test_ctl_stdio__hears_all_answers__though_its_input_has_ended():
    with harness.api("--latency", "50ms") as server, live_run(server, 100_000) as (child, run):
        asked = b'{"hello":1}\n{"seq":1,"do":"cap 17"}\n{"seq":2,"do":"status"}\n{"seq":3,"report":true}\n'
        heard = harness.run("ctl", run, "--stdio", stdin=asked)
        check_equal([json.loads(line).get("seq") for line in heard.out.splitlines()], [None, 1, 2, 3], "answers")
        check_equal(json.loads(ctl(run).out)["cap"], 17, "cap")
        ctl(run, "abort")
        harness.finish(child)


def test_runs_that_do_not_answer__or_speak_otherwise__are_told_apart():
    with harness.api("--latency", "50ms") as server, live_run(server, 100_000) as (child, run):
        child.send_signal(signal.SIGSTOP)
        stopped = ctl(run, code=1)  # it is live, so that it is not 4
        check(b"E-CTL8" in stopped.err and b"does not answer" in stopped.err, stopped)
        child.send_signal(signal.SIGCONT)
        wait_for(lambda: harness.run("ctl", run, "status").code == 0, "it answers again")
        ctl(run, "abort")
        harness.finish(child)
    path = scratch("other.sock")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()

        def answer():
            with other.accept()[0] as client:
                client.recv(1000)
                client.sendall(b'{"ok":false,"error":"E-CTL3","reply":"this run speaks version 9"}\n')

        thread = threading.Thread(target=answer)
        thread.start()
        newer = ctl(path, "status", code=2)
        thread.join()
        check(b"E-CTL3" in newer.err and b"version 9" in newer.err, newer)


def test_attach__is_left_by_a_key__though_the_run_never_stops_sending():
    path = scratch("endless.sock")
    frames = b'{"snapshot":{"name":"endless"}}\n' * 20000
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()

        def send():
            with contextlib.suppress(OSError), other.accept()[0] as client:
                client.recv(1000)
                client.sendall(b'{"hello":1,"as":"driver"}\n')
                while True:
                    client.sendall(frames)

        thread = threading.Thread(target=send)
        thread.start()
        with harness.terminal([harness.BINARY, "attach", path]) as shown:
            shown.wait_text("endless")
            shown.keys("q")
            check_equal(shown.exit_code(), 0, "exit code of who leaves")
        thread.join()


def test_no_socket__nobody_comes_back():
    with harness.api() as server:
        run = scratch("n.run")
        harness.succeed("run", "--plain", "--no-socket", "-o", run, f"{server.url}/posts/[1-5]")
        check(not os.path.exists(os.path.join(run, "control")), "there is a control file")
    place = scratch("not-ours")
    os.makedirs(os.path.join(place, "scrapetop"), mode=0o755)
    os.chmod(os.path.join(place, "scrapetop"), 0o755)
    with harness.api() as server:
        ended = harness.succeed("run", "--plain", "-o", scratch("m.run"), f"{server.url}/posts/[1-5]",
                                env=harness.environment(XDG_RUNTIME_DIR=place))
        check(b"W-CTL1" in ended.err and b"0700" in ended.err, "no warning:", ended)


def test_ls__without_a_live_run__lists_the_latest_at_rest():
    here = scratch("here")
    os.makedirs(here)
    with harness.api() as server:
        harness.succeed("run", "--plain", "-o", os.path.join(here, "well.run"), f"{server.url}/posts/[1-5]")
        harness.succeed("run", "--plain", "-o", os.path.join(here, "bad.run"), f"{server.url}/status/404", code=3)
        harness.run("run", "--plain", "-o", os.path.join(here, "cut.run"), "--max-requests", "2", f"{server.url}/posts/[1-9]")
    os.makedirs(os.path.join(here, "other.run"))  # no run
    with open(os.path.join(here, "other.run", "ledger.db"), "wb") as file:
        file.write(b"not a database")
    os.symlink("well.run", os.path.join(here, "link.run"))
    listed = harness.run("ls", cwd=here)
    check_equal(listed.code, 0, "exit code")
    rows = listed.out.decode().splitlines()[1:]
    check_equal([row.split()[-1] for row in rows], ["cut.run", "bad.run", "well.run"], "the latest first")
    check(re.match(r"STOPPED +2/9 ", rows[0]) and re.match(r"SOME FAILED +1/1 +1 ", rows[1]), "states", *rows)
    check(re.match(r"DONE +5/5 +0 +\d{4}-\d\d-\d\dT", rows[2]), "done", rows[2])
    check_equal(harness.run("ls", "--json", cwd=here).out, b"", "JSON of what is not live")
    check_equal(harness.run("ls", cwd="/").out, b"", "where there is none")


def test_secrets__are_in_no_frame():
    with harness.api("--latency", "30ms") as server:
        with live_run(server, 100_000, "-H", "Authorization: Bearer ${TOKEN}", TOKEN=SECRET) as (child, run):
            seen = b""
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(socket_of(run))
                client.settimeout(harness.HANG_S)
                client.sendall(b'{"hello":1,"frames":"snapshot","every_ms":100,"events":true}\n'
                               b'{"seq":1,"detail":"1"}\n{"seq":2,"report":true}\n')
                while seen.count(b'{"snapshot"') < 5 or b'"report"' not in seen:
                    seen += client.recv(65536)
            check(b'"place":"done"' in seen or b'"place":"in-flight"' in seen, "no detail came")
            check(SECRET.encode() not in seen and SECRET[:8].encode() not in seen, "the token is in a frame")
            ctl(run, "abort")
            harness.finish(child)


if __name__ == "__main__":
    harness.main(globals())
