"""Sessions that end before all is asked: a credential that ends, and limits that the user set. Whatever ends them,
the same command goes on, and nothing is lost."""

import collections
import json

import harness
import peer
from harness import check, check_equal, scratch


def events(name):
    return [json.loads(line) for line in harness.read(scratch(f"{name}.run/events.jsonl")).splitlines()]


class Door:
    """Lets each token in so many times."""

    def __init__(self, uses):
        self.uses = collections.Counter(uses)
        self.peer = peer.Peer(self.answer)

    def answer(self, ask):
        token = ask.headers.get("authorization", "").removeprefix("Bearer ")
        with self.peer.lock:
            self.uses[token] -= 1
            return peer.reply() if self.uses[token] >= 0 else peer.reply({"error": "expired"}, "401 Unauthorized")


def test_token__that_ends__loses_nothing_and_the_next_one_goes_on():
    door = Door({"first-token": 50, "second-token": 1000})
    command = ["run", "--plain", "--json", "-o", scratch("token.run"), "-H", "Authorization: Bearer ${T}",
               f"{door.peer.url}/x/[1-400]"]
    ended = harness.run(*command, env=harness.environment(T="first-token"))
    report = ended.report()
    check_equal(ended.code, 5, "exit code")
    check_equal((report["ok"], report["failed"], report["pending"]), (50, 0, 350), "ok, failed, pending")
    check(door.peer.total() < 80, door.peer.total(), "requests were sent")
    check(b"error[E-AUTH2]: 127.0.0.1:" in ended.err and b"went well; set a new one" in ended.err, ended)
    check(b"first-token" not in ended.err, "the token is shown")
    report = harness.run(*command, env=harness.environment(T="second-token")).report()
    check_equal((report["exit"], report["ok"], report["failed"]), (0, 400, 0), "exit, ok, failed with a new token")
    check_equal(len(harness.bodies(scratch("token.run"))), 400, "bodies")


def test_max_requests__are_never_passed():
    server = peer.Peer(lambda ask: peer.reply())
    ended = harness.run("run", "--plain", "--json", "-o", scratch("sent.run"), "--max-requests", "25",
                        f"{server.url}/x/[1-100]")
    check_equal(ended.code, 4, "exit code")
    check_equal(server.total(), 25, "requests sent")
    check_equal(ended.report()["pending"], 75, "pending")
    check(b"error[E-LIM1]: --max-requests 25" in ended.err and b"resume with" in ended.err, ended)
    check(b"the limit is that of each session, so the next one stops there as well; --max-requests 0 lifts it" in ended.err,
          "not told:", ended)
    check_equal([e["limit"] for e in events("sent") if e.get("code") == "E-LIM1"], ["max-requests"], "told")
    check_equal(harness.run("run", "--plain", "-o", scratch("sent.run")).code, 4, "the limit is kept with the job")
    check_equal(server.total(), 50, "requests sent by two sessions")
    check_equal(harness.run("run", "--plain", "-o", scratch("sent.run"), "--max-requests", "0").code, 0,
                "exit code without a limit")
    check_equal(server.total(), 100, "requests sent in all")


def test_max_fail__and_max_duration__in_a_job():
    server = peer.Peer(lambda ask: peer.reply({}, "404 Not Found"))
    job = scratch("limits.json")
    with open(job, "w", encoding="utf-8") as file:
        json.dump({"name": "l", "base": server.url, "vars": {"n": "[1-500]"}, "limits": {"max_fail": "5%"},
                   "endpoints": [{"name": "x", "url": "/x/{n}"}]}, file)
    ended = harness.run("run", "--plain", "--json", "-o", scratch("fail.run"), job)
    check_equal(ended.code, 4, "exit code")
    check(20 <= ended.report()["failed"] < 50, ended.report()["failed"], "have failed")
    check(b"E-LIM1" in ended.err and b"--max-fail 5%" in ended.err, ended)
    ended = harness.run("run", "--plain", "--json", "-o", scratch("long.run"), "--max-duration", "1s", "--max-fail",
                        "100%", "--rate", "2/s", job)
    check_equal(ended.code, 4, "exit code")
    check(0 < ended.report()["pending"] < 500, ended.report()["pending"], "are pending")
    shown = harness.succeed("run", "--show-config", "--max-duration", "90s", job).out
    check(b"limits.max_fail" in shown and b"limits.max_duration" in shown, shown)
    with open(job, "w", encoding="utf-8") as file:
        json.dump({"limits": {"max_fail": "5 %", "max_request": 3}, "endpoints": [{"name": "x", "url": "/x"}],
                   "base": server.url}, file)
    ended = harness.run("run", "--plain", "-o", scratch("bad.run"), job)
    check_equal(ended.code, 2, "exit code")
    check(b"E-ARG5" in ended.err and b'did you mean "max_requests"' in ended.err, ended)


if __name__ == "__main__":
    harness.main(globals())
