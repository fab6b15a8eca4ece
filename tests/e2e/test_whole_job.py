"""A whole API in bad weather: login, pages, details; 5 % failures, tokens that end after fifty uses (so
that 2 % and more of the answers are 401), kill -9 at random moments. The tables are the same bytes as
from a calm run.
"""

import os
import random
import signal
import subprocess
import time

import harness
import jobs
from harness import check, check_equal, scaled, scratch

PRODUCTS = scaled(600, 200)
PAGE = 50  # as the sample job has it
KILLS = scaled(6, 3)
TOKEN_USES = 50
WEATHER = ["--fail", "5%", "--truncate", "1%", "--latency", "10ms", "--jitter", "5ms", "--token-uses",
           str(TOKEN_USES)]
HASTE = ["--backoff", "10ms:100ms"]
ENV = {"EMAIL": "demo@example.com", "PASSWORD": "demo"}
REQUESTS = PRODUCTS // PAGE + PRODUCTS


def catalog(run_dir, server):
    return jobs.command(os.path.join(jobs.ASSETS, "catalog.json"), run_dir, "--base", server.url, *HASTE)


def tables(run_dir):
    return {name: harness.read(os.path.join(run_dir, name)) for name in ("products.csv", "reviews.csv")}


def api(*options, name):
    return harness.api("--products", str(PRODUCTS), *options, name=name)


def calm_tables():
    with api(name="calm") as server:
        run_dir = scratch("calm.run")
        harness.succeed(*catalog(run_dir, server), env=harness.environment(**ENV))
        check_equal(server.count(), REQUESTS + 1, "requests on a fine day, with the login")
    found = tables(run_dir)
    check_equal(found["products.csv"].count(b"\n") > PRODUCTS, True, "products on a fine day")
    return found


def kill_at_a_random_moment(server, command, chance):
    """Somewhere in the next share of the requests, and then anywhere within 20 ms. True: it was killed."""
    goal = server.count() + chance.randrange(1, REQUESTS // KILLS)
    child = harness.scrapetop(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=harness.environment(**ENV))
    harness.wait_for(lambda: server.count() >= goal or child.poll() is not None, "requests")
    time.sleep(chance.random() * 0.02)
    child.send_signal(signal.SIGKILL)
    return child.wait() == -signal.SIGKILL


def check_asked(asked):
    """What the server's log tells: who was refused went out again, and few were asked in vain."""
    refused = sum(a.status == 401 for a in asked)
    good = sum(a.status == 200 and "/api/products" in a.path for a in asked)
    logins = sum(a.status == 200 and a.path == "/api/auth/login" for a in asked)
    check(refused > 0, "no answer was 401: this shows nothing")
    check(good - REQUESTS <= KILLS * (20 + 64) + REQUESTS // 20, good - REQUESTS, "asked twice in vain")
    # Each token serves fifty; each session begins with one of its own.
    answered = sum(a.status != 401 and "/api/products" in a.path for a in asked)
    check(logins <= answered / TOKEN_USES + KILLS + 2, logins, "logins for", answered, "answers")


def test_whole_job__gives_the_same_tables__in_any_weather_and_killed_on_the_way():
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    print(f"random seed {seed}")
    want = calm_tables()
    run_dir = scratch("storm.run")
    resume = ["run", "-o", run_dir, "--json", *HASTE]
    with api(*WEATHER, name="storm") as server:
        given = catalog(run_dir, server)
        kills = 0
        # On a busy machine a run may be over before all of them.
        while kills < KILLS and kill_at_a_random_moment(server, resume if kills % 2 else given, chance):
            kills += 1
        print(f"killed {kills} times")
        check(kills > 0, "the run ended before it was killed: this shows nothing")
        report = harness.succeed(*resume, env=harness.environment(**ENV)).report()
        server.stop()
        check_asked(server.asked())
    check_equal((report["requests"], report["ok"], report["failed"]), (REQUESTS, REQUESTS, 0),
                "requests, ok, failed")
    for name, table in tables(run_dir).items():
        check(table == want[name], name, "differs from that of the calm run")


if __name__ == "__main__":
    harness.main(globals())
