"""`scrapetop report`: a run as one HTML page, whatever the servers said."""

import html.parser
import json
import os
import re
import shutil
import subprocess
import threading

import harness
import peer
from harness import check, check_equal, scratch, wait_for

EVIL = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)></style></title></pre>&lt;\u202e'
TAGS = {"html", "head", "meta", "link", "title", "style", "body", "main", "header", "h1", "h2", "h3", "p", "span",
        "div", "b", "i", "small", "table", "tr", "th", "td", "code", "pre", "br", "dl", "dt", "dd", "details",
        "summary", "footer", "svg", "line", "rect", "circle", "polygon", "polyline", "text", "g"}
ATTRIBUTES = {"lang", "charset", "name", "content", "http-equiv", "rel", "href", "class", "style", "viewbox", "role",
              "aria-label", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "points",
              "text-anchor"}


class Page(html.parser.HTMLParser):
    """The page as a reader's program sees it; refuses whatever could act, or come from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.text, self.open, self.styles = [], [], 0
        self.feed(text)
        self.close()
        check_equal(self.open, [], "elements that are not closed")
        check_equal(self.styles, 1, "styles")
        self.text = " ".join(self.text)

    def handle_starttag(self, tag, attributes):
        check(tag in TAGS, "an element of somebody else:", tag, attributes)
        for name, value in attributes:
            check(name in ATTRIBUTES, "an attribute of somebody else:", tag, name, value)
            check(name != "href" or value == "data:,", "something from elsewhere:", value)
            check(name != "style" or re.fullmatch(r"width:\d+%", value), "a style of somebody else:", value)
        self.styles += tag == "style"
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open[-1] == tag, "closes", tag, "within", self.open)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            check("@import" not in data and "url(" not in data, "a style from elsewhere")
        elif data.strip():
            self.text.append(data.strip())


def report(run):
    ended = harness.succeed("report", run)
    return Page(ended.out.decode())


def a_run(name, server, count, *options, code=0):
    run = scratch(f"{name}.run")
    harness.succeed("run", "--plain", "-o", run, "--no-socket", *options, f"{server.url}/posts/[1-{count}]", code=code)
    return run


def test_page__tells_of_a_run_at_rest__and_of_one_that_left_less():
    with harness.api("--latency", "20ms") as server:
        run = a_run("rest", server, 120, "--rate", "40/s", "-c", "4", "--csv", scratch("rest.csv"), "-A", "tester/1",
                    "--on", "done_total > 50: say half of it")
    page = report(run)
    for words in ("120 of 120 requests went well", "done", "Requests a second", "on-rule 1", "What each cap gave",
                  "userId", "user agent", "tester/1", "40/s", "rules by event: 1", "How polite it was"):
        check(words in page.text, "the page does not tell", words, page.text[:3000])
    out = scratch("rest.html")
    harness.succeed("report", run, "-o", out)
    check(harness.read(out).startswith(b"<!DOCTYPE html>"), "the file")

    old = scratch("old.run")  # as an older version left it: no report, no tables, samples with less
    shutil.copytree(run, old)
    for name in ("report.json", "tables.json"):
        os.unlink(os.path.join(old, name))
    events = harness.read(os.path.join(old, "events.jsonl"))
    with open(os.path.join(old, "events.jsonl"), "wb") as file:
        file.write(re.sub(rb',"p95_now_ms":\d+', b"", events) + b'{"at":"2026-01-01T0')
    page = report(old)
    check("120 of 120 requests went well" in page.text and "left no report" in page.text, page.text[:2000])
    os.unlink(os.path.join(old, "events.jsonl"))
    check("120 of 120 requests went well" in report(old).text, "without events")


def test_page__of_a_live_run__and_the_old_report_is_gone_while_it_runs():
    opened = threading.Event()
    server = peer.Peer(lambda ask: (ask.number > 30 and opened.wait(harness.HANG_S), peer.reply())[1])
    run = scratch("live.run")
    child = harness.scrapetop("run", "--plain", "-o", run, "-c", "1", f"{server.url}/[1-40]", stderr=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(run) and server.total() > 30, "thirty answers")
    wait_for(lambda: "under way" in report(run).text, "a live run")
    check("most in flight at once" in report(run).text, "its report")
    check(not os.path.exists(os.path.join(run, "report.json")), "a report before the end")
    opened.set()
    check_equal(child.wait(harness.HANG_S), 0, "exit code")
    check("40 of 40 requests went well" in report(run).text, "at the end")
    check_equal(json.loads(harness.read(os.path.join(run, "report.json")))["ok"], 40, "report.json")


def test_page__of_a_live_run_without_a_socket__does_not_call_it_killed():
    opened = threading.Event()
    server = peer.Peer(lambda ask: (opened.wait(harness.HANG_S), peer.reply())[1])
    run = scratch("unheard.run")
    child = harness.scrapetop("run", "--plain", "--no-socket", "-o", run, f"{server.url}/1", stderr=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(os.path.join(run, "ledger.db")) and server.total() > 0, "a request")
    page = report(run)
    check("under way" in page.text and "does not answer at a control socket" in page.text, page.text)
    check("left no report" not in page.text, page.text)
    opened.set()
    check_equal(child.wait(harness.HANG_S), 0, "exit code")


def test_page__made_at_the_end_by_the_run_itself__tells_the_end():
    server = peer.Peer(lambda ask: peer.reply())
    run, out = scratch("itself.run"), scratch("itself.html")
    harness.succeed("run", "--plain", "-o", run, f"{server.url}/[1-5]", "--on-end",
                    f"'{harness.BINARY}' report '{run}' -o '{out}'")
    page = Page(harness.read(out).decode())
    check("done" in page.text and "under way" not in page.text, page.text[:1000])
    check("most in flight at once" in page.text, "its report")


def test_page__of_a_run_of_months__stays_small__and_tells_what_is_no_longer_kept():
    server = peer.Peer(lambda ask: peer.reply(status="404 Gone"))
    run = scratch("months.run")
    harness.succeed("run", "--plain", "--no-socket", "-o", run, f"{server.url}/{'x' * 400}", code=3)
    check("\u2026" in report(run).text, "a URL that is cut looks whole")
    check("of which it ran" in report(run).text, "the time of a whole story")
    path = os.path.join(run, "events.jsonl")
    sample = [e for e in map(json.loads, harness.read(path).splitlines()) if e["event"] == "sample"][0]
    with open(path, "w", encoding="ascii") as file:
        for i in range(40000):
            at = f"2026-{1 + i // 8000:02}-{1 + i // 400 % 20:02}T{i // 60 % 24:02}:{i % 60:02}:00.000Z"
            file.write(json.dumps({**sample, "at": at, "ok": i, "cap": 5 + i % 7}) + "\n")
            if i < 500:
                file.write(json.dumps({"at": at, "event": "cap", "level": "notice", "text": f"cap {i}"}) + "\n")
    os.rename(path, os.path.join(run, "events.1.jsonl"))  # whether or not another has begun
    page = harness.succeed("report", run).out
    check(len(page) < 300000, "bytes of the page:", len(page))
    page = Page(page.decode())
    for words in ("From 2026-01-01 00:00 UTC on: events from before are no longer kept.", "changes of cap or rate: 500",
                  "the first 400 are marked"):
        check(words in page.text, "the page does not tell", words, page.text[:3000])
    check("of which it ran" not in page.text, "the time of a part is told as that of all")


def hostile(ask):
    if "bad" in ask.path:
        return peer.reply(json.dumps({"error": EVIL}).encode(), status="422 <b>No</b>",
                          headers=[f"X-Why: {EVIL[:60]}", "Set-Cookie: a=<script>alert(3)</script>"])
    if "page" in ask.path:
        return peer.reply(EVIL.encode(), kind="text/html")
    return peer.reply({EVIL: 1, "a": EVIL})


def test_hostile_run__becomes_text_and_nothing_else():
    server = peer.Peer(hostile)
    run, path = scratch("hostile.run"), scratch("hostile.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": "hostile", "base": server.url,
                   "vars": {"v": ["bad%3Cscript%3E'\"<script>alert(4)</script>", "page", "good"]},
                   "endpoints": [{"url": "/{v}?q=%22onload=alert(5)"}],
                   "headers": {"User-Agent": EVIL[:50]},
                   "answers": [{"at": "/error", "matches": "<script>", "do": "fail"}],
                   "on": [{"when": "done_total >= 0", "do": "say <img src=x onerror=alert(6)>"},
                          {"when": "elapsed > 1ms", "do": "say </title><script>alert(7)</script>"}]}, file)
    harness.run("run", "--plain", "--no-socket", "-o", run, path, "--csv", scratch("hostile.csv"), "--retries", "0",
                "--rate", "1/s")
    page = report(run)
    for words in ("What failed", "<script>alert(1)</script>", "onerror=alert(6)", "</title><script>alert(7)</script>"):
        check(words in page.text, "the page does not show as text", words, page.text)
    check("\u202e" not in page.text, "a text turns its direction")
    garbage = os.path.join(run, "tables.json")  # what somebody else has written into the directory
    for text in (b"\xff\x00", b"[]", json.dumps({EVIL: {"rows": EVIL, "columns": {EVIL: EVIL}}}).encode()):
        with open(garbage, "wb") as file:
            file.write(text)
        report(run)
    with open(os.path.join(run, "report.json"), "w", encoding="utf-8") as file:
        json.dump({"verdict": EVIL, "stopped_by": EVIL, "exit": 1e300, "requests": -5, "rows": 1e308, "ladder": [
            {"cap": 1e300, "req_per_s": 1e300, "p95_ms": -1}], "on": [{"number": EVIL, "rule": EVIL}],
            "latency_ms": {"p50": 1e300, "p95": 1e300}, "politeness": {"held_s": 1e300, "holds": EVIL}}, file)
    report(run)


def test_secrets__are_not_in_the_page():
    with harness.api() as server:
        run = scratch("secret.run")
        harness.succeed("run", "--plain", "-o", run, "-H", "Authorization: Bearer tok-41f7a9",
                        "-H", "X-Api-Key: ${THE_KEY}", f"{server.url}/posts/[1-5]?api_key=hunter2222",
                        env=harness.environment(THE_KEY="key-77aa12"))
    page = harness.succeed("report", run).out
    for secret in (b"tok-41f7a9", b"key-77aa12", b"hunter2222"):
        check(secret not in page, "a secret is in the page:", secret)


def test_report__says_what_is_wrong():
    check(b"want scrapetop report" in harness.succeed("report", code=2).err, "no run")
    check(b"one too many" in harness.succeed("report", "a", "b", code=2).err, "two runs")
    check(b"E-DIR" in harness.succeed("report", scratch("none.run"), code=2).err, "no such run")
    with harness.api() as server:
        run = a_run("nowhere", server, 3)
    check(b"E-OUT1" in harness.succeed("report", run, "-o", scratch("no/such/place.html"), code=2).err, "no such place")


if __name__ == "__main__":
    harness.main(globals())
