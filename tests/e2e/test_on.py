"""Rules by event: what a run does by itself when a figure of it passes a limit."""

import json
import os
import re
import subprocess
import threading

import harness
import peer
from harness import check, check_equal, scratch, wait_for
from live import ctl

LATER = "429 Too Many Requests"


def events(run, kind):
    with open(os.path.join(run, "events.jsonl"), encoding="utf-8") as file:
        return [e for e in map(json.loads, file) if e["event"] == kind]


def job(name, server, rules, count, **more):
    path = scratch(f"{name}.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump({"name": name, "base": server.url, "vars": {"id": f"[1-{count}]"},
                   "endpoints": [{"url": "/a/{id}"}], "on": rules, **more}, file)
    return path


class Gate:
    """Answers some requests, and the others when it is opened."""

    def __init__(self, answers):
        self.free = answers
        self.opened = threading.Event()
        self.server = peer.Peer(self.answer)

    def answer(self, ask):
        if ask.number > self.free:
            self.opened.wait(harness.HANG_S)
        return peer.reply()


def test_share_of_429__lowers_the_cap_once__and_the_report_counts_it():
    server = peer.Peer(lambda ask: peer.reply(status=LATER, headers=["Retry-After: 0"]) if 15 <= ask.number < 20
                       else peer.reply())
    run = scratch("share.run")
    ended = harness.succeed("run", "--plain", "--json", "-c", "8", "-o", run, "--no-socket",
                            job("share", server, [{"when": "429 > 2%", "do": "cap /2"}], 120, pace={"cap": 8},
                                retry={"backoff": "10ms:20ms"}),
                            "--rate", "60/s", "--on", "elapsed >= 0s: say it has begun")
    fired = events(run, "on")
    check_equal([(e["do"], e["level"], e["code"]) for e in fired if e["on"] == 2],
                [("say it has begun", "notice", "N-ON1")], "what is only said")
    ours = [e for e in fired if e["on"] == 1]
    check_equal(len(ours), 1, "times that the rule fired")
    check_equal((ours[0]["when"], ours[0]["do"], ours[0]["level"], ours[0]["code"]),
                ("429 > 2%", "cap /2", "warning", "W-ON1"), "event")
    check(re.fullmatch(r"on-rule 1: 429 > 2% \(it is [0-9.]+ %\): cap /2 \[W-ON1\]", ours[0]["text"]), ours[0]["text"])
    caps = events(run, "cap")
    check_equal([(e["from"], e["cap"]) for e in caps], [(8, 4)], "changes of the cap")
    check("by on-rule 1" in caps[0]["text"], caps[0])
    check_equal([(r["number"], r["fired"]) for r in ended.report()["on"]], [(1, 1), (2, 1)], "report")
    check(b"on-rule 1 fired 1 time: 429 > 2%: cap /2" in ended.err, ended)


def test_bad_rule__is_refused__before_the_first_request():
    server = peer.Peer(lambda ask: peer.reply())
    ended = harness.succeed("run", "--plain", "-o", scratch("bad.run"),
                            job("bad", server, [{"when": "faild > 5%", "do": "pause"}, {"when": "failed > 5%"},
                                                {"when": "p95 > 5%", "do": "pause"}], 3), code=2)
    check(re.search(rb"bad\.json:1:\d+: \"on\": \"faild\" .*did you mean \"failed\"", ended.err), ended)
    check(b'wants "when" and "do"' in ended.err and b"want a time, such as 800ms" in ended.err, ended)
    ended = harness.succeed("run", "--plain", "-o", scratch("bad.run"), f"{server.url}/a", "--on", "failed > 5%: paus",
                            code=2)
    check(b'did you mean "pause"' in ended.err and b"--on" in ended.err, ended)
    check_equal(server.total(), 0, "requests")


