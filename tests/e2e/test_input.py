"""A list on stdin that has not ended: its first URLs are asked while the rest is still to come."""

import json
import os
import signal
import subprocess

import harness
import jobs
from harness import check, check_equal, scratch
from peer import Peer, reply


def begin(run_dir, *more):
    return harness.scrapetop("run", "--plain", "-o", run_dir, *more, "-i", "-", stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def say(child, text):
    child.stdin.write(text.encode())
    child.stdin.flush()


def asked(peer, *paths):
    harness.wait_for(lambda: all(peer.asked[path] for path in paths), f"{paths} to be asked")


def stored(run_dir):
    return sorted(json.loads(line)["key"] for line in harness.raw_lines(run_dir))


def whole(run_dir, text, code=0):
    return harness.succeed("run", "--plain", "-o", run_dir, "-i", "-", stdin=text.encode(), code=code)


def test_list__is_asked_before_its_end():
    peer, run_dir = Peer(lambda ask: reply()), scratch("a.run")
    child = begin(run_dir, "--json")
    say(child, "# comes first\n\n")
    say(child, f"{peer.url}/1\n")
    asked(peer, "/1")
    check(child.poll() is None, "it ended before its list")
    say(child, f"# another\n{peer.url}/2\n{peer.url}/3\n{peer.url}/")
    asked(peer, "/2", "/3")
    harness.wait_for(lambda: b"INPUT" in harness.run("status", run_dir).out, "a limit that names the list")
    check(os.path.exists(run_dir + "/urls-1.open"), "nothing says that the list is open")
    say(child, '4\n{"name": "five", "url": "' + peer.url + '/5"}\n' + peer.url + "/6")  # without a line feed
    child.stdin.close()
    child.stdin = None
    ended = harness.finish(child)
    check_equal(ended.code, 0, ended)
    report = ended.report()
    check_equal((report["requests"], report["ok"], report["pending"]), (6, 6, 0), "requests")
    check_equal(dict(peer.asked), {f"/{n}": 1 for n in range(1, 7)}, "asked")
    check_equal(stored(run_dir), ["1", "2", "3", "4", "6", "five"], "keys")
    check(not os.path.exists(run_dir + "/urls-1.open"), "the mark is still there")
    check_equal(harness.succeed("verify", run_dir).code, 0, "verify")


def cut_off(run_dir, peer, how):
    child = begin(run_dir)
    say(child, f"{peer.url}/1\n{peer.url}/2\n")
    asked(peer, "/1", "/2")
    harness.wait_for(lambda: len(stored(run_dir)) == 2, "both to be stored")
    held, child.stdin = child.stdin, None  # open until the run has ended
    child.send_signal(how)
    ended = harness.finish(child)
    held.close()
    check(os.path.exists(run_dir + "/urls-1.open"), "nothing says that the list was open")
    return ended


def test_list__goes_on_where_it_was__when_it_is_given_again():
    for how, code in (signal.SIGINT, 7), (signal.SIGKILL, -9):
        peer, run_dir = Peer(lambda ask: reply()), scratch(f"{how.name}.run")
        ended = cut_off(run_dir, peer, how)
        check_equal(ended.code, code, ended)
        check(code != 7 or b"the rest of the list was not read; resume with the same command" in ended.err, ended)
        alone = harness.succeed("run", "--plain", "-o", run_dir)
        check(b"W-IN1" in alone.err, "no word of the rest", alone)
        other = whole(run_dir, f"{peer.url}/one\n{peer.url}/other\n{peer.url}/3\n", code=2)
        check(b"E-JOB1" in other.err, other)
        whole(run_dir, "".join(f"{peer.url}/{n}\n" for n in range(1, 6)))
        check_equal(dict(peer.asked), {f"/{n}": 1 for n in range(1, 6)}, "asked")
        check(not os.path.exists(run_dir + "/urls-1.open"), "the mark is still there")
        again = whole(run_dir, "".join(f"{peer.url}/{n}\n" for n in range(1, 6)))
        check(b"5/5 ok" in again.err, again)


def test_list__has_not_ended__when_its_writer_goes_with_the_run():
    peer, run_dir = Peer(lambda ask: reply()), scratch("a.run")
    child = begin(run_dir)
    say(child, f"{peer.url}/1\n{peer.url}/2\n{peer.url}/torn")
    asked(peer, "/1", "/2")
    child.send_signal(signal.SIGINT)  # of both; the writer's end comes next
    harness.read_until(child.stderr, b"draining")
    child.stdin.close()
    child.stdin = None
    ended = harness.finish(child)
    check_equal(ended.code, 7, ended)
    check(not peer.asked["/torn"] and os.path.exists(run_dir + "/urls-1.open"), "half a line is taken for one", ended)
    whole(run_dir, f"{peer.url}/1\n{peer.url}/2\n{peer.url}/torn-not\n")
    check_equal(dict(peer.asked), {"/1": 1, "/2": 1, "/torn-not": 1}, "asked")


def test_list__ends_at_a_line_that_is_no_url():
    peer, run_dir = Peer(lambda ask: reply()), scratch("a.run")
    child = begin(run_dir)
    say(child, f"{peer.url}/1\n")
    asked(peer, "/1")
    say(child, f"{peer.url}/2\nno URL\n{peer.url}/3\n")
    ended = harness.finish(child)
    check_equal(ended.code, 2, ended)
    check(b"stdin, line at offset" in ended.err and b"space in URL" in ended.err, ended)
    check(not peer.asked["/3"], "what comes after the line was asked")
    whole(run_dir, f"{peer.url}/1\n{peer.url}/2\n{peer.url}/3\n")
    check_equal(dict(peer.asked), {f"/{n}": 1 for n in range(1, 4)}, "asked")


def test_list__that_came_whole__is_looked_at_before_anything_is_asked():
    peer, run_dir = Peer(lambda ask: reply()), scratch("a.run")
    ended = whole(run_dir, f"{peer.url}/1\nno URL\n", code=2)
    check(b"E-URL1" in ended.err and not peer.total() and not os.path.exists(run_dir), ended)
    ended = whole(run_dir, "# nothing\n", code=2)
    check(b"no URLs in stdin" in ended.err, ended)


def test_list__may_be_long_and_slow():
    peer, run_dir = Peer(lambda ask: reply()), scratch("a.run")
    child = begin(run_dir, "--cap", "50")
    say(child, f"{peer.url}/0\n")
    asked(peer, "/0")
    for block in range(4):
        say(child, "".join(f"{peer.url}/{block}-{n}?{'x' * 500}\n" for n in range(500)))
        asked(peer, f"/{block}-499?{'x' * 500}")
    child.stdin.close()
    child.stdin = None
    ended = harness.finish(child)
    check(ended.code == 0 and b"2001/2001 ok" in ended.err, ended)
    check(all(count == 1 for count in peer.asked.values()), "something was asked twice")


# --- values of a job's variable -----------------------------------------------------------------------------


def values_job(url, **more):
    return jobs.write_job("values", base=url, vars={"row": {"file": "-"}},
                          endpoints=[{"name": "x", "url": "/{row.id}"}], **more)


def give(job, text, *more, code=0):
    return harness.succeed("run", "--plain", *more, "-o", scratch("v.run"), job, stdin=text, code=code)


def test_values__are_read_whole_and_kept():
    peer, run_dir = Peer(lambda ask: reply()), scratch("v.run")
    job = values_job(peer.url)
    child = harness.scrapetop("run", "--plain", "--max-requests", "2", "-c", "1", "-o", run_dir, job,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    say(child, "id,name\n1,a\n2,")
    child.stdin.write(b"b\n3,c\n")
    child.stdin.close()
    child.stdin = None
    check_equal(harness.finish(child).code, 4, "exit code")
    check_equal(peer.total(), 2, "asked at first")
    check_equal(harness.read(run_dir + "/values-1"), b"id,name\n1,a\n2,b\n3,c\n", "what is kept")
    aside = scratch("moved.run")
    os.rename(run_dir, aside)
    harness.succeed("run", "--plain", "--max-requests", "100", "-o", aside)
    check_equal(dict(peer.asked), {f"/{n}": 1 for n in range(1, 4)}, "asked")


def test_values__resume_the_run__and_ask_for_what_is_new():
    peer = Peer(lambda ask: reply())
    job = values_job(peer.url)
    give(job, b'{"id":1}\n{"id":2}\n')
    give(job, b'{"id":1}\n{"id":2}\n')
    check_equal(peer.total(), 2, "asked")
    give(job, b'{"id":1}\n{"id":3}\n')
    check_equal(peer.total(), 3, "asked")
    ended = give(job, b'{"id":4}\n', code=2)
    check(b"E-JOB1" in ended.err, ended)


def test_values__are_refused__before_anything_is_made():
    peer = Peer(lambda ask: reply())
    for job, text, code in ((values_job(peer.url), b"", b"E-IN2"),
                            (values_job(peer.url), b"name\na\n", b"E-CFG5"),
                            (values_job(peer.url), b"[" * (65 << 20), b"E-IN2"),
                            (jobs.write_job("twice", base=peer.url, vars={"a": {"file": "-"}, "b": {"file": "-"}},
                                            endpoints=[{"name": "x", "url": "/{a}/{b}"}]), b"1\n", b"E-ARG9")):
        ended = give(job, text, code=2)
        check(code in ended.err, ended)
        check(not os.path.exists(scratch("v.run")) and not peer.total(), "something was begun")


# --- a URL for each row ------------------------------------------------------------------------------------


def write(name, text):
    path = scratch(name)
    with open(path, "wb") as file:
        file.write(text)
    return path


def test_rows__fill_the_url__whatever_kind_of_file_they_are_in():
    cases = [
        ("r.csv", b'id,name\n3,a b\n7,"x/y,z"\n', "/i/{id}?n={name}", ["/i/3?n=a%20b", "/i/7?n=x%2Fy%2Cz"]),
        ("r.tsv", b"id\tname\n3\t\xc3\xbc\n", "/i/{id}?n={name}", ["/i/3?n=%C3%BC"]),
        ("r.jsonl", b'{"id":3,"o":{"k":"p/q"}}\n', "/i/{id}/{+o.k}", ["/i/3/p/q"]),
        ("r.txt", b"3\n7\n", "/i/{row}", ["/i/3", "/i/7"]),
        ("w.csv", b"row,rows\n3,4\n", "/i/{row.row}/{rows}/{{x}", ["/i/3/4/{x}"]),
    ]
    for name, text, url, want in cases:
        peer = Peer(lambda ask: reply())
        harness.succeed("run", "--plain", "-o", scratch(name + ".run"), "--rows", write(name, text), peer.url + url)
        check_equal(sorted(peer.asked), sorted(want), name)


def test_rows__go_with_a_body_and_headers__come_by_stdin__and_resume():
    sent = []

    def answer(ask):
        sent.append((ask.method, ask.path, ask.body))
        return reply()

    peer, run_dir = Peer(answer), scratch("p.run")
    arguments = ["run", "--plain", "-c", "1", "-o", run_dir, "--rows", "-", "-d", '{"id":"{row.id}"}', peer.url + "/{name}"]
    ended = harness.run(*arguments, "--max-requests", "1", stdin=b"id,name\n1,a\n2,b\n")
    check_equal(ended.code, 4, f"after one: {ended}")
    harness.succeed("run", "--plain", "-o", run_dir, "--max-requests", "9")
    check_equal([(method, path, bytes(body)) for method, path, body in sent],
                [("POST", "/a", b'{"id":"1"}'), ("POST", "/b", b'{"id":"2"}')], "sent")


def test_rows__that_cannot_be_meant__are_refused_before_anything_is_asked():
    peer, rows = Peer(lambda ask: reply()), write("r.csv", b"id\n1\n")
    for words, told in ((["--rows", rows, peer.url + "/1"], b"no {column}"),
                        (["--rows", rows, peer.url + "/{idd}"], b'did you mean "id"?'),
                        (["--rows", rows], b"wants one URL"),
                        (["--rows", rows, "-i", rows, peer.url + "/{id}"], b"wants one URL"),
                        (["--rows", rows, "-g", peer.url + "/{id}"], b"give one of them"),
                        (["--rows", scratch("none.csv"), peer.url + "/{id}"], b"cannot read"),
                        (["--rows", write("e.csv", b"id\n"), peer.url + "/{id}"], b"E-IN2"),
                        (["--rows", rows, values_job(peer.url)], b"vars")):
        ended = harness.run("run", "--plain", "-o", scratch("no.run"), *words)
        check(ended.code == 2 and told in ended.err, words, ended)
    check_equal(peer.total(), 0, "asked")


if __name__ == "__main__":
    harness.main(globals())
