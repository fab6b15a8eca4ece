"""Tables as objects of a store: -o s3://BUCKET/KEY, against s3rver and AWS's own signer."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import urllib.request

import harness
import peer
from harness import check, check_equal, scratch

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "object_store.mjs")
SECRET = "secret/+0123456789"
TOKEN = "session-token-0123456789"


class Store:
    def __init__(self, url, directory):
        self.url, self.directory = url, directory

    def environment(self, **more):
        keys = {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": SECRET}
        return harness.environment(**{**keys, **more})

    def asked(self, key):
        with urllib.request.urlopen(self.url + "/asked", timeout=30) as answer:
            return [tuple(ask) for ask in json.load(answer) if key in ask[1]]

    def object(self, key):
        """Its bytes, or None when there is no such object."""
        path = os.path.join(self.directory, "lake", key + "._S3rver_object")
        return harness.read(path) if os.path.exists(path) else None

    def open(self):
        with urllib.request.urlopen(self.url + "/open", timeout=30) as answer:
            answer.read()

    def lines(self, prefix, copy=""):
        """What was copied below it, and the names of the objects."""
        names = sorted(name.removesuffix("._S3rver_object") for name in os.listdir(os.path.join(self.directory, "lake", prefix))
                       if name.endswith("._S3rver_object") and name.startswith(copy))
        packed = [self.object(f"{prefix}/{name}") for name in names]
        return b"".join(subprocess.run(["zstd", "-dc"], input=one, stdout=subprocess.PIPE, check=True).stdout
                        for one in packed), names


@contextlib.contextmanager
def store():
    modules = os.environ.get("OBJECT_STORE_MODULES")
    if not modules:
        raise harness.Skipped("s3rver is not installed: nobody has asked it")
    log, directory = scratch("store.log"), scratch("store")
    with open(log, "wb") as out, open(log + ".err", "wb") as err:
        child = harness.start(["node", SCRIPT, modules, directory], stdout=out, stderr=err)
    try:
        harness.wait_for(lambda: child.poll() is not None or b"\n" in harness.read(log), "a store that listens")
        check(child.poll() is None, harness.read(log + ".err").decode(errors="replace"))
        yield Store(f"http://127.0.0.1:{int(harness.read(log))}", directory)
    finally:
        child.terminate()
        child.wait()


def records(count, width=10):
    path = scratch(f"{count}-{width}.jsonl")
    with open(path, "w", encoding="utf-8") as out:
        for i in range(count):
            out.write(json.dumps({"id": i, "text": f"{i:08}" * (width // 8 + 1)}) + "\n")
    return path


def as_file(path, name):
    harness.succeed("normalise", path, "-o", scratch(name))
    return harness.read(scratch(name))


def write(there, path, key, code=0, **environment):
    return harness.succeed("normalise", path, "-o", "s3://lake/" + key, code=code,
                           env=there.environment(**environment))


def test_table__is_the_same_as_the_file__under_its_key():
    path = records(1000)
    with store() as there:
        for key in ("a.csv", "by=day/ü b+c~(1).csv.gz", "x/y/z.parquet", "deep.jsonl.zst"):
            write(there, path, key)
            check_equal(there.object(key), as_file(path, "table." + key.split(".", 1)[1]), key)
        write(there, path, "a.csv")
        check_equal([ask[3] for ask in there.asked("/lake/a.csv") if ask[0] == "PUT"], [200, 200], "written twice")


def test_large_table__goes_up_in_parts__and_is_whole():
    path = records(24_000, 800)  # 19 MB as CSV: two parts
    with store() as there:
        write(there, path, "large.csv")
        check(there.object("large.csv") == as_file(path, "large.csv"), "another table came of two parts")
        for key in ("late.csv", "lost.csv"):
            write(there, path, key)
            check(there.object(key) == as_file(path, "large.csv"), f"{key} is another table")
        check_equal([ask[3:] for ask in there.asked("/lake/late.csv") if ask[2].startswith("uploadId=")],
                    [(200, "InternalError"), (200, "")], "completions of late.csv")
        refused = write(there, path, "dies.csv", code=8)
        check(b"E-OUT8" in refused.err and b"AccessDenied" in refused.err, "not said:", refused)
        check_equal(there.object("dies.csv"), None, "an object of some of its parts")
        last = there.asked("/lake/dies.csv")[-1]
        check(last[0] == "DELETE" and last[2].startswith("uploadId="), f"the parts are not given up: {last}")


def test_busy_store__is_asked_again__and_a_bucket_elsewhere_there():
    path = records(10)
    with store() as there:
        write(there, path, "busy.csv")
        check_equal([ask[3] for ask in there.asked("/lake/busy.csv")], [503, 200], "answers")
        write(there, path, "moved.csv", AWS_REGION="us-west-2")
        check_equal([ask[3] for ask in there.asked("/lake/moved.csv")], [301, 200], "answers")


def test_keys__come_from_the_profile__with_its_session():
    path = records(10)
    os.makedirs(scratch(".aws"), exist_ok=True)
    with open(scratch(".aws/credentials"), "w", encoding="utf-8") as out:
        out.write("[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"
                  f"[night]\naws_access_key_id=S3RVER\naws_secret_access_key={SECRET}\naws_session_token = {TOKEN}\n")
    with open(scratch(".aws/config"), "w", encoding="utf-8") as out:
        out.write("[default]\nregion = us-west-1\n[profile night]\nregion = eu-west-1\n")
    unset = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    with store() as there:
        write(there, path, "night.csv", AWS_PROFILE="night", **unset)
        check(there.object("night.csv"), "no object")
        write(there, path, "night-moved.csv", AWS_PROFILE="night", **unset)
        check_equal([ask[3] for ask in there.asked("night-moved")], [200], "answers in the profile's region")
        refused = write(there, path, "by-default.csv", code=8, **unset)
        check(b"SignatureDoesNotMatch" in refused.err, "not said:", refused)
    os.remove(scratch(".aws/credentials"))
    os.remove(scratch(".aws/config"))


def test_bad_places__are_refused_with_a_sentence__before_a_run_begins():
    path = records(10)
    with store() as there, harness.api() as server:
        for place, code, says, environment in (
                ("s3://lake/", 2, b"E-OUT6", {}),
                ("s3://", 2, b"E-OUT6", {}),
                ("s3://lake/a/../b.csv", 2, b"E-OUT6", {}),
                ("s3://la%6be/b.csv", 2, b"E-OUT6", {}),
                ("s3://lake/b.csv", 2, b"E-OUT6", {"AWS_ENDPOINT_URL": "ftp://u:p@example.com"}),
                ("s3://lake/b.csv", 2, b"E-OUT6", {"AWS_REGION": "eu west"}),
                ("s3://lake/b.csv", 2, b"AWS_ACCESS_KEY_ID", {"AWS_ACCESS_KEY_ID": ""}),
                ("s3://lake/b.csv", 8, b"does not answer", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
                ("s3://puddle/b.csv", 8, b"no bucket puddle", {}),
                ("s3://lake/b.db", 2, b"wants a file", {})):
            ended = harness.run("run", "--plain", "-o", scratch("never.run"), "--to", place, f"{server.url}/posts/[1-3]",
                                env=there.environment(**environment))
            check_equal(ended.code, code, f"exit code of {place}")
            check(says in ended.err, f"{place}: not said:", ended)
            check(b"u:p@" not in ended.err and SECRET.encode() not in ended.err, "a secret is shown:", ended)
        check_equal(server.count(), 0, "requests of runs that were refused")
        wrong = write(there, path, "b.csv", code=8, AWS_SECRET_ACCESS_KEY="another")
        check(b"SignatureDoesNotMatch" in wrong.err, "not said:", wrong)


def test_run__is_complete__when_the_store_refuses_its_table():
    with store() as there, harness.api() as server:
        ended = harness.run("run", "--plain", "--json", "-o", scratch("d.run"), "--to", "s3://lake/posts.csv",
                            f"{server.url}/posts/[1-30]", env=there.environment(AWS_SECRET_ACCESS_KEY="another"))
        check_equal((ended.code, ended.report()["ok"]), (8, 30), "exit code, ok")
        check(b"SignatureDoesNotMatch" in ended.err, "not said:", ended)
        check_equal(there.object("posts.csv"), None, "an object")
        write(there, scratch("d.run"), "posts.csv")
        check(there.object("posts.csv"), "no object after all")


def test_run__ends_with_its_table_in_the_store():
    with store() as there, harness.api() as server:
        harness.succeed("run", "--plain", "-o", scratch("d.run"), "--to", "s3://lake/posts.csv", f"{server.url}/posts/[1-30]",
                        env=there.environment())
        harness.succeed("normalise", scratch("d.run"), "-o", scratch("posts.csv"))
        check_equal(there.object("posts.csv"), harness.read(scratch("posts.csv")), "the table")
        for name in os.listdir(scratch("d.run")):
            if os.path.isfile(scratch("d.run/" + name)):
                check(SECRET.encode() not in harness.read(scratch("d.run/" + name)), f"{name} has the secret")


def test_store_that_is_silent__does_not_hold_a_run_that_is_aborted():
    gate = threading.Event()
    store = peer.Peer(lambda ask: (ask.method == "HEAD" or gate.wait()) and peer.reply(b""))
    env = harness.environment(AWS_ENDPOINT_URL=store.url, AWS_ACCESS_KEY_ID="S3RVER", AWS_SECRET_ACCESS_KEY=SECRET)
    try:
        with harness.api() as server:
            child = harness.scrapetop("run", "--plain", "-o", scratch("silent.run"), "--to", "s3://lake/a.csv", f"{server.url}/posts/[1-3]",
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
            harness.wait_for(lambda: any(ask.method == "PUT" for ask in store.asks), "an upload")
            child.send_signal(signal.SIGINT)
            harness.read_until(child.stderr, rb"again aborts")
            child.send_signal(signal.SIGINT)
            check(harness.finish(child).code in (130, 7, 8), "exit code")
    finally:
        gate.set()


def raw_lines(run):
    raw = scratch(run + "/raw")
    return b"".join(harness.read(os.path.join(raw, name)) for name in sorted(os.listdir(raw)))


def start_copying(there, server, prefix, count):
    return harness.scrapetop("run", "--plain", "-c", "2", "-o", scratch("d.run"), "--copy-to", "s3://lake/" + prefix,
                             "--copy-every", "100ms", f"{server.url}/[1-{count}]", stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=there.environment())


def test_lines__are_copied_while_they_come__each_once():
    gate = threading.Event()
    server = peer.Peer(lambda ask: (ask.number <= 50 or gate.wait()) and peer.reply(b'{"n":1}'))
    with store() as there:
        child = start_copying(there, server, "lines", 100)
        harness.wait_for(lambda: os.path.exists(scratch("d.run/copied")) and
                         int(harness.read(scratch("d.run/copied")).split()[2]), "a first object, while the run is at work")
        child.send_signal(signal.SIGKILL)
        child.wait()
        gate.set()
        ended = harness.finish(start_copying(there, server, "lines", 100))
        check_equal(ended.code, 0, "exit code")
        check(b"all lines are copied to s3://lake/lines" in ended.err, "not said:", ended)
        copied, names = there.lines("lines")
        check(copied == raw_lines("d.run"), f"the copy is another: {names}")
        check(len(names) > 1 and all(re.fullmatch(r"[0-9a-f]{8}-00000001-\d{12}\.jsonl\.zst", name) for name in names), names)
        asked = len(there.asked("/lake/lines/"))
        check_equal(harness.finish(start_copying(there, server, "lines", 100)).code, 0, "exit code of a run that is done")
        check_equal(len(there.asked("/lake/lines/")), asked, "objects written for nothing new")


def test_store_that_refuses__is_told_and_stops_nothing__and_has_all_in_the_end():
    gate = threading.Event()
    server = peer.Peer(lambda ask: (ask.number <= 20 or gate.wait()) and peer.reply(b'{"n":1}'))
    with store() as there:
        child = start_copying(there, server, "shut", 40)
        harness.read_until(child.stderr, rb"lines are not copied for now")
        there.open()
        harness.read_until(child.stderr, rb"lines are copied again")
        gate.set()
        check_equal(harness.finish(child).code, 0, "exit code")
        check(there.lines("shut")[0] == raw_lines("d.run"), "the copy is another")
    with store() as there:
        os.remove(scratch("d.run/copied"))
        ended = harness.finish(start_copying(there, server, "shut-again", 40))
        check_equal(ended.code, 8, "exit code of a copy that is refused to the end")
        check(b"the same command again copies them" in ended.err, "not said:", ended)
        there.open()
        check_equal(harness.finish(start_copying(there, server, "shut-again", 40)).code, 0, "exit code of the same command")
        check(there.lines("shut-again")[0] == raw_lines("d.run"), "the copy is another")
        with open(scratch("d.run/copied"), "w", encoding="utf-8") as out:
            out.write("../../etc 1 2 3")
        ended = harness.finish(start_copying(there, server, "shut-again", 40))
        check(ended.code != 0 and b"E-COPY1" in ended.err, "a file that is none is taken:", ended)


def test_lines__are_copied_once__also_those_that_old_rounds_leave_behind():
    made = iter(range(1, 1000))
    server = peer.Peer(lambda ask: peer.reply(json.dumps([{"id": 1 if ask.path == "/still" else 2, "v": 0 if ask.path == "/still" else
                                                                   next(made)}]).encode()))

    def work(there, count, *more):
        with open(scratch("feed.json"), "w", encoding="utf-8") as out:
            json.dump({"base": server.url, "every": "100ms", "count": count, "endpoints": [{"name": "items", "url": "/{what}"}],
                       "vars": {"what": ["feed", "still"]}, "tables": {"items": {"unique": ["id"]}}}, out)
        ended = harness.run("run", "--plain", "-o", scratch("d.run"), "--copy-to", "s3://lake/feed", "--copy-every", "100ms", *more,
                            scratch("feed.json"), env=there.environment())
        check_equal(ended.code, 0, f"exit code: {ended.err}")
        return ended

    def ids(prefix):
        return [json.loads(line)["id"] for line in there.lines(prefix)[0].splitlines()]

    with store() as there:
        work(there, 6)
        check_equal(len(ids("feed")), 7, "lines of six rounds, one of which never changes")
        harness.succeed("compact", "--retain", "1ms", scratch("d.run"))
        work(there, 8)
        check_equal(len(set(ids("feed"))), len(ids("feed")), "lines that are copied twice")
        check_equal(len(ids("feed")), 9, "lines of eight rounds")
        work(there, 40, "--retain", "1s")
        harness.succeed("verify", scratch("d.run"))
        got = ids("feed")
        check_equal(got.count(1), 1, "copies of the line that is written anew each time")
        check_equal(len(set(got)), 41, "lines of forty rounds")
        os.remove(scratch("d.run/copied"))
        work(there, 41)
        left = {json.loads(line)["id"] for line in raw_lines("d.run").splitlines()}
        copy = harness.read(scratch("d.run/copied")).split()[0].decode()
        again = [json.loads(line)["id"] for line in there.lines("feed", copy)[0].splitlines()]
        check_equal(sorted(again), sorted(left), "another copy has all that the run has")


if __name__ == "__main__":
    harness.main(globals())