def test_pause__lasts_until_a_rule_resumes__where_somebody_could_come_back():
    gate = Gate(40)
    run = scratch("pause.run")
    child = harness.scrapetop("run", "--plain", "-o", run, "-c", "1",
                              job("pause", gate.server, [{"when": "done_total >= 40", "do": "pause"},
                                                         {"when": "paused >= 1s", "do": "resume"}], 60))
    wait_for(lambda: os.path.exists(os.path.join(run, "events.jsonl")) and events(run, "pause"), "a pause")
    gate.opened.set()
    check_equal(child.wait(harness.HANG_S), 0, "exit code")
    check("by on-rule 1" in events(run, "pause")[0]["text"], events(run, "pause"))
    check("by on-rule 2" in events(run, "resume")[0]["text"], events(run, "resume"))
    check_equal(gate.server.total(), 60, "requests")


def test_pause__drains__where_nobody_could_resume():
    gate = Gate(5)
    run = scratch("alone.run")
    child = harness.scrapetop("run", "--plain", "--no-socket", "-o", run, "-c", "1",
                              job("alone", gate.server, [{"when": "done_total >= 5", "do": "pause"}], 9))
    wait_for(lambda: os.path.exists(os.path.join(run, "events.jsonl")) and events(run, "drain"), "a drain")
    gate.opened.set()
    check_equal(child.wait(harness.HANG_S), 7, "exit code")
    check_equal(events(run, "pause"), [], "pauses")
    check_equal(events(run, "drain")[0]["code"], "W-ON2", "code")


def test_pause__is_over__when_who_could_type_resume_has_ended_his_input():
    gate = Gate(5)
    run = scratch("typed.run")
    path = job("typed", gate.server, [{"when": "done_total >= 5", "do": "pause"}], 9)
    with harness.terminal([harness.BINARY, "run", "--plain", "--no-socket", "-o", run, "-c", "1", path]) as shown:
        shown.wait(lambda: os.path.exists(os.path.join(run, "events.jsonl")) and events(run, "pause"), "a pause")
        gate.opened.set()
        shown.keys("\x04")
        check_equal(shown.exit_code(), 0, "exit code")
    check_equal(gate.server.total(), 9, "requests")


def test_rate_off__is_no_warning__and_a_rate_is_one():
    gate = Gate(0)
    run = scratch("rates.run")
    child = harness.scrapetop("run", "--plain", "-o", run, "--on", "elapsed >= 0s: rate 50/s",
                              "--on", "elapsed > 1ms: rate off", f"{gate.server.url}/[1-3]")
    wait_for(lambda: os.path.exists(os.path.join(run, "events.jsonl")) and len(events(run, "on")) == 2, "both rules")
    gate.opened.set()
    check_equal(child.wait(harness.HANG_S), 0, "exit code")
    check_equal({e["do"]: (e["level"], e["code"]) for e in events(run, "on")},
                {"rate 50/s": ("warning", "W-ON1"), "rate off": ("notice", "N-ON1")}, "levels")


def test_stop__is_an_error__and_the_run_can_be_resumed():
    server = peer.Peer(lambda ask: peer.reply(status="404 Gone") if ask.number <= 30 else peer.reply())
    run, path = scratch("stop.run"), job("stop", server, [{"when": "failed > 25", "do": "stop"}], 2000,
                                         pace={"rate": "100/s"})
    ended = harness.succeed("run", "--plain", "--json", "-o", run, path, code=4)
    check_equal(ended.report()["stopped_code"], "E-ON4", "code")
    check(server.total() < 2000, "it went on")
    count = server.total()
    harness.succeed("run", "--plain", "-o", run, path, "--rate", "off", code=3)
    check_equal(server.total(), 2000, f"requests, after {count}")


