"""A fleet in the worst minute: four workers on one job of some 21,500 requests, against our own API that refuses beyond 200/s, fails
2 % and ends tokens after 50 uses. For a minute, each second, a worker is killed and started again, or stopped for longer than its
lease; Redis forgets all twice, is killed, and is away for 5 s. Then the tables of all must be those of a run alone, byte for byte,
and the server's log the judge of cap and rate. Any fault ends it with exit code 1.

  tests/bench/fleet_hard.py [--seed N] [--seconds N]        KEEP=DIRECTORY keeps what differs
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import measure

SECONDS = 60
WORKERS = "abcd"
CAP, RATE = 40, 210  # the server refuses beyond 200/s, so some are refused
STOPPED_S, AWAY_S, END_S = 20, 5, 300
AUCTIONS, PRODUCTS, EVENTS_A_PAGE = 20000, 500, 3
ENDPOINTS = ("auctions", "products", "reviews", "events")
ENV = {**os.environ, "EMAIL": "demo@example.com", "PASSWORD": "demo", "SCRAPETOP_FLEET_KEY": "a-key-for-the-worst-minute"}


def job_of(address):
    return {
        "name": "hard", "base": address, "vars": {"n": f"[1-{AUCTIONS}]"},
        "login": {"url": "/api/auth/login", "json": {"email": "${EMAIL}", "password": "${PASSWORD}"}, "token": "/access_token"},
        "endpoints": [
            {"name": "auctions", "url": "/msapi/auctions/items?auctionid={n}"},
            {"name": "products", "url": "/api/products", "records": "/products",
             "pages": {"param": "page", "size": 50, "size_param": "per_page", "total": "/pagination/total"}},
            {"name": "reviews", "url": "/api/products/{products.id}/reviews", "records": "/items", "with": ["products.sku"]},
            {"name": "events", "url": f"/events?limit={EVENTS_A_PAGE}", "records": "/events",
             "pages": {"cursor": "/next", "param": "after"}}],
    }


class Redis:
    def __init__(self, directory):
        self.directory, self.socket = directory, os.path.join(directory, "redis.sock")
        self.start()

    def start(self):
        self.child = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no",
                                       "--dir", self.directory], stdout=subprocess.DEVNULL)
        wait_for(lambda: "PONG" in self.say("ping"), 30, "redis-server")

    def say(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True, text=True, check=False).stdout

    def kill(self):
        self.child.kill()
        self.child.wait()


class Fleet:
    def __init__(self, directory, redis, job):
        self.directory, self.counts, self.stopped = directory, collections.Counter(), {}
        self.command = [measure.BINARY, "run", "--plain", "-c", str(CAP), "--rate", f"{RATE}/s", "--fleet", f"unix://{redis.socket}#hard",
                        job]
        self.children = {name: self.start(name) for name in WORKERS}

    def start(self, name):
        with open(f"{self.directory}/{name}.err", "ab") as messages:
            return subprocess.Popen([*self.command, "-o", f"{self.directory}/{name}.run"], env=ENV, stdout=subprocess.DEVNULL,
                                    stderr=messages)

    def said(self, name):
        with open(f"{self.directory}/{name}.err", errors="replace", encoding="utf-8") as messages:
            return messages.read()[-1500:]

    def kill(self, name):
        self.stopped.pop(name, None)
        self.children[name].kill()
        self.children[name].wait()
        self.children[name] = self.start(name)
        self.counts["kills"] += 1

    def stop(self, name):
        self.children[name].send_signal(signal.SIGSTOP)
        self.stopped[name] = time.monotonic() + STOPPED_S
        self.counts["stops"] += 1

    def wake(self, now):
        for name in [name for name, until in self.stopped.items() if until <= now]:
            self.children[name].send_signal(signal.SIGCONT)
            del self.stopped[name]


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.05)


def torment(fleet, redis, chance, seconds):
    """One act a second; Redis' own have their moments."""
    acts = {seconds // 4: "flush", seconds * 5 // 12: "redis killed", seconds * 2 // 3: "flush", seconds * 5 // 6: "redis away"}
    back_at = None
    for second in range(seconds):
        began = time.monotonic()
        fleet.wake(began)
        act = acts.get(second)
        if back_at and began >= back_at:
            redis.start()
            back_at = None
        if act == "flush":
            redis.say("flushall")
        elif act:
            redis.kill()
            if act == "redis away":
                back_at = began + AWAY_S
            else:
                redis.start()
        else:
            awake = [name for name in WORKERS if name not in fleet.stopped and fleet.children[name].poll() is None]
            if len(fleet.stopped) < 2 and awake and chance.random() < 0.15:
                fleet.stop(chance.choice(awake))
            else:
                fleet.kill(chance.choice(WORKERS))
        if act:
            fleet.counts[act] += 1
        time.sleep(max(0, began + 1 - time.monotonic()))
    if back_at:
        time.sleep(max(0, back_at - time.monotonic()))
        redis.start()
    fleet.wake(float("inf"))


def tables(directory, name, runs):
    """Endpoint -> the bytes of the table that is made of these runs."""
    made = {}
    for endpoint in ENDPOINTS:
        path = f"{directory}/{name}.{endpoint}.csv"
        subprocess.run([measure.BINARY, "normalise", "--endpoint", endpoint, "-o", path, *runs], check=True, capture_output=True)
        with open(path, "rb") as file:
            made[endpoint] = file.read()
    return made


def write_job(directory, name, address):
    path = f"{directory}/{name}.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(job_of(address), file)
    return path


def judge(log):
    """Of the server's log: most in flight, most begun in any second, how often URLs were answered well, statuses."""
    lines = [line.split(" ") for line in log if line.count(" ") == 6]
    times, most, first = sorted(int(line[0]) for line in lines if "/auth/" not in line[4]), 0, 0
    for at, moment in enumerate(times):
        while moment - times[first] >= 1_000_000:
            first += 1
        most = max(most, at - first + 1)
    answered = collections.Counter(line[4] for line in lines if line[2] == "200" and "/auth/" not in line[4])
    return max(int(line[5]) for line in lines), most, answered, collections.Counter(line[2] for line in lines)


def begin_alone(directory):
    with measure.serve("--products", str(PRODUCTS)) as address:
        subprocess.run([measure.BINARY, "run", "--plain", "--quiet", "-c", "64", "-o", f"{directory}/alone.run",
                        write_job(directory, "alone", address)], env=ENV, check=True, stdout=subprocess.DEVNULL)
    return tables(directory, "alone", [f"{directory}/alone.run"])


def worst_minute(directory, chance, seconds):
    want, log = begin_alone(directory), f"{directory}/access.log"
    weather = ["--limit", "200/s:40", "--fail", "2%", "--token-uses", "50", "--latency", "20ms", "--products", str(PRODUCTS), "--log", log]
    redis = Redis(directory)
    with measure.serve(*weather) as address:
        fleet = Fleet(directory, redis, write_job(directory, "job", address))
        began = time.monotonic()
        try:
            torment(fleet, redis, chance, seconds)
            wait_for(lambda: all(child.poll() is not None for child in fleet.children.values()), END_S, "the end")
        finally:
            for child in fleet.children.values():
                child.kill()
            redis.kill()
    took_s = time.monotonic() - began
    with open(log, encoding="utf-8") as file:
        in_flight, in_second, answered, statuses = judge(file)
    got = tables(directory, "all", [f"{directory}/{name}.run" for name in WORKERS])
    again = sum(count - 1 for count in answered.values())
    print(f"the worst minute: {dict(fleet.counts)}, {took_s:.0f} s until the end; answers {dict(statuses)}")
    print(f"  {len(answered)} requests, {again} answers came twice ({100 * again / len(answered):.1f} %); at most {in_flight} in flight "
          f"(cap {CAP}), {in_second} in a second (rate {RATE})")
    faults = [f"{name} ended with {child.returncode}:\n{fleet.said(name)}" for name, child in fleet.children.items() if child.returncode]
    faults += [f"the table of {name} differs: {len(set(want[name].splitlines()) - set(got[name].splitlines()))} rows lost, "
               f"{len(set(got[name].splitlines()) - set(want[name].splitlines()))} are others" for name in ENDPOINTS if want[name] != got[name]]
    faults += [what for is_bad, what in ((again > 0.05 * len(answered), "more than 5 % were asked twice"),
                                         (in_second > 1.05 * RATE, "the rate was passed"),
                                         # what a killed worker had in flight its server may not have missed yet
                                         (in_flight > CAP + CAP // len(WORKERS), "the cap was passed")) if is_bad]
    return faults


def main():
    if not shutil.which("redis-server"):
        sys.exit("missing: redis-server (redis-server)")
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 16))
    parser.add_argument("--seconds", type=int, default=SECONDS)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
        faults = worst_minute(directory, random.Random(options.seed), options.seconds)
        if faults and os.environ.get("KEEP"):
            shutil.copytree(directory, os.environ["KEEP"], dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    print("\n".join(faults) if faults else "  tables of all: those of a run alone, byte for byte")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
