"""Several tokens for one server: each has its own quota, holds and end, and is called by its name only."""

import collections
import json
import os
import threading
import time

import harness
import jobs
import peer
from harness import check, check_equal, scratch
from ports import mute_port

SECRET = "Qx7-planted-"
TOKENS = {"alpha": SECRET + "aaaaaaaa", "beta": SECRET + "bbbbbbbb==", "token3": SECRET + "cccccccc"}


class Limited:
    """Each token may ask `quota` times in `window_s`; those in `dead` are refused, those in `ended` from their n-th on.
    `place` says where the token is: a header's name, or of a query."""

    def __init__(self, quota=1 << 30, window_s=1, dead=(), forbidden=(), ended=(), place="authorization", status="401 No"):
        self.quota, self.window_s, self.place, self.status = quota, window_s, place, status
        self.dead, self.forbidden, self.ended = set(dead), set(forbidden), dict(ended)
        self.lock = threading.Lock()
        self.spent, self.since = collections.Counter(), {}
        self.good, self.by, self.early = collections.Counter(), collections.Counter(), []
        self.server = peer.Peer(self.answer)
        self.url = self.server.url

    def name_of(self, ask):
        sent = ask.headers.get(self.place, "").removeprefix("Bearer ") if self.place != "query" else \
            ask.path.partition("key=")[2].replace("%3D", "=")
        return next((name for name, token in TOKENS.items() if token == sent), None)

    def answer(self, ask):
        with self.lock:
            name, now, path = self.name_of(ask), time.monotonic(), ask.path.partition("?")[0]
            self.by[name] += 1
            if name is None or name in self.dead or self.by[name] > self.ended.get(name, 1 << 30):
                return peer.reply({"error": "token"}, self.status)
            if path in self.forbidden:
                return peer.reply({"error": "not yours"}, self.status)
            if now - self.since.get(name, -1e9) >= self.window_s:
                self.since[name], self.spent[name] = now, 0
            left_s = self.window_s - (now - self.since[name])
            if self.spent[name] >= self.quota:
                self.early.append(name)
                return peer.reply({"error": "slow"}, "429 Slow", headers=[f"Retry-After: {int(left_s) + 1}"])
            self.spent[name] += 1
            self.good[path] += 1
            return peer.reply({"path": path})


def tokens_file(text=None, mode=0o600):
    text = text or f"# mine\nalpha={TOKENS['alpha']}\n\nbeta={TOKENS['beta']}\n{TOKENS['token3']}\n"
    path = scratch("tokens.txt")
    with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, mode)) as file:
        file.write(text)
    return path


def run(server, name, count=60, code=0, more=(), base=None, **login):
    job = jobs.write_job(name, base=base or server.url, vars={"id": f"[1-{count}]"}, endpoints=[{"name": "x", "url": "/x/{id}"}],
                         login={"tokens": {"file": "tokens.txt"}, **login})
    ended = harness.run("run", "--plain", "--json", "-c", "4", *more, "-o", scratch(name + ".run"), job)
    check(code is None or ended.code == code, f"wanted exit code {code}:", ended)
    check(SECRET.encode() not in ended.out + ended.err, "said:", ended)
    for path, data in harness.everything_in(scratch(name + ".run")).items():
        check(SECRET.encode() not in data, path, "holds a token")
    return ended


def events(name):
    return [json.loads(line) for line in harness.read(os.path.join(scratch(name + ".run"), "events.jsonl")).splitlines()]


def test_tokens__are_asked_in_turn__wherever_they_are_sent():
    tokens_file()
    for place, login in (("authorization", {}), ("x-key", {"header": "X-Key"}), ("query", {"query": "key"}),
                         ("x-auth", {"send": "X-Auth: {token}"})):
        server = Limited(place=place)
        run(server, place, **login)
        check_equal((len(server.good), sum(server.good.values())), (60, 60), "answered well, " + place)
        check_equal(set(server.by), set(TOKENS), "tokens")
        check(min(server.by.values()) >= 15, "not in turn:", server.by)


def test_limit_of_one_token__is_that_tokens__and_costs_no_try():
    tokens_file()
    server = Limited(quota=5, window_s=2)
    ended = run(server, "quota", count=30)
    check_equal((len(server.good), sum(server.good.values())), (30, 30), "answered well")
    check_equal(harness.ledger(scratch("quota.run"), "SELECT count(*) FROM request WHERE attempt > 3")[0][0], 0, "tries")
    held = {e["host"] for e in events("quota") if e.get("event") == "hold"}
    check({h.partition("@")[0] for h in held} == set(TOKENS), "held:", held)
    check(len(server.early) <= 30, "refused:", server.early)
    report = json.loads(ended.out)
    check(report["wall_s"] < 9, "three of them did no more than one:", report["wall_s"])  # one alone takes 10 s


