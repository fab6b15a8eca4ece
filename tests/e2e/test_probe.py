"""`probe` asks once, and the job file that it prints runs: against the embedded API, every row comes."""

import itertools
import json

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


if __name__ == "__main__":
    harness.main(globals())
