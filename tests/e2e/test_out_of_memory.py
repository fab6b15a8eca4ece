"""Every so-manieth allocation of a small run fails: no crash, nothing lost, and the next run ends it."""

import os
import resource
import signal
import subprocess

import harness
import jobs
import peer
from harness import check, check_equal, scratch

URLS = 5
PRODUCTS = 4  # one page, and the reviews of each
SHIM = os.environ["FAIL_MALLOC"]
POINTS = int(os.environ.get("E2E_OOM_POINTS", "60"))  # of the run's allocations, spread evenly; 0: every one


# What is run, and how many bodies it brings: URLs, and a job that logs in, pages, and follows a list.
def posts(server):
    return ["--csv", scratch("m.csv"), f"{server.url}/posts/[1-{URLS}]"], URLS


def catalog(server):
    return ["--base", server.url, os.path.join(jobs.ASSETS, "catalog.json")], 1 + PRODUCTS


FOR_GOOD = 1 << 40
LOGIN = {"EMAIL": "demo@example.com", "PASSWORD": "demo"}


def run(arguments, **env):
    child = harness.scrapetop("run", "-o", scratch("m.run"), "--plain", "--json", "--backoff",
                              "10ms:50ms", *arguments, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              env=harness.environment(LD_PRELOAD=SHIM, **LOGIN, **env))
    return harness.finish(child)


def forget():
    subprocess.run(["rm", "-rf", scratch("m.run"), scratch("m.csv")], check=True)


def check_survives(arguments, bodies, at, length):
    where = f"allocation {at} (and {'all' if length == FOR_GOOD else length - 1} more) fails:"
    try:
        ended = run(arguments, FAIL_MALLOC_AT=str(at), FAIL_MALLOC_FOR=str(length))
    except harness.Failed as failed:  # it hangs
        raise harness.Failed(where, failed) from None
    # libuv aborts, without a word, when there is none for its loop: nothing has begun by then. OpenSSL 3.5 aborts
    # with a word, at any time: what is stored must be whole all the same.
    by_library = ended.code == -signal.SIGABRT and (b"OpenSSL internal error" in ended.err or
                                                    not os.path.exists(scratch("m.run/ledger.db")))
    if not by_library:
        check(ended.code in (0, 1, 2, 3, 5, 7, 8), where, ended)
        check(ended.code == 0 or ended.err, where, "not a word of why:", ended)
    if os.path.exists(scratch("m.run/ledger.db")):
        harness.succeed("verify", scratch("m.run"))
        again = harness.succeed("run", "-o", scratch("m.run"), "--json",
                                env=harness.environment(**LOGIN)).report()
        check_equal(again["ok"], bodies, f"{where} bodies after the next run")
        stored = harness.bodies(scratch("m.run"))
        check_equal(sorted(len(them) for them in stored.values()), [1] * bodies,
                    f"{where} bodies stored")
    forget()
    return ended.code


