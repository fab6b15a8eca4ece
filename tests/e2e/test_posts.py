"""A POST is not sent twice without a word: not when its answer is lost, and not when the process is."""

import os
import signal
import struct
import subprocess
import threading

import harness
import peer
from harness import check, check_equal, scratch


class Server(peer.Peer):
    """Answers when `go` says so, but the first `refuses` with 429 at once."""

    def __init__(self, seen=lambda path: None):
        self.refuses, self.go = 0, threading.Event()

        def answer(ask):
            seen(ask.path)
            if ask.number <= self.refuses:
                return peer.reply(status="429 Later")
            self.go.wait()
            return peer.reply(b'{"a": 1}')

        super().__init__(answer)


def killed_in_flight(server, run_dir, *options, count=4, requests=4):
    child = harness.scrapetop("run", "--plain", "-o", run_dir, "-c", str(count), *options,
                              f"{server.url}/x?[1-{count}]", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    harness.wait_for(lambda: server.total() >= requests, "requests")
    child.kill()
    child.wait()
    server.go.set()


POST = ("-X", "POST", "-d", '{"order":1}')


def test_post__is_told_and_not_sent_again__when_the_run_was_killed():
    server, run_dir = Server(), scratch("k.run")
    killed_in_flight(server, run_dir, *POST)
    ended = harness.succeed("run", "--plain", "-o", run_dir, code=3)
    check_equal(server.total(), 4, "POSTs")
    check(b"4 were being sent when the run was cut off: they may have happened" in ended.err, "not told", ended)
    ended = harness.run("run", "--plain", "--json", "-o", run_dir)
    check_equal(server.total(), 4, "POSTs")
    check(b"may have happened" not in ended.err.split(b"failed")[0], "told twice", ended)
    # By hand they are.
    ended = harness.succeed("run", "--plain", "-o", run_dir, "--only-failed", "--class", "maybe-sent")
    check(b"4/4 ok" in ended.err, "not so", ended)
    check_equal(server.total(), 8, "POSTs")


def test_post__is_sent_again__when_asked_to():
    server, run_dir = Server(), scratch("r.run")
    killed_in_flight(server, run_dir, *POST)
    ended = harness.succeed("run", "--plain", "-o", run_dir, "--repeat-posts")
    check(b"may have happened, and are sent again" in ended.err and b"4/4 ok" in ended.err, "not so", ended)
    check_equal(server.total(), 8, "POSTs")


def test_post__is_sent_again__when_its_method_or_header_says_that_it_may_be():
    for number, options in enumerate((("-X", "PUT", "-d", "{}"), (*POST, "-H", "Idempotency-Key: 7"), ())):
        server, run_dir = Server(), scratch(f"m{number}.run")
        killed_in_flight(server, run_dir, *options)
        check_equal(harness.ledger(run_dir, "SELECT count(*) FROM sending"), [(0,)], "marks")
        ended = harness.succeed("run", "--plain", "-o", run_dir)
        check(b"may have happened" not in ended.err and b"4/4 ok" in ended.err, "not so", ended)


def test_post__is_told_and_not_sent_again__when_killed_at_a_later_try():
    """The first try was refused, so its mark has gone: the next one has a mark of its own."""
    server, run_dir = Server(), scratch("l.run")
    server.refuses = 1
    killed_in_flight(server, run_dir, "--backoff", "10ms:20ms", *POST, count=1, requests=2)
    ended = harness.succeed("run", "--plain", "-o", run_dir, code=3)
    check_equal(server.total(), 2, "POSTs")
    check(b"1 was being sent when the run was cut off: it may have happened" in ended.err, "not told", ended)


def killed_while_one_connects(run_dir):
    """A host that lets nobody in keeps one place of four; what it gives back has not been sent."""
    server, deaf = Server(), harness.Deaf()
    with open(scratch("t.txt"), "w", encoding="ascii") as file:
        for number in range(1, 9):
            file.write(f"http://{deaf.address}/{number}\n{server.url}/{number}\n")
    try:
        child = harness.scrapetop("run", "--plain", "-o", run_dir, "-c", "4", "--connect-timeout", "1h", *POST,
                                  "-i", scratch("t.txt"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_for(lambda: server.total() == 3, "all places but one")
        harness.wait_for(lambda: harness.ledger(run_dir, "SELECT count(*) FROM sending") == [(4,)], "four marks")
        child.kill()
        child.wait()
    finally:
        deaf.stop()
    server.go.set()
    return server


def test_post__is_no_doubtful_one__when_it_was_only_connecting():
    run_dir = scratch("t.run")
    server = killed_while_one_connects(run_dir)
    ended = harness.run("run", "--plain", "-o", run_dir, "--retries", "0")
    check(b"3 were being sent when the run was cut off" in ended.err, "not those that went out", ended)
    check_equal(server.total(), 8, "POSTs")
    check(not os.path.exists(f"{run_dir}/unsent"), "a file is left")
    check_equal(harness.ledger(run_dir, "SELECT count(*) FROM sending"), [(0,)], "marks that are left")


def test_post__is_a_doubtful_one__when_it_was_connecting_before_the_machine_went_down():
    """What was not synced may be older than what went out."""
    run_dir = scratch("p.run")
    server = killed_while_one_connects(run_dir)
    with open(f"{run_dir}/unsent", "r+b") as file:
        file.write(b"another.")
    ended = harness.run("run", "--plain", "-o", run_dir, "--retries", "0")
    check(b"4 were being sent when the run was cut off" in ended.err, "not those in flight", ended)
    check_equal(server.total(), 8, "POSTs")


def test_post__is_marked_in_the_ledger__before_it_is_sent():
    run_dir, missing = scratch("b.run"), []

    def seen(path):
        number = int(path.split("?")[1])
        if harness.ledger(run_dir, f"SELECT count(*) FROM sending WHERE id={number}") != [(1,)]:
            missing.append(path)
        with open(f"{run_dir}/unsent", "rb") as file:
            if number in struct.unpack("1024Q", file.read())[1:]:
                missing.append(f"{path} while it counts as not sent")

    server = Server(seen)
    server.go.set()
    ended = harness.succeed("run", "--plain", "-o", run_dir, "-c", "5", *POST, f"{server.url}/x?[1-40]")
    check(b"40/40 ok" in ended.err, "not so", ended)
    check(not missing, "sent without a mark:", missing)
    check_equal(harness.ledger(run_dir, "SELECT count(*) FROM sending"), [(0,)], "marks that are left")


def test_post__keeps_the_cap__while_marks_are_made():
    server, run_dir = Server(), scratch("c.run")
    child = harness.scrapetop("run", "--plain", "-o", run_dir, "-c", "3", *POST, f"{server.url}/x?[1-30]",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    harness.wait_for(lambda: server.total() >= 3, "requests")
    marks = harness.ledger(run_dir, "SELECT count(*) FROM sending")
    check_equal((server.total(), marks), (3, [(3,)]), "requests, marks")
    server.go.set()
    ended = harness.finish(child)
    check(ended.code == 0 and b"at most 3 in flight" in ended.err, "not so", ended)


def test_post__in_flight_is_finished_or_told__when_the_run_is_ended():
    for signals, code, told in ((1, 7, False), (2, 130, True)):
        server, run_dir = Server(), scratch(f"e{signals}.run")
        child = harness.scrapetop("run", "--plain", "-o", run_dir, "-c", "2", *POST, f"{server.url}/x?[1-6]",
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        harness.wait_for(lambda s=server: len(s.asked) >= 2, "requests")
        child.send_signal(signal.SIGINT)
        harness.read_until(child.stderr, rb"Ctrl-C again aborts")
        if signals == 2:
            child.send_signal(signal.SIGINT)
        else:
            server.go.set()
        ended = harness.finish(child)
        check_equal(ended.code, code, f"exit code after {signals}, {ended}")
        server.go.set()
        ended = harness.succeed("run", "--plain", "-o", run_dir, code=3 if told else 0)
        check_equal(b"may have happened" in ended.err, told, f"told after {signals}, {ended}")
        check_equal(server.total(), 6, "POSTs")


if __name__ == "__main__":
    harness.main(globals())