def test_token_that_is_refused__is_put_aside_by_name__and_the_others_go_on():
    tokens_file()
    for status in ("401 No", "403 No"):
        server = Limited(dead=["beta"], status=status)
        name = "dead" + status[:3]
        ended = run(server, name)
        check_equal((len(server.good), sum(server.good.values())), (60, 60), "answered well")
        check(server.by["beta"] <= 6, "asked with it:", server.by)
        aside = [e for e in events(name) if e.get("code") == "W-TOK1"]
        check_equal([e["token"] for e in aside], ["beta"], "put aside")
        check(b"beta@127.0.0.1" in ended.err and b"2 others go on" in ended.err, ended)


def test_token_that_ends_midway__is_put_aside__and_nothing_fails():
    tokens_file()
    server = Limited(ended={"alpha": 9, "token3": 12})
    ended = run(server, "midway", count=200)
    check_equal((len(server.good), sum(server.good.values())), (200, 200), "answered well")
    check_equal(sorted(e["token"] for e in events("midway") if e.get("code") == "W-TOK1"), ["alpha", "token3"], "put aside")
    check(b"1 other goes on" in ended.err, ended)


def test_all_tokens_gone__stops_the_run__and_it_goes_on_with_new_ones():
    tokens_file()
    server = Limited(ended={"alpha": 9, "beta": 9, "token3": 9})
    ended = run(server, "gone", count=200, code=5)
    check(b"E-AUTH2" in ended.err and b"refuses all 3 tokens" in ended.err, ended)
    check(server.server.total() < 27 + 60, "asked:", server.server.total())
    check_equal(json.loads(ended.out)["failed"], 0, "failed")
    good = sum(server.good.values())
    server.ended = {}
    run(server, "gone", count=200)
    check_equal((len(server.good), sum(server.good.values())), (200, 200), f"answered well, {good} before")


def test_limits_of_the_others__do_not_make_a_dead_one_the_end():
    tokens_file()
    server = Limited(quota=2, window_s=4, dead=["beta"])
    ended = run(server, "held", count=8)
    check_equal((len(server.good), sum(server.good.values())), (8, 8), "answered well")
    check_equal([e["token"] for e in events("held") if e.get("code") == "W-TOK1"], ["beta"], "put aside")
    check(server.by["beta"] <= 15, "asked with it:", server.by)
    check_equal(json.loads(ended.out)["failed"], 0, "failed")


def test_url_that_no_token_may_see__fails_alone():
    tokens_file()
    for status in ("401 No", "403 No"):
        server = Limited(forbidden=["/x/7", "/x/20"], status=status)
        name = "url" + status[:3]
        ended = run(server, name, code=3)
        report = json.loads(ended.out)
        check_equal((report["ok"], report["failed"]), (58, 2), "ok and failed")
        check(server.server.asked["/x/7"] <= 7, "asked:", server.server.asked["/x/7"])
        check_equal([e for e in events(name) if e.get("code") == "W-TOK1"], [], "put aside")


def test_urls_that_no_token_may_see__put_none_aside__however_many_they_are():
    tokens_file()
    for status in ("401 No", "403 No"):
        step = 8 if status == "403 No" else 2  # many 401s in a row are the end of the credentials
        forbidden = [f"/x/{i}" for i in range(13, 121) if i % step]
        server = Limited(forbidden=forbidden, status=status)
        name = "many" + status[:3]
        ended = run(server, name, count=120, code=3)
        report = json.loads(ended.out)
        check_equal((report["ok"], report["failed"]), (120 - len(forbidden), len(forbidden)), "ok and failed")
        check_equal([e for e in events(name) if e.get("code") == "W-TOK1"], [], "put aside")


def test_file__is_refused_before_anything_is_asked__when_it_is_none():
    server = Limited()
    for text, mode, code, words in (("a=1 2\n", 0o600, b"E-SEC3", b":1: want a token"), ("# none\n", 0o600, b"E-SEC3", b"holds no token"),
                                    ("a=x\nb=x\n", 0o600, b"E-SEC3", b':2: the same token as "a"'),
                                    ("a=x\na=y\n", 0o600, b"E-SEC3", b'called "a"'), ("a=x\n", 0o644, b"E-SEC1", b"")):
        if os.path.exists(scratch("tokens.txt")):
            os.unlink(scratch("tokens.txt"))
        tokens_file(text, mode)
        ended = run(server, "bad", code=2)
        check(code in ended.err and words in ended.err, ended)
    check_equal(server.server.total(), 0, "asked")


