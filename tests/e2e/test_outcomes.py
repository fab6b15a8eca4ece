"""normalise --outcomes: a row for each input of a run, with the input's own values and what became of it."""

import csv
import io
import os

import harness
from harness import check, check_equal, scratch

INPUT = "id,city\n1,Oslo\n77777777,\"Nice, France\"\n2,\n3,Lima\n88888888,Rome\n4,Bern\n"


def put(name, text):
    with open(scratch(name), "w", encoding="utf-8") as file:
        file.write(text)
    return scratch(name)


def rows(name):
    return list(csv.DictReader(io.StringIO(harness.read(scratch(name)).decode())))


def test_outcomes__join_the_input__when_some_of_it_failed():
    with harness.api() as server:
        harness.succeed("run", "--rows", put("ids.csv", INPUT), f"{server.url}/posts/{{id}}?city={{city}}", "-o", scratch("x.run"),
                        "--retries", "0", code=3)
    harness.succeed("normalise", "--outcomes", scratch("out.csv"), scratch("x.run"))
    check(not os.path.exists(scratch("x.run/items.csv")), "a table that was not asked for")
    made, given = rows("out.csv"), list(csv.DictReader(io.StringIO(INPUT)))
    check_equal([(row["id"], row["city"]) for row in made], [(row["id"], row["city"]) for row in given], "the input's columns")
    check_equal([row["_outcome"] for row in made], ["done", "failed", "done", "done", "failed", "done"], "outcomes")
    check_equal([row["_status"] for row in made], ["200", "404", "200", "200", "404", "200"], "statuses")
    check_equal([row["_error"] != "" for row in made], [False, True, False, False, True, False], "errors")
    check_equal({row["_attempts"] for row in made}, {"1"}, "attempts")
    # Both at once, and in another format.
    harness.succeed("normalise", "--outcomes", scratch("out.jsonl"), "-o", scratch("t.csv"), scratch("x.run"))
    check_equal(len(rows("t.csv")), 4, "rows of the table")
    check_equal(harness.read(scratch("out.jsonl")).count(b"\n"), 6, "lines")


def test_outcomes__say_what_was_not_asked__when_a_run_has_stopped():
    with harness.api() as server:
        harness.run("run", "-i", put("urls.txt", "".join(f"{server.url}/posts/{n}\n" for n in range(1, 21))), "-o", scratch("x.run"),
                    "--max-requests", "5", "-c", "1")
    harness.succeed("normalise", "--outcomes", scratch("out.csv"), scratch("x.run"))
    made = rows("out.csv")
    check_equal([row["_key"] for row in made], [f"posts/{n}" for n in range(1, 21)], "keys")
    asked = [row["_outcome"] == "done" for row in made]
    check(asked[0] and not asked[19] and asked == sorted(asked, reverse=True), asked)
    check_equal({(row["_outcome"], row["_status"], row["_attempts"]) for row in made if row["_outcome"] != "done"},
                {("not asked", "", "0")}, "what was not asked")


def test_outcomes__name_the_endpoint__when_there_are_several():
    with harness.api() as server:
        job = put("job.json", '''{"base": "%s", "endpoints": [{"name": "posts", "url": "/posts/{n}"},
                  {"name": "statuses", "url": "/status/20{m}"}], "vars": {"n": "[1-3]", "m": "[1-2]"}}''' % server.url)
        harness.succeed("run", job, "-o", scratch("x.run"))
    harness.succeed("normalise", "--outcomes", scratch("out.csv"), scratch("x.run"))
    check_equal([(row["_endpoint"], row["_outcome"]) for row in rows("out.csv")], [("posts", "done")] * 3 + [("statuses", "done")] * 2,
                "rows")
    harness.succeed("normalise", "--endpoint", "statuses", "--outcomes", scratch("out.csv"), scratch("x.run"))
    check_equal(len(rows("out.csv")), 2, "rows of one endpoint")


def test_outcomes__are_refused__where_there_are_none():
    with harness.api() as server:
        harness.succeed("run", f"{server.url}/posts/1", "-o", scratch("x.run"), "--every", "100ms", "--count", "2")
    ended = harness.run("normalise", "--outcomes", scratch("out.csv"), scratch("x.run"))
    check(ended.code == 2 and b"E-OUTC1" in ended.err, ended)
    ended = harness.run("normalise", "--outcomes", scratch("out.csv"), "-", stdin=b"{}")
    check(ended.code == 2 and b"--outcomes wants a run" in ended.err, ended)
    ended = harness.run("normalise", "--outcomes", scratch("out.xlsx"), scratch("x.run"))
    check(ended.code == 2 and b"no table is written in such a file" in ended.err, ended)


if __name__ == "__main__":
    harness.main(globals())
