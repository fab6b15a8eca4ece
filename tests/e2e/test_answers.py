"""Rules for answers, end to end: "no such item", submit-poll-download through kills, and rules tried on
what a run has stored."""

import gzip
import json
import os
import re
import signal
import subprocess
import time

import harness
import peer
from harness import check, check_equal, scratch


class Server(peer.Peer):
    """Answers by a function of (method, path, how often that was asked): (status, body, headers)."""

    def __init__(self, answer):
        def reply(ask):
            status, body, headers = (*answer(ask.method, ask.path, self.count(ask.method, ask.path)), {})[:3]
            headers = {"Content-Type": "application/json", **headers}
            return peer.reply(body, f"{status} X", None, [f"{name}: {value}" for name, value in headers.items()])

        super().__init__(reply)

    def count(self, method, path):
        with self.lock:
            return [(ask.method, ask.path) for ask in self.asks].count((method, path))


def job_file(name, job):
    path = scratch(name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(job, file)
    return path


def test_no_such_item__is_well__and_no_row():
    run_dir, csv = scratch("empty.run"), scratch("empty.csv")

    def answer(_, path, __):
        number = int(path[1:])
        return (404, {"error": "no such item"}) if number % 5 == 0 else (200, {"id": number})

    server = Server(answer)
    ended = harness.succeed("run", "-o", run_dir, "--csv", csv, "--json", "--answer",
                            "status=404 do=empty", f"{server.url}/[1-50]")
    report = ended.report()
    check_equal((report["ok"], report["failed"], report["rows"]), (50, 0, 40), "ok, failed, rows")
    check_equal([(r["name"], r["rule"], r["do"], r["count"]) for r in report["rules"]],
                [("--answer 1", "status=404 do=empty", "empty", 10)], "what the rule has met")
    check(b"10 answers met --answer 1: status=404 do=empty" in ended.err, ended)
    harness.succeed("run", "-o", run_dir)
    check_equal(server.total(), 50, "requests, of a run that was done")
    harness.succeed("verify", run_dir)
    made = harness.succeed("normalise", "-o", "-", run_dir)
    check_equal(len(made.out.splitlines()), 41, "lines of a table made later")
    kept = harness.succeed("raw", run_dir, "5")
    check_equal(kept.out, b'{"error": "no such item"}\n', "the body that was kept")


def test_submit_poll_download__goes_on__when_killed_between_polls():
    run_dir, csv = scratch("jobs.run"), scratch("jobs.csv")
    jobs, polls = 5, 4

    def answer(method, path, count):
        if method == "POST":
            return 202, {}, {"Location": f"/jobs/{path[-1]}", "Retry-After": "1"}
        if path.startswith("/jobs/"):
            if count < polls:
                return 200, {"state": "running"}
            return 200, {"state": "done", "result": {"url": f"../files/{path[-1]}"}}
        return 200, {"rows": [{"report": int(path[-1])}]}

    server = Server(answer)
    path = job_file("jobs.json", {
        "base": server.url,
        "vars": {"n": f"[1-{jobs}]"},
        "endpoints": [{
            "name": "reports", "url": "/reports/{n}", "method": "POST", "json": {"for": "{n}"},
            "records": "/rows",
            "answers": [{"status": 202, "do": "again", "url": "header:Location",
                         "wait": "header:Retry-After", "then": "/result/url", "for": "1h"},
                        {"at": "/state", "is": ["queued", "running"], "do": "again",
                         "wait": "300ms"}],
        }],
        "output": ["csv"]})
    kills = 0
    for asks in (jobs, 2 * jobs, 3 * jobs):
        child = harness.scrapetop("run", "-o", run_dir, path, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)

        def waiting():
            return (server.total() >= asks and os.path.exists(f"{run_dir}/ledger.db") and
                    harness.ledger_counts(run_dir).get(3, 0) >= 1)

        harness.wait_for(lambda: waiting() or child.poll() is not None, "polls")
        child.send_signal(signal.SIGKILL)
        kills += child.wait() == -signal.SIGKILL
    check(kills >= 1, "it ended before it was killed: this shows nothing")
    ended = harness.succeed("run", "-o", run_dir, path, "--csv", csv, "--json")
    report = ended.report()
    check_equal((report["ok"], report["failed"], report["rows"]), (jobs, 0, jobs),
                "ok, failed, rows")
    for n in range(1, jobs + 1):
        # What was on its way when it was killed is put in again; nothing else is.
        check(server.count("POST", f"/reports/{n}") <= 1 + kills, "put in too often", server.paths())
    check(sum(ask.method == "POST" for ask in server.asks) < jobs * (1 + kills),
          "nothing outlived a kill", server.paths())
    with open(csv, encoding="utf-8") as table:
        check_equal(sorted(table.read().split()), sorted(["report", *"12345"]), "the table")
    check_equal(harness.ledger(run_dir, "SELECT count(*) FROM exchange"), [(0,)],
                "exchanges left in the ledger")


def test_error_object__holds_the_host__by_an_endpoints_rule():
    def answer(_, path, count):
        if path == "/a/2" and count == 1:
            return 200, {"error": {"code": "too_fast", "retry_after": 700}}
        return 200, {"items": [{"id": path}]}

    server = Server(answer)
    path = job_file("hold.json", {
        "base": server.url, "vars": {"n": "[1-4]"},
        "endpoints": [
            {"name": "a", "url": "/a/{n}", "records": "/items",
             "answers": [{"at": "/error/code", "is": "too_fast", "do": "hold",
                          "wait": "/error/retry_after", "unit": "ms"}]},
            {"name": "b", "url": "/b/{n}", "records": "/items"}]})
    ended = harness.succeed("run", "-o", scratch("hold.run"), "--json", "-c", "1", path)
    report = ended.report()
    check_equal((report["ok"], report["failed"], report["politeness"]["holds"]), (8, 0, 1),
                "ok, failed, holds")
    check(report["wall_s"] >= 0.7, "it did not wait", report["wall_s"])
    check_equal([(r["name"], r["count"]) for r in report["rules"]], [("a rule 1", 1)], "rules")


def test_refusal__that_says_only_in_words_how_long__is_obeyed():
    asked = []

    def answer(_, path, count):
        asked.append(time.monotonic())
        if len(asked) == 1:
            return 429, {"error": {"message": "Rate limit reached. Please try again in 700ms. See the manual."}}
        return 200, {"id": path}

    server = Server(answer)
    ended = harness.succeed("run", "-o", scratch("words.run"), "--json", "-c", "1", f"{server.url}/[1-4]")
    check_equal(ended.report()["ok"], 4, "ok")
    check(asked[1] - asked[0] >= 0.7, "asked too early", asked)


def test_error__that_is_cut_off_within_its_coding__is_judged_by_no_rule():
    """Half a body may lack what the rule looks for: it is asked again. The last answer is whole."""
    whole = gzip.compress(json.dumps({"pad": os.urandom(4000).hex(), "error": {"code": "gone"}}).encode())

    def answer(_, path, count):
        return 404, whole if count == 3 else whole[:-1500], {"Content-Encoding": "gzip"}

    server = Server(answer)
    ended = harness.run("run", "--plain", "--json", "-o", scratch("cut.run"), "--backoff", "1ms:2ms",
                        "--answer", "at=/error/code is=gone do=empty", f"{server.url}/a")
    report = ended.report()
    check_equal((server.total(), report["ok"], report["failed"]), (3, 1, 0), f"asked, ok, failed {ended}")


def test_rules__tell_what_they_would_meet__without_the_network():
    run_dir = scratch("trial.run")

    def answer(_, path, __):
        number = int(path[1:])
        if number % 10 == 0:
            return 404, {"error": "gone"}
        if number % 10 == 1:
            return 200, {"error": {"code": "internal"}}
        return 200, {"id": number}

    server = Server(answer)
    harness.succeed("run", "-o", run_dir, f"{server.url}/[1-40]", code=3)
    asked = server.total()
    path = job_file("trial.json", {
        "endpoints": [{"url": f"{server.url}/[1-40]".replace("[1-40]", "{n}")}],
        "vars": {"n": "[1-40]"}, "headers": {"Authorization": "${NOT_SET_ANYWHERE}"},
        "answers": [{"status": 404, "do": "empty"},
                    {"at": "/error/code", "matches": "^int", "do": "retry"},
                    {"header": "X-Foo", "do": "stop"}]})
    told = json.loads(harness.succeed("rules", "--json", run_dir, path).out)
    check_equal((told["answers"], told["failures"]), (40, 4), "answers, failures")
    check_equal([r["count"] for r in told["rules"]], [4, 4, 0], "what each would have met")
    check_equal([(e["id"], e["status"], e["failed"]) for e in told["rules"][0]["examples"]],
                [(10, 404, True), (20, 404, True), (30, 404, True)], "examples")
    check_equal(told["none"]["count"], 32, "what no rule met")
    check_equal(told["unsure"], 32, "good answers, whose headers nobody stores")
    plain = harness.succeed("rules", "--answer", "status=404 do=empty", run_dir)
    check(re.search(rb"^ +4  --answer 1: status=404 do=empty\n"
                    rb" +id 10, key 10, HTTP 404, failed$", plain.out, re.M), plain)
    check(re.search(rb"^ +36  no rule$", plain.out, re.M), plain)
    check_equal(server.total(), asked, "requests")
    wrong = harness.run("rules", "--answer", "status=404 do=emtpy", run_dir)
    check(wrong.code == 2 and b'did you mean "empty"?' in wrong.err, wrong)


def test_mistakes__are_told_with_their_place__and_nothing_is_made():
    path = scratch("wrong.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"endpoints": [{"url": "http://127.0.0.1:9/"}],\n'
                   ' "answers": [{"status": 404, "do": "skip"},\n'
                   '   {"at": "error", "do": "fail"},\n'
                   '   {"status": 999999, "do": "fail"},\n'
                   '   {"at": "/a", "matches": "(", "do": "fail"}]}\n')
    ended = harness.run("run", "-o", scratch("wrong.run"), path)
    check_equal(ended.code, 2, "exit code")
    for want in (rb"wrong.json:2:36: \"do\": want one of ok, empty",
                 rb"E-PTR1\]: wrong.json:3:11", rb"wrong.json:4:15: \"status\": want statuses",
                 rb"E-PAT1\]: wrong.json:5:28"):
        check(re.search(want.replace(b"wrong.json", re.escape(path.encode())), ended.err), want, ended)
    check(not os.path.exists(scratch("wrong.run")), "a run directory was made")


if __name__ == "__main__":
    harness.main(globals())