def survive_all(what, length):
    with harness.api("--products", str(PRODUCTS)) as server:
        arguments, bodies = what(server)
        calm = run(arguments, FAIL_MALLOC_COUNT=scratch("count"))
        check_equal(calm.code, 0, "exit code of a calm run")
        forget()
        with open(scratch("count"), encoding="ascii") as file:
            count = int(file.read())
        points = POINTS // 4 if length == FOR_GOOD else POINTS  # these may take ten seconds
        step = max(1, count // points) if points else 1
        codes = [check_survives(arguments, bodies, at, length) for at in range(1, count, step)]
        print(f"{count} allocations, {len(codes)} runs, exit codes "
              f"{ {code: codes.count(code) for code in sorted(set(codes))} }")
        check(any(codes), "no failing allocation was noticed: the shim is not in the way")


def test_run__ends_in_order__when_one_allocation_fails():
    survive_all(posts, 1)


def test_run__ends_in_order__when_many_in_a_row_fail():
    survive_all(posts, 1000)


def test_run__ends_in_order__when_no_memory_is_left_any_more():
    survive_all(posts, FOR_GOOD)


def test_job__ends_in_order__when_no_memory_is_left_any_more():
    survive_all(catalog, FOR_GOOD)


def test_job__ends_in_order__when_one_allocation_fails():
    survive_all(catalog, 1)


def test_job__ends_in_order__when_many_in_a_row_fail():
    survive_all(catalog, 1000)


def test_login__ends_the_run__when_there_is_no_memory_for_it_for_long():
    """Its first try is put off by the server; before the second there is no memory left."""
    server = peer.Peer(lambda ask: peer.reply({}, "429 Slow", headers=["Retry-After: 3"]))
    job = jobs.write_job("login", base=server.url, endpoints=[{"name": "a", "url": "/a"}],
                         login={"url": "/login", "json": {"user": "me"}, "token": "/token"})
    child = harness.scrapetop("run", "--plain", "-o", scratch("m.run"), job, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, env=harness.environment(LD_PRELOAD=SHIM, FAIL_MALLOC_WHILE=scratch("none")))
    harness.read_until(child.stderr, rb"429")
    with open(scratch("none"), "w", encoding="ascii"):
        pass
    ended = harness.finish(child)
    os.unlink(scratch("none"))
    check_equal(ended.code, 7, f"exit code, as it can go on: {ended}")
    check(b"E-MEM1" in ended.err, "why:", ended)
    harness.succeed("verify", scratch("m.run"))
    forget()


def test_commands__say_why__when_no_thread_can_be_had():
    """libuv aborts when it gets none; it makes their stacks as large as the limit says."""
    def too_large():
        resource.setrlimit(resource.RLIMIT_STACK,
                           (1 << 46, resource.getrlimit(resource.RLIMIT_STACK)[1]))

    with harness.api() as server:
        harness.succeed("run", "-o", scratch("m.run"), f"{server.url}/posts/[1-{URLS}]")
        for arguments in (["run", "-o", scratch("n.run"), "--csv", "-", f"{server.url}/posts/1"],
                          ["normalise", scratch("m.run")]):
            child = harness.scrapetop(*arguments, preexec_fn=too_large, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
            ended = harness.finish(child)
            check_equal(ended.code, 1, f"exit code of {arguments[0]}")
            check(b"E-RES1" in ended.err and b"threads" in ended.err, ended)
    forget()


JOB = """{ // every kind of thing that a job file may hold
    "base": "https://h.example", "headers": { "X-Key": "${OOM_KEY}" }, "pace": { "rate": "5/s" },
    "login": { "url": "/login", "json": { "user": "me", "password": "${OOM_KEY}" } },
    "vars": { "row": { "file": "oom.csv" }, "n": ["a", 7], "d": { "from": "2026-01-01",
              "to": "2026-01-03" }, "p": "[1-2]" },
    "endpoints": [
      { "name": "details", "url": "/d/{list.id}", "with": ["list.name", "row.name"] },
      { "name": "list", "url": "/l/{row.id}/{n}?d={d}&p={p}", "headers": { "X-N": "{n}" },
        "json": { "n": "{n}", "t": "{p}{p}" }, "pages": { "param": "/page", "size": 5,
        "size_param": "n" }, "records": "/items/*" } ],
    "tables": { "list": { "unique": ["id"], "columns": { "a": "/a" } } },
    "output": ["csv"], "every": "1h", "until": "2030-01-01" }"""


def test_job_file__is_read_or_not__when_one_allocation_fails():
    with open(scratch("oom.json"), "w", encoding="ascii") as file:
        file.write(JOB)
    with open(scratch("oom.csv"), "w", encoding="ascii") as file:
        file.write("id,name\n1,x\n2,y\n")

    def ask(what, **env):
        return harness.run("run", what, scratch("oom.json"),
                           env=harness.environment(LD_PRELOAD=SHIM, OOM_KEY="s3cret-of-us", **env))

    for what in ("--dry-run", "--show-config"):
        calm = ask(what, FAIL_MALLOC_COUNT=scratch("count"))
        check_equal(calm.code, 0, f"exit code of a calm {what}")
        with open(scratch("count"), encoding="ascii") as file:
            count = int(file.read())
        codes = []
        for at in range(1, count + 1, max(1, count // 200)):
            ended = ask(what, FAIL_MALLOC_AT=str(at), FAIL_MALLOC_FOR="1")
            check(ended.code in (0, 1), f"{what}, allocation {at} fails:", ended)
            check(ended.code or ended.out == calm.out, f"{what}, allocation {at}: less said", ended)
            check(not ended.code or b"memory" in ended.err, f"{what}, allocation {at}: why?", ended)
            codes.append(ended.code)
        check(any(codes), "no failing allocation was noticed")
        print(f"{what}: {count} allocations, {len(codes)} runs, {sum(codes)} ended")


if __name__ == "__main__":
    harness.main(globals())
