"""Bodies that say JSON without being it: the same rows, pages, rules and counts as of JSON, each asked for once, and
the bytes as they were sent in the store."""

import csv
import gzip
import io
import json
import os
import subprocess

import harness
import peer
from harness import check, check_equal, scaled, scratch


class Server(peer.Peer):
    """Answers with (status, content type, body, headers...) of `answer(path)`."""

    def __init__(self, answer):
        def reply(ask):
            status, kind, body, *headers = answer(ask.path)
            return peer.reply(body, f"{status} X", kind, [f"{name}: {value}" for name, value in headers])

        super().__init__(reply)


def table(path):
    return list(csv.DictReader(io.StringIO(harness.read(path).decode())))


TEXT = '[{"id":1,"city":"Zürich","eur":"5 €"},{"id":2,"city":"Bern","eur":null}]'
ROWS = [{"id": "1", "city": "Zürich", "eur": "5 €"}, {"id": "2", "city": "Bern", "eur": ""}]
LINES = '{"id":1,"city":"Zürich","eur":"5 €"}\n{"id":2,"city":"Bern","eur":null}\n'
# content type, body, words of the log
SAME = (
    ("application/json", TEXT.encode(), None),
    ("application/json", TEXT.encode("utf-8-sig"), "byte order mark"),
    ("application/json; charset=utf-16", TEXT.encode("utf-16"), "is UTF-16"),
    ("application/json", TEXT.encode("utf-16-be"), "is UTF-16"),
    ("application/json; charset=UTF-16LE", TEXT.encode("utf-16-le"), "is UTF-16"),
    ("application/json; charset=windows-1252", TEXT.encode("cp1252"), "letters that its charset names"),
    ("application/json; charset=iso-8859-15", TEXT.encode("iso-8859-15"), "letters that its charset names"),
    ("application/json; charset=gb18030", TEXT.encode("gb18030"), "letters that its charset names"),
    ("application/json; charset=windows-1250", TEXT.encode("cp1250"), "letters that its charset names"),
    ("application/json; charset=ISO-8859-1", TEXT.encode(), None),  # it says so, and is UTF-8
    ("application/x-ndjson", LINES.encode(), "JSON Lines"),
    ("application/json", LINES.encode(), "JSON Lines"),
    ("application/jsonl; charset=windows-1252", LINES.encode("cp1252"), "JSON Lines"),
    ("application/json-seq", "".join("\x1e" + line + "\n" for line in LINES.splitlines()).encode(), "JSON text sequence"),
    ("application/json", TEXT.replace("null", "NaN").encode(), "NaN"),
    ("application/json", LINES.replace("null", "-Infinity").encode("utf-16"), "NaN"),
)


def test_body__gives_the_same_rows__whatever_it_comes_as():
    for number, (content_type, body, words) in enumerate(SAME):
        server = Server(lambda _: (200, content_type, body))
        run, out, again = (scratch(f"{number}{ending}") for ending in (".run", ".csv", ".again.csv"))
        harness.succeed("run", "--plain", "-o", run, "--csv", out, f"{server.url}/x")
        check_equal(table(out), ROWS, f"rows of {content_type} {body[:30]}")
        check_equal(server.paths(), ["/x"], "what was asked")
        log = [json.loads(line) for line in harness.read(run + "/events.jsonl").decode().splitlines()]
        told = [e["text"] for e in log if e["event"] == "body"]
        check(any(words in text for text in told) if words else not told, f"the log of {content_type} {body[:30]}:", told)
        check_equal(harness.succeed("raw", run).out, body + b"\n", f"what raw gives of {content_type}")
        line = json.loads(harness.read(run + "/raw/00000001.jsonl"))
        check_equal("sent" in line, words is not None, f"the bytes that were sent beside {line}")
        check(isinstance(line["body"], list) and line["body"][0]["city"] == "Zürich", "the body in raw/:", line)
        harness.succeed("verify", run)
        harness.succeed("normalise", "-o", again, run)
        check_equal(table(again), ROWS, "rows of the table made later")


def test_body__is_told_once__when_a_thousand_are_so():
    server = Server(lambda path: (200, "application/json", b"\xef\xbb\xbf" + b'{"path":"%s"}' % path.encode()))
    count = scaled(300, 50)
    harness.succeed("run", "--plain", "-o", scratch("m.run"), "--csv", scratch("m.csv"), f"{server.url}/[1-{count}]")
    check_equal([row["path"] for row in table(scratch("m.csv"))], [f"/{n}" for n in range(1, count + 1)], "rows")
    check_equal(harness.read(scratch("m.run") + "/events.jsonl").count(b'"event":"body"'), 1, "events")


