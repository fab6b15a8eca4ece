"""The job file that `probe` prints runs: against the embedded API, every row comes. Where an answer leaves open how
page 2 is asked for, that is tried against a server that knows one parameter only."""

import contextlib
import http.server
import itertools
import json
import threading
import urllib.parse

import harness
import jobs
from harness import check, check_equal, scratch, succeed
from jobs import ask

_numbers = itertools.count()

LOGIN = {"email": "demo@example.com", "password": "demo"}


def probe(server, target, *arguments, stdin=None):
    """What probe prints, and that it asked for the target once. Other requests may be logged late."""

    def times_asked():
        return sum(asked.path == target for asked in server.asked())

    before = times_asked()
    ended = succeed("probe", *arguments or [server.url + target], stdin=stdin)
    harness.wait_for(lambda: times_asked() > before, "the access log")
    check_equal(times_asked() - before, 1, f"requests for {target}")
    return ended.out.decode()


def run_probed(text, env=None):
    """The report of a run of what was printed."""
    path = scratch(f"probed{next(_numbers)}.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return jobs.run(path, env=env)[0]


def test_probe__prints_a_job_that_fetches_all__of_listings():
    listings = {
        "/posts?_page=1&_limit=50": 1000,  # Link
        "/posts?_start=0&_limit=100": 1000,  # X-Total-Count
        "/events?limit=200": 1000,  # a cursor that is hard to copy
        "/allData.json": None,  # an object of trains
        "/posts/1": 1,
        "/list/offset?offset=0&size=10&count=47": 47,
        "/list/next?size=10&count=47": 47,
        "/list/cursor?size=10&count=47": 47,
    }
    with harness.api() as server:
        for target, rows in listings.items():
            text = probe(server, target)
            want = rows or len(ask(server.url + target)[0])
            check_equal(run_probed(text)["rows"], want, f"rows of {target}")


def test_probe__takes_a_pasted_command__and_keeps_no_credential():
    with harness.api("--products", "70") as server:
        token = ask(f"{server.url}/api/auth/login", LOGIN)[0]["access_token"]
        target = "/api/products?page=1&per_page=20"
        command = (f"curl '{server.url}{target}' \\\n"
                   f"  -H 'Authorization: Bearer {token}' -H 'accept-encoding: gzip' --compressed\n")
        pasted = probe(server, target, "-", stdin=command.encode())
        given = probe(server, target, command)
        for text in pasted, given:
            check(token not in text, "the token stands in", text)
            check('"param": "page"' in text, text)
            check_equal(run_probed(text, env={"API_TOKEN": token})["rows"], 70, "products")


def test_probe__takes_a_graphql_request():
    query = {"query": "query($first: Int, $after: String) { items(first: $first, after: $after, "
                      "count: 47) { nodes { id } pageInfo { endCursor hasNextPage } } }",
             "variables": {"first": 10, "count": 47}}
    with harness.api() as server:
        text = probe(server, "/graphql", f"curl {server.url}/graphql --json '{json.dumps(query)}'")
        check('"param": "/variables/after"' in text, text)
        check_equal(run_probed(text)["rows"], 47, "items")


def test_probe__says_why__when_there_is_no_answer():
    with harness.api() as server:
        for target, words in {"/html": "no JSON", "/api/products": "who asks", "/redirect/1": "elsewhere",
                              "/status/503": "503", "/empty": "empty body"}.items():
            ended = succeed("probe", server.url + target, code=3)
            check(words.encode() in ended.err, words, ended)
            check_equal(ended.out, b"", f"stdout of {target}")
    for arguments in ([], ["ftp://h.test/"], ["curl http://h.test | sh"], ["http://a.test", "b"]):
        ended = succeed("probe", *arguments, code=2)
        check(b"error[E-" in ended.err, ended)


# --- a guess is tried ------------------------------------------------------------------------------------

SIZE, RECORDS = 10, 35


def after_id(value):
    return int(value) + 1 if value else 0


def with_next_cursor(first):
    return {"next_cursor": f"c{first + SIZE}" if first + SIZE < RECORDS else None}


def with_has_more(first):
    return {"has_more": first + SIZE < RECORDS}


def after_cursor(value):
    return int(value[1:]) if value else 0


# by path: the one parameter that the server knows; the first record by its value; what stands beside the records, None
# for a plain array
OPEN = {
    "cursor-start": ("start_cursor", after_cursor, with_next_cursor),
    "last-id": ("starting_after", after_id, with_has_more),
    "from-1": ("page", lambda page: SIZE * (int(page or 1) - 1), None),
    "from-0": ("page", lambda page: SIZE * int(page or 0), None),
    "unpaged": ("nothing", lambda _: 0, None),
    "unknown": ("a_name_that_nobody_knows", after_cursor, with_next_cursor),
}


class Open(http.server.BaseHTTPRequestHandler):
    """Passes over parameters that it does not know, but is strict below /strict/, and refuses below /refused/."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        self.server.asked.append(self.path)
        param, first_of, frame = OPEN[parts.path.split("/")[-1]]
        first = first_of(query.get(param))
        records = [{"id": n} for n in range(first, min(first + SIZE, RECORDS))]
        body = records if frame is None else {"items": records, **frame(first)}
        status = 429 if query and "/refused/" in self.path else 400 if set(query) - {param} and (
            "/strict/" in self.path) else 200
        data = json.dumps(body if status == 200 else {"error": "no"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if "/few/" in self.path:
            self.send_header("X-RateLimit-Remaining", "3")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def open_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Open)
    server.daemon_threads, server.asked = True, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def try_out(server, path, *options, code=0):
    """What probe prints, and how many requests it made."""
    server.asked.clear()
    ended = succeed("probe", *options, f"http://127.0.0.1:{server.server_port}{path}", code=code)
    return ended.out.decode(), len(server.asked)


def test_probe__tries_parameters__until_page_2_has_other_records():
    tried = {"/cursor-start": 3, "/strict/cursor-start": 3, "/last-id": 2, "/strict/last-id": 2, "/from-1": 3,
             "/from-0": 4}
    with open_server() as server:
        for path, requests in tried.items():
            text, asked = try_out(server, path)
            check_equal(asked, requests, f"requests for {path}")
            check("page 2 was asked for so, and has other records" in text, path, text)
            check_equal(run_probed(text)["rows"], RECORDS, f"rows of {path}")


def test_probe__that_finds_no_parameter__says_so():
    with open_server() as server:
        text, asked = try_out(server, "/unknown", code=3)
        check_equal(asked, 7, "requests: one, and six tries")
        check("page 2 did not come" in text, text)
        text, asked = try_out(server, "/unpaged")
        check("no sign of further ones" in text and asked <= 7, asked, text)
        check_equal(run_probed(text)["rows"], SIZE, "rows of what has no pages")


def test_probe__tries_nothing__once_it_is_refused_or_few_requests_are_left():
    with open_server() as server:
        for path, requests in {"/refused/cursor-start": 2, "/few/cursor-start": 1}.items():
            text, asked = try_out(server, path, code=3 if requests > 1 else 0)
            check_equal(asked, requests, f"requests for {path}")
        text, asked = try_out(server, "/cursor-start", "--once")
        check_equal(asked, 1, "requests with --once")
        check("goes into cursor\n" in text, text)


if __name__ == "__main__":
    harness.main(globals())