def test_ctl__lists_adds_and_removes__for_this_session():
    gate = Gate(3)
    run = scratch("ctl.run")
    child = harness.scrapetop("run", "--plain", "-o", run, "-c", "1",
                              job("ctl", gate.server, [{"when": "failed > 5%", "do": "pause"}], 9),
                              "--on", "idle > 10m: drain")
    wait_for(lambda: harness.run("ctl", run, "on").code == 0, "an answer")
    check_equal(ctl(run, "on").out.splitlines()[0], b"1: failed > 5%: pause; fired 0 times; it is not known yet", "the list")
    check(b"2: idle > 10m: drain; fired 0 times; it is" in ctl(run, "on").out, ctl(run, "on"))
    check(b"on-rule 3, for this session" in ctl(run, "on", "add", "elapsed > 0s: say hello").out, "added")
    wait_for(lambda: events(run, "on"), "the new rule fires")
    check(b"3: elapsed > 0s: say hello; fired 1 time; it is" in ctl(run, "on").out, ctl(run, "on"))
    live = json.loads(ctl(run).out)
    check_equal([(r["number"], r.get("fired"), r.get("is_added")) for r in live["ons"]],
                [(1, None, None), (2, None, None), (3, 1, True)], "snapshot")
    check(any("on-rule 3: elapsed > 0s (it is" in e["text"] for e in live["events"]), "not in the screen's events")
    check(b"that is on-rule 1 already" in ctl(run, "on", "add", "failed > 5%: pause", code=2).err, "twice")
    check(b'did you mean "failed"' in ctl(run, "on", "add", "faild > 5%: pause", code=2).err, "bad rule")
    check(b"want nothing, add WHEN: DO, or remove N" in ctl(run, "on", "fire", code=2).err, "bad word")
    check(b"there is no on-rule 9" in ctl(run, "on", "remove", "9", code=2).err, "bad number")
    check(b"on-rule 2 is gone" in ctl(run, "on", "remove", "2").out, "removed")
    check_equal([r["number"] for r in json.loads(ctl(run).out)["ons"]], [1, 3], "numbers stay")
    gate.opened.set()
    check_equal(child.wait(harness.HANG_S), 0, "exit code")
    check_equal([e["on"] for e in events(run, "on-added")], [3], "added, told")
    check_equal([e["on"] for e in events(run, "on-removed")], [2], "removed, told")
    stored = json.loads(harness.read(os.path.join(run, "job.json")))
    check_equal(stored["on"], [{"when": "failed > 5%", "do": "pause"},
                               {"typed": True, "when": "idle > 10m", "do": "drain"}], "the stored job")


def test_detached_run__keeps_its_rules__and_a_pause_lasts_until_somebody_comes_back():
    gate = Gate(6)
    run = scratch("detached.run")
    harness.succeed("run", "--detach", "-o", run, "-c", "1",
                    job("detached", gate.server, [{"when": "done_total >= 6", "do": "pause"}], 9))
    wait_for(lambda: events(run, "pause"), "a pause")
    gate.opened.set()
    attached = harness.scrapetop("attach", run, "--plain", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    harness.read_until(attached.stderr, rb"PAUSED")
    ctl(run, "resume")
    check_equal(harness.finish(attached).code, 0, "exit code of the run, told by attach")
    check_equal(gate.server.total(), 9, "requests")


def test_option__is_kept_with_the_run__until_another_takes_its_place():
    server = peer.Peer(lambda ask: peer.reply())
    run = scratch("kept.run")
    harness.succeed("run", "--plain", "-o", run, f"{server.url}/[1-3]", "--on", "failed > 5%: pause")
    stored = json.loads(harness.read(os.path.join(run, "job.json")))
    check_equal(stored["on"], [{"typed": True, "when": "failed > 5%", "do": "pause"}], "the stored job")
    shown = harness.succeed("run", "-o", run, "--show-config", "--on", "idle > 1m: drain", f"{server.url}/[1-3]").out
    check(b"idle > 1m" in shown and b"--on" in shown, shown)
    report = harness.succeed("run", "--plain", "--json", "-o", run, "--on", "idle > 1m: drain").report()
    check_equal([r["rule"] for r in report["on"]], ["idle > 1m: drain"], "the second session's")
    report = harness.succeed("run", "--plain", "--json", "-o", run).report()
    check(len(report["on"]) == 1, report["on"])


if __name__ == "__main__":
    harness.main(globals())