def test_body__is_read_as_json__by_pages_rules_and_the_pool():
    """A listing whose pages say in UTF-16 where the next is; an error told in a body of Latin letters; and a body that
    is too large for the loop."""
    def answer(path):
        n = int(path.split("=")[1]) if "=" in path else 1
        if path.startswith("/list"):
            page = {"items": [{"id": n}], "next": f"/list?page={n + 1}" if n < 4 else None}
            return 200, "application/json", json.dumps(page).encode("utf-16")
        if path.startswith("/bad"):
            return 200, "application/json; charset=iso-8859-1", '{"error":"nicht verfügbar"}'.encode("latin-1")
        rows = [{"id": i, "text": "ü" * 50} for i in range(20000)]
        return 200, "application/json; charset=iso-8859-1", json.dumps(rows, ensure_ascii=False).encode("latin-1")

    server = Server(answer)
    job = {"name": "j", "base": server.url, "retry": {"attempts": 2, "backoff": "10ms"},
           "endpoints": [{"name": "list", "url": "/list", "records": "/items", "pages": {"next": "/next"}},
                         {"name": "bad", "url": "/bad", "answers": [{"at": "/error", "do": "fail"}]}, {"name": "large", "url": "/large"}]}
    with open(scratch("j.json"), "w", encoding="utf-8") as file:
        json.dump(job, file)
    run = scratch("j.run")
    harness.run("run", "--plain", "-o", run, scratch("j.json"))
    harness.succeed("normalise", "--endpoint", "list", "-o", scratch("list.csv"), run)
    check_equal([row["id"] for row in table(scratch("list.csv"))], ["1", "2", "3", "4"], "rows of the listing")
    harness.succeed("normalise", "--endpoint", "large", "-o", scratch("large.csv"), run)
    large = table(scratch("large.csv"))
    check_equal((len(large), large[-1]), (20000, {"id": "19999", "text": "ü" * 50}), "rows of the large body")
    check_equal(server.asked["/bad"], 1, "the rule has read the error")
    check("nicht verfügbar" in harness.run("status", "--failed", run).out.decode() or
          "do=fail" in harness.run("status", "--failed", run).out.decode(), "the rule is not named")
    check_equal(server.asked["/large"], 1, "how often the large one was asked for")
    harness.succeed("verify", run)


def test_null__is_told__where_a_record_should_be():
    server = Server(lambda path: (200, "application/json", b"null" if path == "/2" else b'{"path":"%s"}' % path.encode()))
    run = scratch("n.run")
    harness.succeed("run", "--plain", "-o", run, "--csv", scratch("n.csv"), f"{server.url}/[1-3]")
    check_equal([row["path"] for row in table(scratch("n.csv"))], ["/1", "/3"], "rows")
    check(b"1 null where a record should be: no row" in harness.read(run + "/events.jsonl"), "the null is not told")


