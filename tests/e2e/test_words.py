"""What a run says of itself: whom an error is of, what libcurl said, and figures that agree with each other."""

import json
import socket

import harness
from harness import check, check_equal, scratch
from peer import Peer, reply

HTTP2_SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def refusing():
    """A port that refuses: bound, but nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken, f"127.0.0.1:{taken.getsockname()[1]}"


def events(run_dir, kind=None):
    lines = [json.loads(line) for line in harness.read(run_dir + "/events.jsonl").splitlines()]
    return [line for line in lines if kind in (None, line["event"])]


def fetch(run_dir, *urls, code=0, more=("--retries", "1", "--backoff", "10ms:20ms")):
    return harness.succeed("run", "--plain", "--json", "-o", run_dir, *more, *urls, code=code)


def test_error_line__names_the_host():
    run_dir = scratch("a.run")
    peer = Peer(lambda ask: reply(status="404 Not Found"))
    taken, refused = refusing()
    ended = fetch(run_dir, peer.url + "/x", f"http://{refused}/x", code=3)
    err = ended.err.decode()
    check(f"GET /x at {peer.url[7:]} failed: HTTP 404" in err, err)
    check(f"GET /x at {refused} failed: connection refused" in err, err)
    check_equal(sorted(e["host"] for e in events(run_dir, "failed")), sorted([peer.url[7:], refused]), "hosts")
    taken.close()


def test_libcurls_sentence__stays_in_the_events():
    run_dir = scratch("a.run")
    taken, refused = refusing()
    fetch(run_dir, f"http://{refused}/x", code=3)
    for kind in "retry", "failed":
        (event,) = events(run_dir, kind)
        check(event["curl"].startswith("Failed to connect to 127.0.0.1 port"), event)
    taken.close()


def test_empty_reply__says_that_the_server_may_speak_http2_only():
    for name, answer, says in (
        ("nothing", lambda ask: None, "Empty reply from server: perhaps the server speaks only HTTP/2"),
        ("frames", lambda ask: HTTP2_SETTINGS if not setattr(ask, "keep", False) else b"",
         "the answer is not HTTP/1: perhaps the server speaks only HTTP/2"),
    ):
        ended = fetch(scratch(name), Peer(answer).url + "/x", code=3)
        check(says in ended.err.decode(), ended)


if __name__ == "__main__":
    harness.main(globals())
