"""A run through bad weather: failures, truncation and a 429 limit; every body exactly once.

Every answer tells the quota, so alone the run would keep to it; a neighbour with the same key eats of it
without asking, so that there are refusals. The server's log is the witness for the other promise: no
request inside a window that a 429 named.
"""

import contextlib
import http.client
import threading

import harness
from harness import check, check_equal, scaled, scratch

URLS = scaled(400, 300)
CAP = 20
RETRY_AFTER_US = 1_000_000  # what the API names at this limit: whole seconds, and one is enough
WEATHER = ["--fail", "2%", "--truncate", "1%", "--limit", "100/s:50", "--latency", "10ms",
           "--jitter", "5ms"]


def pattern(server):
    return f"{server.url}/posts/[1-{URLS}]"


def calm_bodies():
    """path -> body, fetched from the same API on a fine day."""
    with harness.api(name="calm") as server:
        harness.succeed("run", "-o", scratch("calm.run"), "-c", "50", pattern(server))
    return {path: them[0] for path, them in harness.bodies(scratch("calm.run")).items()}


def check_windows(asked):
    """After a 429 was sent, only what was on its way already may still arrive; then silence.

    When the client reads the answer the server cannot know: until then there may be as many arrivals as
    were in flight, and as many again in their place. Without a hold there would be hundreds.
    """
    limited = [a for a in asked if a.status == 429]
    check(limited, "the limit was never met: this test shows nothing")
    for answer in limited:
        sent_us = answer.arrived_us + answer.took_us
        inside = [a.arrived_us - sent_us for a in asked
                  if sent_us < a.arrived_us < sent_us + RETRY_AFTER_US]
        check(len(inside) <= 2 * CAP, f"requests {inside} us after a 429 that said 1 s, sent at {sent_us}")


@contextlib.contextmanager
def neighbour(server):
    """Every two seconds it asks as fast as it can, until it is refused."""
    over = threading.Event()

    def ask():
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        while not over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", "/comments/1")
                answer = connection.getresponse()
                answer.read()
                if answer.status == 429:
                    over.wait(2)
        connection.close()

    eaters = [threading.Thread(target=ask) for _ in range(8)]
    for eater in eaters:
        eater.start()
    try:
        yield
    finally:
        over.set()
        for eater in eaters:
            eater.join()


def test_weather__every_body_once__when_server_fails_truncates_and_limits():
    want = calm_bodies()
    check_equal(len(want), URLS, "bodies on a fine day")
    with harness.api(*WEATHER) as server:
        with neighbour(server):
            ended = harness.succeed("run", "-o", scratch("w.run"), "-c", str(CAP), "--json",
                                    "--retries", "20", pattern(server))
        server.stop()
        asked = [a for a in server.asked() if a.path.startswith("/posts/")]
    report = ended.report()
    harness.check_bodies(scratch("w.run"), want)
    check_equal(harness.ledger_counts(scratch("w.run")), {1: URLS}, "ledger, by state")
    check_equal((report["requests"], report["ok"], report["failed"]), (URLS, URLS, 0),
                "requests, ok, failed")
    check_equal(report["attempts"], len(asked), "attempts against the server's log")
    check_equal(report["status"].get("429", 0), sum(a.status == 429 for a in asked), "429s, theirs and ours")
    check_equal(report["politeness"]["requests_before_a_deadline"], 0, "requests before a deadline")
    check(report["retried"] > 0, "nothing was retried: this weather shows nothing")
    check(report["max_in_flight"] <= CAP, "in flight:", report["max_in_flight"])
    check_windows(asked)


if __name__ == "__main__":
    harness.main(globals())
