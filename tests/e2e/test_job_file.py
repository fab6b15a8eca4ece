"""What a job file says is what a server is asked: variables in URL, header and body, secrets that are
written down nowhere, mistakes told before anything is asked.

The server here keeps what it was asked, headers and bodies included, which `serve` does not log.
"""

import csv
import datetime
import http.server
import json
import os
import threading
import urllib.parse

import harness
import jobs
from harness import check, check_equal, scratch
from peer import Peer, reply

KEY = "k3y-of-the-envir0nment"
PASSWORD = 'p"w\\of the file&1'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        if self.path.startswith("/login"):
            told = {"access_token": "t0ken-of-the-server", "expires_in": 3600}
        elif self.path.startswith("/list"):
            told = {"items": [{"id": 9007199254740993, "tag": "a b"}, {"id": 7, "tag": "c\r\nX: d"},
                              {"id": None, "tag": "e"}, {"id": 7, "tag": "f"}]}
        elif self.path.startswith("/paged"):
            told = {"items": [1], "next": self.path + "&more=1" if "more" not in self.path else None}
        else:
            told = {"path": self.path.partition("?")[0]}
        data = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Server:
    """Keeps (method, path, headers, body) of every request in `asked`."""

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.asked = self.asked = []
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def write(name, text):
    with open(scratch(name), "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(scratch(name), 0o600)
    return scratch(name)


def run_job(server, name, *more, code=0, **environment):
    environment.setdefault("JOB_KEY", KEY)
    return harness.succeed("run", "--plain", "--base", server.url, *more, scratch(name), code=code,
                           env=harness.environment(**environment))


def check_nowhere(run_dir, ended, *secrets):
    said = {"stdout": ended.out, "stderr": ended.err}
    for path, data in (harness.everything_in(run_dir) | said).items():
        for secret in secrets:
            check(secret.encode() not in data, path, "holds", secret)


def test_variables__stand_in_url_header_and_body__as_they_are():
    write("ids.csv", 'id,name\n1,"x, y"\n2,ü\n')
    write("vars.json", """{
        "vars": { "row": { "file": "ids.csv" }, "day": { "from": "2026-01-31", "to": "2026-02-28",
                  "step": "1month" }, "n": ["12345678901234567890", 12345678901234567890] },
        "endpoints": [
          { "name": "urls", "url": "/u/{row.id}?q={row.name}&d={day}&to={day.last}",
            "headers": { "X-Name": "<{row.id}>" } },
          { "name": "bodies", "url": "/b", "json": { "n": "{n}", "t": "n is {n}", "k": 1.10 } }
        ] }""")
    with Server() as server:
        run_job(server, "vars.json", "-o", scratch("vars.run"))
        asked = sorted((m, p, h.get("X-Name"), b) for m, p, h, b in server.asked)
    want = [("GET", f"/u/{i}?q={q}&d={d}&to={to}", f"<{i}>", "")
            for i, q in ((1, "x%2C%20y"), (2, "%C3%BC"))
            for d, to in (("2026-01-31", "2026-02-27"), ("2026-02-28", "2026-02-28"))]
    want += [("POST", "/b", None, '{"n":%s12345678901234567890%s,"t":"n is 12345678901234567890",'
                                  '"k":1.10}' % (q, q)) for q in ('"', "")]
    check_equal(asked, sorted(want), "what was asked")


def records(path):
    with open(path, encoding="utf-8", newline="") as file:
        return len(list(csv.reader(file)))


def test_tables_named_on_the_command_line__are_written__beside_a_job_file_and_again():
    with harness.api() as server:
        job, table = scratch("t.json"), scratch("t.csv")
        with open(job, "w", encoding="ascii") as file:
            json.dump({"name": "t", "output": ["csv"], "vars": {"id": "[1-5]"},
                       "endpoints": [{"name": "posts", "url": server.url + "/posts/{id}"}]}, file)
        words = ["run", "--plain", "-o", scratch("t.run")]
        harness.succeed(*words, job, "--csv", table)
        check_equal(records(table), 6, "records of the table")
        os.unlink(table)
        harness.succeed(*words, "--csv", table)
        check_equal(records(table), 6, "records of the table, of a run that goes on")


def test_details__are_asked_once__with_values_of_their_record():
    write("list.json", """{ // two of these cannot be asked for, and one is there twice
        "endpoints": [
          { "name": "details", "url": "/detail/{list.id}", "headers": { "X-Tag": "{list.tag}" } },
          { "name": "list", "url": "/list", "records": "/items" } ] }""")
    with Server() as server:
        run_job(server, "list.json", "-o", scratch("list.run"))
        asked = sorted((p, h.get("X-Tag"), h.get("X")) for _, p, h, _ in server.asked)
    check_equal(asked, [("/detail/7", "f", None), ("/detail/9007199254740993", "a b", None),
                        ("/list", None, None)], "what was asked")


def test_secrets__are_sent__and_written_nowhere():
    write("secret", PASSWORD + "\n")
    write("secrets.json", """{
        "headers": { "X-Api-Key": "${JOB_KEY}" },
        "login": { "url": "/login", "json": { "user": "me", "password": "@secret" } },
        "endpoints": [ { "name": "a", "url": "/a" } ] }""")
    with Server() as server:
        ended = run_job(server, "secrets.json", "-o", scratch("secrets.run"))
        (_, path, _, body), (_, _, headers, _) = server.asked
    check_equal((path, json.loads(body)), ("/login", {"user": "me", "password": PASSWORD}), "login")
    check_equal(headers["X-Api-Key"], KEY, "the key")
    check_equal(headers["Authorization"], "Bearer t0ken-of-the-server", "the token")
    check_nowhere(scratch("secrets.run"), ended, KEY, PASSWORD, json.dumps(PASSWORD)[1:-1],
                  "t0ken-of-the-server")
    harness.succeed("normalise", scratch("secrets.run"))  # needs none of them
    dry = run_job(server, "secrets.json", "--dry-run")
    shown = run_job(server, "secrets.json", "--show-config")
    check_nowhere(scratch("secrets.run"), dry, KEY, PASSWORD)
    check_nowhere(scratch("secrets.run"), shown, KEY, PASSWORD)
    check(b'headers.X-Api-Key = "${JOB_KEY}"  # ' in shown.out, "--show-config says:", shown)


def test_show_config__tells_where_each_value_comes_from():
    write("shown.json", """{
  "pace": { "rate": "5/s" },
  "endpoints": [ { "name": "a", "url": "https://h.example/", "pages": "auto" } ]
}""")
    out = harness.succeed("run", "--show-config", "--cap", "7", "--retries", "2", "-H", "X-A: b",
                          scratch("shown.json")).out.decode()
    name = scratch("shown.json")
    for line in ("pace.cap = 7  # --cap", f'pace.rate = "5/s"  # {name}:2',
                 "retry.attempts = 3  # --retries (--retries 2)", 'retry.backoff = "1s:30s"  # default',
                 "pace.cap_max = 100  # default", "pace.cap_per_host = 0  # default (no limit)",
                 f'endpoints[a].url = "https://h.example/"  # {name}:3',
                 f'endpoints[a].pages.kind = "auto"  # {name}:3', 'headers.X-A = "b"  # --header'):
        check(line in out.splitlines(), "want the line", line, "in", out)


def test_a_key_in_a_url__is_sent__and_written_nowhere():
    with Server() as server:
        ended = harness.succeed("run", "--plain", "-o", scratch("key.run"),
                                f"{server.url}/k?api_key=${{JOB_KEY}}&n=[1-2]",
                                env=harness.environment(JOB_KEY=KEY))
        asked = sorted(path for _, path, _, _ in server.asked)
    check_equal(asked, [f"/k?n={n}&api_key={KEY}" for n in (1, 2)], "what was asked")
    check_nowhere(scratch("key.run"), ended, KEY)


def test_a_key_that_a_server_repeats__is_not_kept_with_the_next_page():
    write("paged.json", """{
        "login": { "key": "${JOB_KEY}", "query": "api_key" },
        "endpoints": [ { "name": "a", "url": "/paged?x=1", "records": "/items",
                         "pages": { "next": "/next" } } ] }""")
    with Server() as server:
        run_job(server, "paged.json", "-o", scratch("paged.run"))
        asked = [path for _, path, _, _ in server.asked]
    check_equal(asked, [f"/paged?x=1&api_key={KEY}", f"/paged?x=1&more=1&api_key={KEY}"], "asked")
    for path, data in harness.everything_in(scratch("paged.run")).items():
        if "/raw/" not in path:  # bodies are kept as they came
            check(KEY.encode() not in data, path, "holds the key")


def test_a_run__goes_on_over_other_values__and_by_itself_over_its_own():
    write("w.txt", "a\nb\n")
    write("changed.json", '{"vars":{"w":{"file":"w.txt"}},"endpoints":[{"url":"/{w}"}]}')
    with Server() as server:
        run_job(server, "changed.json", "-o", scratch("changed.run"))
        run_job(server, "changed.json", "-o", scratch("changed.run"))
        check_equal(len(server.asked), 2, "requests of a run and of one that had nothing left")
        write("w.txt", "a\nc\n")
        harness.succeed("run", "--plain", "-o", scratch("changed.run"))
        check_equal(len(server.asked), 2, "requests of the values that the run keeps")
        run_job(server, "changed.json", "-o", scratch("changed.run"))
        check_equal(len(server.asked), 3, "requests after the file had changed")


def test_a_run__is_not_resumed__over_chunks_of_another_size():
    job = '{"vars":{"w":{"values":["a","b","c"],"chunk":%d}},"endpoints":[{"url":"/{w}"}]}'
    with Server() as server:
        write("chunk.json", job % 2)
        run_job(server, "chunk.json", "-o", scratch("chunk.run"))
        write("chunk.json", job % 1)
        ended = run_job(server, "chunk.json", "-o", scratch("chunk.run"), code=2)
        check(b"E-JOB1" in ended.err and b"--fresh" in ended.err, ended)
        check_equal(len(server.asked), 2, "requests")


def test_a_run__is_not_resumed__over_other_details():
    peer = Peer(lambda ask: reply([{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}]))
    for kinds, code, asked in (('["a", "c"]', 0, 2), ('["a", "c"]', 0, 2), ('["a", "b"]', 2, 2)):
        write("where.json", f"""{{ "base": "{peer.url}", "endpoints": [
            {{ "name": "list", "url": "/list", "records": "" }},
            {{ "name": "one", "url": "/one/{{list.id}}", "where": {{ "at": "/kind", "is": {kinds} }} }} ] }}""")
        ended = harness.succeed("run", "--plain", "-o", scratch("where.run"), scratch("where.json"), code=code)
        check((b"E-JOB1" in ended.err) == (code == 2), ended)
        check_equal(peer.total(), asked, f"asked with {kinds}")


def test_a_run__is_not_resumed__over_details_of_other_records():
    peer = Peer(lambda ask: reply({"new": [{"id": 1}], "old": [{"id": 2}]}))
    for records, table, code in (("/new", "", 0), ("/old", "", 2), ("/new", "/new", 0)):
        write("of.json", f"""{{ "base": "{peer.url}", "endpoints": [
            {{ "name": "list", "url": "/list", "records": "{records}" }},
            {{ "name": "one", "url": "/one/{{list.id}}", "records": "{table}" }} ] }}""")
        ended = harness.succeed("run", "--plain", "-o", scratch("of.run"), scratch("of.json"), code=code)
        check((b"E-JOB1" in ended.err) == (code == 2), ended)
        check_equal(peer.total(), 2, f"asked with {records}")


def test_mistakes__are_all_told__and_leave_nothing_behind():
    write("wrong.json", """{
  "concurency": 3,
  "endpoints": [ { "name": "a", "url": "/{ctiy}", "records": "items" } ],
  "vars": { "city": ["x"] }
}""")
    with Server() as server:
        ended = run_job(server, "wrong.json", "-o", scratch("wrong.run"), code=2)
        check_equal(server.asked, [], "requests")
    lines = ended.err.decode().splitlines()
    name = scratch("wrong.json")
    want = [f'error[E-CFG1]: {name}:2:4: unknown key "concurency"',
            f'error[E-CFG5]: {name}:3:40: {{ctiy}} names neither a variable nor an endpoint (did you '
            'mean "city"?)', f'error[E-PTR1]: {name}:3:62: "records"', "3 mistakes"]
    for line, part in zip(lines, want):
        check(part in line, "want", part, "in", line)
    check_equal(len(lines), 4, "lines")
    check(not os.path.exists(scratch("wrong.run")), "a run directory was made")


# --- variables of the command line, and days in words ------------------------------------------------------


def asked_paths(peer):
    return sorted(peer.asked)


def days_job(peer, name="days", **more):
    return jobs.write_job(name, base=peer.url, vars={"day": {"from": "-2d", "to": "today"}, "id": ["a", "b"], **more},
                          endpoints=[{"name": "x", "url": "/{id}/{day}"}])


def test_var__takes_the_place_of_what_the_file_says():
    today = datetime.datetime.now(datetime.timezone.utc).date()
    peer = Peer(lambda ask: reply())
    job = days_job(peer)
    harness.succeed("run", "--plain", "-o", scratch("v.run"), "--var", "day=yesterday", "--var", "id=c/d", job)
    check_equal(asked_paths(peer), [f"/c%2Fd/{today - datetime.timedelta(days=1)}"], "asked")
    for words, told in ((["--var", "dya=1"], b'did you mean "day"?'), (["--var", "day"], b"want NAME=VALUE"),
                        (["--var", "1x=1"], b"want NAME=VALUE"), (["--var", "=1"], b"want NAME=VALUE")):
        ended = harness.run("run", "--plain", "-o", scratch("no.run"), *words, job)
        check(ended.code == 2 and told in ended.err, words, ended)
    ended = harness.run("run", "--plain", "-o", scratch("no.run"), "--var", "a=1", peer.url + "/{a}")
    check(ended.code == 2 and b"goes with a job file" in ended.err, ended)
    ended = harness.run("run", "--plain", "-o", scratch("v.run"), "--var", "day=2020-01-01", job)
    check(ended.code == 2 and b"with other values" in ended.err, "another value is another run:", ended)


def test_var__that_stands_for_a_credential__is_warned_of():
    peer = Peer(lambda ask: reply())
    told = b"W-SEC3"
    for name, endpoint, warns in (("url", {"url": "/x?n={n}&api_key={k}"}, True),
                                  ("json", {"url": "/x/{n}", "json": {"password": "{k}"}}, True),
                                  ("form", {"url": "/x/{n}", "body": "client_secret={+k}"}, True),
                                  ("header", {"url": "/x/{n}", "headers": {"X-Api-Key": "{k}"}}, True),
                                  ("plain", {"url": "/x/{n}", "headers": {"X-Page": "{k}"}}, False),
                                  ("page", {"url": "/x?page_token={k}&n={n}"}, False),
                                  ("word", {"url": "/x?q={k}&n={n}", "body": '{"password": "", "id": "{k}"}'}, False)):
        job = jobs.write_job("c" + name, base=peer.url, vars={"n": [1, 2]}, endpoints=[{"name": "x", **endpoint}])
        ended = harness.succeed("run", "--plain", "-o", scratch(f"c{name}.run"), "--var", "k=abcdefgh", job)
        check_equal(told in ended.err, warns, f"{name}: {ended.err.decode()}")
        check(not warns or b"{k}" in ended.err, ended)


PLANTED = 'planted-{n}"&x'


def run_with_secret(peer, name, words, code=0, **endpoint):
    """With --var; what was asked. No trace of the secret is left."""
    job = jobs.write_job(name, base=peer.url, vars={"n": [1, 2]}, endpoints=[{"name": "x", **endpoint}])
    peer.heard.clear()
    ended = harness.run("run", "--plain", "-o", scratch(name + ".run"), *words, job, env=dict(os.environ, PLANTED="planted-7"))
    check_equal(ended.code, code, ended)
    check(code == 0 or b"E-SEC4" in ended.err, ended)
    check(b"W-SEC3" not in ended.err and b"planted" not in ended.out + ended.err, ended)
    for path, data in harness.everything_in(scratch(name + ".run")).items():
        check(b"planted" not in data, path, "holds the secret")
    return peer.heard


def listener():
    def answer(ask):
        body = ask.body.decode()
        peer.heard.append(urllib.parse.unquote(ask.path) + ask.headers.get("x-api-key", "") +
                          (json.loads(body)["password"] if body.startswith("{") else urllib.parse.unquote(body)))
        return reply()

    peer = Peer(answer)
    peer.heard = []
    return peer


def test_var__from_the_environment__fills_headers__and_is_refused_elsewhere():
    peer, words = listener(), ["--var", "k=a ${PLANTED}"]
    for name, more in (("job", {}), ("own", {"X-Page": "{n}"})):
        asked = run_with_secret(peer, name, words, url="/{n}", headers={"X-Api-Key": "{k}", **more})
        check_equal(sorted(asked), ["/1a planted-7", "/2a planted-7"], "asked")
        check_equal(run_with_secret(peer, name, words, url="/{n}", headers={"X-Api-Key": "{k}", **more}), [], "asked twice")
    for name, endpoint in (("path", {"url": "/{n}/{+k}"}), ("query", {"url": "/{n}?api_key={k}"}),
                           ("body", {"url": "/{n}", "json": {"password": "{k}"}})):
        check_equal(run_with_secret(peer, name, words, code=2, **endpoint), [], "asked")


def test_var__that_is_typed_for_a_credential__is_kept_as_little_as_one_in_the_file():
    peer = listener()
    for name, endpoint in (("url", {"url": "/{n}?api_key={api_key}"}), ("json", {"url": "/{n}", "json": {"password": "{api_key}"}}),
                           ("word", {"url": "/{n}?q={api_key}"}), ("form", {"url": "/{n}", "body": "client_secret={api_key}"})):
        words = ["--var", "api_key=" + PLANTED]
        asked = run_with_secret(peer, name, words, **endpoint)
        check(len(asked) == 2 and all(PLANTED in text for text in asked), name, asked)
        check_equal(run_with_secret(peer, name, words, **endpoint), [], "asked twice")
    words = ["--var", "api_key=planted-7"]
    asked = run_with_secret(peer, "typed", words, url="/{n}", headers={"X-Api-Key": "{api_key}", "X-Page": "{n}"})
    check_equal(sorted(asked), ["/1planted-7", "/2planted-7"], "asked")
    for name, endpoint in (("path", {"url": "/{n}/{api_key}"}),
                           ("plain", {"url": "/{n}", "headers": {"X-Page": "{api_key}"}}),
                           ("both", {"url": "/{n}", "headers": {"X-Api-Key": "{api_key} {n}"}})):
        check_equal(run_with_secret(peer, "no" + name, words, code=2, **endpoint), [], "asked")


def test_var__keeps_its_kind__in_a_body():
    bodies = []

    def answer(ask):
        bodies.append(bytes(ask.body))
        return reply()

    peer = Peer(answer)
    job = jobs.write_job("kinds", base=peer.url,
                         endpoints=[{"name": "x", "url": "/",
                                     "json": {"n": "{n}", "zip": "{zip}", "yes": "{yes}", "s": "{s}"}}])
    harness.succeed("run", "--plain", "-o", scratch("k.run"), "--var", "n=9007199254740993", "--var", "zip=00501", "--var",
                    "yes=true", "--var", 's=a="b"', job)
    check_equal([json.loads(body, parse_int=str) for body in bodies],
                [{"n": "9007199254740993", "zip": "00501", "yes": True, "s": 'a="b"'}], "body")
    check(b'"n":9007199254740993' in bodies[0].replace(b" ", b""), "a number stays one:", bodies)


def test_days_in_words__go_on_to_mean_what_they_meant_as_the_run_began():
    peer, run_dir = Peer(lambda ask: reply()), scratch("w.run")
    job = days_job(peer)
    harness.succeed("run", "--plain", "-c", "1", "--max-requests", "1", "-o", run_dir, job, code=4)
    stored = os.path.join(run_dir, "job.json")
    with open(stored, encoding="utf-8") as file:
        text = file.read()
    today = json.loads(text)["vars"]["day"]["today"]
    with open(stored, "w", encoding="utf-8") as file:
        file.write(text.replace(today, "2026-03-01"))
    ended = harness.run("run", "--plain", "--max-requests", "100", "-o", run_dir, job)
    check_equal(ended.code, 0, ended)
    check(f"goes on with the days of 2026-03-01, when it began; --fresh begins one of {today}".encode() in ended.err, ended)
    want = {f"/{name}/{day}" for name in "ab" for day in ("2026-02-27", "2026-02-28", "2026-03-01")}
    check_equal(len(want - set(peer.asked)), 1, "the first was asked with another day, which this test has changed")
    check_equal(peer.total(), 6, "asked in all")


if __name__ == "__main__":
    harness.main(globals())