def test_screen_and_status__show_names():
    tokens_file()
    server = Limited(quota=2, window_s=30, dead=["beta"])
    job = jobs.write_job("names", base=server.url, vars={"id": "[1-60]"}, endpoints=[{"name": "x", "url": "/x/{id}"}],
                         login={"tokens": {"file": "tokens.txt"}})
    child = harness.scrapetop("run", "--plain", "-o", scratch("names.run"), job)
    harness.wait_for(lambda: len(set(server.early)) == 2, "both tokens' limits")
    shown = {}

    def is_shown():
        hosts = json.loads(harness.succeed("ctl", scratch("names.run")).out)["hosts"]
        shown.update({h["token"]: h for h in hosts})
        return len(shown) == 3 and all(h["due"].get("by") for h in shown.values())

    harness.wait_for(is_shown, "holds in the snapshot")
    check_equal(set(shown), set(TOKENS), "tokens shown")
    check_equal(shown["beta"]["due"]["by"], "token", "who holds it")
    check(shown["alpha"]["host"].startswith("alpha@127.0.0.1"), shown["alpha"])
    screen = harness.Terminal([harness.BINARY, "attach", scratch("names.run")], rows=60, columns=200)
    screen.wait_text(r"beta@127\S+ .*HELD it refus")
    screen.kill()
    child.terminate()
    child.wait()


def told(name):
    report = json.loads(harness.succeed("status", "--json", scratch(name + ".run")).out)
    return {t["name"]: t for t in report["tokens"]}


def test_rate_per_host__counts_all_tokens():
    """The user says it of the server, which sees all of them together."""
    tokens_file()
    server = Limited()
    began = time.monotonic()
    run(server, "paced", count=12, more=("--rate-per-host", "10/s"))
    check(time.monotonic() - began >= 1, "12 requests took", time.monotonic() - began, "at 10 a second")
    check_equal(set(server.by), set(TOKENS), "tokens")


def test_server_that_is_not_there__is_told_and_probed_as_one__with_several_tokens():
    tokens_file()
    run(None, "gone", count=30, code=None, more=("--backoff", "10ms:20ms", "--max-wait", "2s"),
        base=f"http://127.0.0.1:{mute_port()}")
    told = [e for e in events("gone") if e["event"] in ("breaker", "down")]
    check(told, "nothing is told")
    check(not any("@" in e["host"] for e in told), "told of a token:", told)
    rows = [e for e in told if e["event"] == "breaker"]
    check_equal(sorted(e["failures"] for e in rows), [e["failures"] for e in rows], "failures in a row, of all tokens")


def test_killed__holds_of_tokens_go_on__and_status_tells_of_each():
    tokens_file()
    server = Limited(quota=3, window_s=6, dead=["beta"])
    job = jobs.write_job("killed", base=server.url, vars={"id": "[1-9]"}, endpoints=[{"name": "x", "url": "/x/{id}"}],
                         login={"tokens": {"file": "tokens.txt"}})
    words = ("run", "--plain", "-c", "1", "-o", scratch("killed.run"), job)
    child = harness.scrapetop(*words)
    harness.wait_for(lambda: set(server.early) == {"alpha", "token3"}, "both tokens' limits")
    harness.wait_for(lambda: all(told("killed")[name]["held_until"] for name in ("alpha", "token3")), "noted holds")
    child.kill()
    child.wait()
    notes, early = told("killed"), len(server.early)
    check_equal([notes[name]["ok"] for name in ("alpha", "token3")], [3, 3], "answers")
    check(notes["beta"]["ok"] == 0 and notes["beta"]["refused"] >= 1, notes)
    shown = harness.succeed("status", scratch("killed.run")).out
    check(b"alpha   3 ok, 1 refused, held for " in shown and b"beta   0 ok, " in shown, shown)
    check(SECRET.encode() not in shown, shown)
    harness.succeed(*words)
    check_equal(len(server.early), early, "asked of a held token")
    check_equal((len(server.good), sum(server.good.values())), (9, 9), "answered well")
    check_equal(sum(t["ok"] for t in told("killed").values()), 9, "over both sessions")


if __name__ == "__main__":
    harness.main(globals())