def test_table_of_a_run__ends_as_that_of_normalise__when_it_cannot_be_made():
    """Too many columns: the same code and way out. A reader that has had enough: no trouble."""
    keyed = ",".join('"id %d":{"n":%d}' % (n, n) for n in range(70000)).encode()
    server = Server(lambda path: (200, "application/json", b'{"x":{%s}}' % keyed if path == "/wide" else b'{"a":"%s"}' % (b"x" * 90000)))
    ended = harness.run("run", "--plain", "-o", scratch("w.run"), "--csv", scratch("w.csv"), f"{server.url}/wide")
    check(ended.code == 3 and b"--records '/x/*'" in ended.err, "too many columns in a run:", ended)
    ended = harness.run("normalise", scratch("w.run"))
    check(ended.code == 3 and b"--records '/x/*'" in ended.err, "too many columns in normalise:", ended)
    child = harness.scrapetop("run", "--plain", "-o", scratch("h.run"), "--csv", "-", f"{server.url}/[1-20]",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check_equal(child.stdout.readline(), b"a\n", "the header")
    child.stdout.close()
    told = child.stderr.read().decode()
    child.stderr.close()
    check(child.wait(60) == 0 and "E-OUT" not in told and "table failed" not in told, "the reader had enough:", told)


BAD = (
    ("application/json", b"<html></html>"), ("application/json", '["Zürich"]'.encode("latin-1")),
    ("application/json; charset=shift_jis", '["Zürich"]'.encode("latin-1")), ("application/x-ndjson", b'{"a":1}\n{"a":'),
    ("application/json", b'{"a":1}{"a":2}'), ("application/json; charset=utf-16", b"[\x001\x00"), ("application/json", b'{"a":NaN'),
    ("application/json", b'{"a":nano}'))


def test_body__is_refused__when_it_says_no_json():
    for content_type, body in BAD:
        server = Server(lambda _: (200, content_type, body))
        ended = harness.run("run", "--plain", "--fresh", "--retries", "0", "-o", scratch("b.run"), "--csv", scratch("b.csv"), f"{server.url}/x")
        check_equal(ended.code, 3, f"exit code of {content_type} {body}, {ended}")
        check(b'"event":"body"' not in harness.read(scratch("b.run") + "/events.jsonl"), "it is told as read:", ended)

def test_pages__are_kept_and_make_no_table__when_the_job_says_so():
    """A page in the place of data fails and names the way out; with it each is a success and a file."""
    def answer(path):
        if path.startswith("/page"):
            return 200, "text/html; charset=utf-8", f"<!DOCTYPE html><title>{path}</title>".encode()
        if path.startswith("/note"):
            return 200, "text/plain", f"note {path}\n".encode()
        return 200, "application/json", b'[{"id":1},{"id":2}]'

    server = Server(answer)
    plain = harness.run("run", "--plain", "--retries", "0", "-o", scratch("plain"), server.url + "/page/1")
    check(plain.code == 3 and b"a page in HTML instead of JSON (--as html keeps it)" in plain.err, plain)
    job = {"name": "j", "base": server.url, "output": ["csv"], "endpoints": [
        {"name": "items", "url": "/items"}, {"name": "pages", "url": "/page/{items.id}", "as": "html"},
        {"name": "notes", "url": "/note/{items.id}", "as": "text"}]}
    with open(scratch("j.json"), "w", encoding="ascii") as file:
        json.dump(job, file)
    run = scratch("job")
    ended = harness.run("run", "--plain", "--json", "-o", run, scratch("j.json"))
    check_equal((ended.code, ended.report()["ok"]), (0, 5), f"exit code and answers: {ended}")
    check_equal(sorted(name for name in os.listdir(run) if name.endswith(".csv")), ["items.csv"], "tables")
    check(b"bodies are kept as html, and no table is made of them" in ended.err and b"pages.csv" not in ended.err, ended)
    harness.succeed("raw", "--dir", scratch("files"), run)
    files = {name: harness.read(scratch("files/" + name)) for name in os.listdir(scratch("files"))}
    check_equal(sorted(files), ["1.html", "1.txt", "2.html", "2.txt", "items.json"], "files")
    check_equal((files["1.html"], files["2.txt"]), (b"<!DOCTYPE html><title>/page/1</title>", b"note /note/2\n"), "bodies")
    made = harness.run("normalise", run)
    check(made.code == 0 and b"W-TAB1" in made.err and b"items.csv" in made.err, made)
    alone = harness.run("normalise", run, "--endpoint", "pages", "-o", scratch("pages.csv"))
    check(alone.code == 2 and b"E-TAB9" in alone.err and b"raw --dir" in alone.err, alone)


def test_body__is_read_at_any_depth__up_to_one_that_all_parts_share():
    """What is stored as JSON can be read back by every command."""
    for depth, code in ((1024, 0), (1025, 3)):
        run_dir = scratch(f"deep{depth}.run")
        body = b"[" * depth + b"]" * depth
        server = Server(lambda path, body=body: (200, "application/json", body))
        ended = harness.succeed("run", "--plain", "-o", run_dir, "--retries", "0", server.url, code=code)
        check(not code or b"nesting deeper than 1024" in ended.err, "not told", ended)
        harness.succeed("verify", run_dir)
        if not code:
            check_equal(harness.succeed("raw", run_dir).out.strip(), body, "the body")
            harness.succeed("normalise", run_dir, "-o", scratch("deep.csv"))


def test_gzip_of_several_members__is_named__as_what_libcurl_does_not_read():
    body = gzip.compress(b'{"a":') + gzip.compress(b"1}")
    server = Server(lambda _: (200, "application/json", body, ("Content-Encoding", "gzip")))
    ended = harness.run("run", "--plain", "--retries", "0", "-o", scratch("g.run"), "--csv", scratch("g.csv"), f"{server.url}/x")
    rows = table(scratch("g.csv")) if ended.code == 0 else None
    check(rows == [{"a": "1"}] or (ended.code == 3 and b"gzip body goes on after its end" in ended.err), "several members:", ended)


def test_probe__reads_what_a_run_does():
    for content_type, body, words in SAME:
        server = Server(lambda _: (200, content_type, body))
        ended = harness.succeed("probe", f"{server.url}/x")
        check((words.encode() in ended.err if words else b"the answer " not in ended.err), f"probe of {content_type}:", ended)
        check(b"city" in ended.out, "what probe found:", ended)


if __name__ == "__main__":
    harness.main(globals())
