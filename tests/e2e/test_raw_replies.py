"""Answers that are no HTTP, or hardly: the program lives, each ends as something, and the others are right.

The answers are those of tests/raw_replies.txt, which test_raw_replies.c looks at one by one.
"""

import json
import signal

import harness
import raw_replies
from harness import check, check_equal, scratch

RIGHT_COUNT = 100


def is_done(reply):
    """What the whole program makes of it: a body that is no JSON is a failure, a redirect leads to a right one."""
    empty = not (b'{"a' in reply.bytes or reply.status == 204)
    return "redirect" in reply.outcomes or ("ok" in reply.outcomes and not empty)


def arguments(server, *more):
    return ["run", "--plain", "-c", "3", "--retries", "1", "--backoff", "1ms:2ms", "--max-body", "1M",
            "-o", scratch("r.run"), *more, f"{server.url}/reply/[0-{len(server.replies) - 1}]",
            f"{server.url}/right/[1-{RIGHT_COUNT}]"]


def check_run(server, ended):
    check_equal(ended.code, 3, f"exit code; {ended}")
    check(b"Sanitizer" not in ended.err, "memory:", ended)
    rows = harness.ledger(scratch("r.run"), "SELECT id,state,reason FROM request WHERE state<>1")
    for number, reply in enumerate(server.replies, 1):
        row = [r for r in rows if r[0] == number]
        if len(set(reply.outcomes)) > 1:
            continue  # releases of libcurl differ
        if is_done(reply):
            check(not row, reply.name, "is done, not", row)
        else:
            check(row and row[0][1] == 2 and row[0][2], reply.name, "has failed for a reason, not", row)
    check(not [r for r in rows if r[0] > len(server.replies)], "right ones have failed")
    found = harness.bodies(scratch("r.run"))
    for number in range(1, RIGHT_COUNT + 1):
        check_equal(found[f"/right/{number}"], [raw_replies.RIGHT_BODY], f"body of /right/{number}")
    harness.succeed("verify", scratch("r.run"))


def test_run__lives_and_settles_all__whatever_is_answered():
    server = raw_replies.Server(raw_replies.read())
    ended = harness.run(*arguments(server, "--json"))
    check_run(server, ended)
    failures = json.loads(ended.out)["failures"]
    check(all(f["why"] and f["why"] != "other" for f in failures), "a failure of no class:", failures)
    asked = sum(server.asked.values())
    check_equal(harness.run(*arguments(server)).code, 3, "exit code of a second session")
    check_equal(sum(server.asked.values()), asked, "asked again by a second session")


def test_run__goes_on__when_killed_amid_them():
    server = raw_replies.Server(raw_replies.read())
    child = harness.scrapetop(*arguments(server, "--rate", "100/s"))
    harness.wait_for(lambda: sum(server.asked.values()) > 30, "some answers")
    child.send_signal(signal.SIGKILL)
    child.wait()
    check_run(server, harness.run(*arguments(server)))


if __name__ == "__main__":
    harness.main(globals())
