"""What a fleet costs: microseconds of Redis a request, of the plan and found, its memory for ten million and for a million found,
and how soon workers begin.

By a real redis-server on a Unix socket and workers of this build, on our own API. A fleet of one stands beside a run alone, in
rounds that alternate; that server, Redis and workers share the cores, so CPU a request is what counts.
"""

import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import measure

REQUESTS = 60000
ROUNDS = 7
OLD_S = 10
STARTS = 5
MANY = 10_000_000
LONG_S = 60
FOUND = 1_000_000
A_CALL = 64
WINDOW = 20_000
SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "src", "fleet", "publish.lua")


def wait_for(condition):
    end = time.monotonic() + LONG_S
    while not condition():
        if time.monotonic() > end:
            sys.exit("waited in vain")
        time.sleep(0.005)


class Redis:
    def __init__(self, directory):
        self.socket = os.path.join(directory, "redis.sock")
        self.child = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly",
                                       "no", "--dir", directory], stdout=subprocess.DEVNULL)
        wait_for(lambda: "PONG" in self.say("ping"))

    def say(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True, text=True, check=False).stdout

    def figure(self, section, name):
        lines = [line for line in self.say("info", section).splitlines() if line.startswith(name)]
        return lines[0].split(":")[1] if lines else ""

    def script_us(self):
        said = self.figure("commandstats", "cmdstat_evalsha")
        return int(said.split("usec=")[1].split(",")[0]) if said else 0

    def used(self):
        return int(self.figure("memory", "used_memory"))

    def fleet(self, job):
        return ["--fleet", f"unix://{self.socket}#{job}"]


def run(url, *options, cap=64, name="a.run"):
    return [measure.BINARY, "run", "--plain", "--quiet", "-o", name, "-c", str(cap), *options, url]


def side_by_side(commands, directory):
    """Wall seconds of all of them together, and the sum of their CPU."""
    began, cpu_s = time.monotonic(), 0
    children = [subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    for child in children:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        cpu_s += usage.ru_utime + usage.ru_stime
        if child.returncode:
            sys.exit(f"{child.args} failed with {child.returncode}")
    return time.monotonic() - began, cpu_s


def beside_a_run_alone(address, redis):
    """Rounds in turn; the script's time is that of all rounds of the fleets. Of two workers on as many machines' cores the rate is
    that of one by how much less CPU one has for a request."""
    url, results = f"{address}/posts/[1-{REQUESTS}]", {"alone": [], "fleet of one": [], "fleet of two": []}
    wait_for(lambda: int(redis.figure("server", "uptime_in_seconds")) > OLD_S)  # else a new fleet waits for others first
    before = redis.script_us()
    for turn in range(ROUNDS):
        one, two = redis.fleet(f"one{turn}"), redis.fleet(f"two{turn}")
        for name, commands in (("alone", [run(url)]), ("fleet of one", [run(url, *one)]),
                               ("fleet of two", [run(url, *two, cap=128, name=f"{n}.run") for n in "ab"])):
            with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
                results[name].append(side_by_side(commands, directory))
    us = (redis.script_us() - before) / (2 * ROUNDS * REQUESTS)
    medians = {name: [statistics.median(figures) for figures in zip(*all_of)] for name, all_of in results.items()}
    print(f"{REQUESTS} requests of a plan, median of {ROUNDS} interleaved rounds")
    measure.table(("", "wall s", "CPU us a request", "of alone"), [
        (name, f"{wall_s:.2f}", f"{cpu_s / REQUESTS * 1e6:.1f}", f"{cpu_s / medians['alone'][1]:.3f}")
        for name, (wall_s, cpu_s) in medians.items()])
    print(f"two workers on cores of their own: {2 * medians['alone'][1] / medians['fleet of two'][1]:.2f} times one by CPU a request")
    print(f"Redis: {us:.2f} us a request in its scripts\n", flush=True)


def ten_million(address, redis):
    """The most that Redis holds over what it held empty, while a plan of ten million begins."""
    empty, most = redis.used(), 0
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
        child = subprocess.Popen(run(f"{address}/posts/[1-{MANY}]", "--max-requests", "20000", *redis.fleet("many")),
                                 cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while child.poll() is None:
            most = max(most, redis.used() - empty)
            time.sleep(0.05)
    redis.say("setbit", "st:{many}:done", str(MANY - 1), "1")  # as at its end
    most = max(most, redis.used() - empty)
    print(f"a plan of {MANY} requests: {most / 1e6:.2f} MB in Redis at most, its last request done among it\n", flush=True)


class Caller:
    """Commands to Redis, one at a time, without a process for each."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def say(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        return self.answer()

    def answer(self):
        line = self.file.readline()
        if line[:1] == b"$":
            size = int(line[1:])
            return self.file.read(size + 2)[:-2] if size >= 0 else None
        if line[:1] == b"*":
            return [self.answer() for _ in range(int(line[1:]))]
        if line[:1] == b"-":
            sys.exit(f"Redis: {line.decode().strip()}")
        return line[1:-2]


def found(redis):
    """As workers publish and settle them, by the script itself: none waits for more than the window."""
    caller, key = Caller(redis.socket), "st:{found}"
    with open(SCRIPT, encoding="utf-8") as file:
        sha = caller.say("SCRIPT", "LOAD", file.read())
    empty, most = redis.used(), 0
    caller.say("HSET", f"{key}:job", "epoch", "e", "state", "open", "unread", 0)
    caller.say("HSET", f"{key}:w:w", "token", "t")
    before, who = redis.script_us(), json.dumps({"name": "w", "token": "t", "epoch": "e"})
    for first in range(0, FOUND, A_CALL):
        lines = b""
        for n in range(first, min(first + A_CALL, FOUND)):
            number = int.from_bytes(hashlib.blake2b(b"%d" % n, digest_size=8).digest(), "big") >> 2 | 1 << 62
            lines += b'%d [%d,1,"%d","http://h.example.org/product/%d",null,"{}","%s"%s]\n' % (
                number, number, n, n, b"00" * 20, b",0" * 16)
        caller.say("EVALSHA", sha, 1, key, who, lines)
        if first % WINDOW < A_CALL:
            most = max(most, redis.used() - empty)
            caller.say("DEL", f"{key}:work")
            caller.say("HSET", f"{key}:job", "unread", 0)
    most = max(most, redis.used() - empty)
    print(f"{FOUND} found requests: {(redis.script_us() - before) / FOUND:.2f} us of Redis to publish one, "
          f"{most / 1e6:.1f} MB in Redis at most\n", flush=True)


def starts(address, redis):
    """From the start of a process to its first answer that is stored."""
    firsts, joins = [], []
    for turn in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
            children = []
            for times, name in ((firsts, "a.run"), (joins, "b.run")):
                began = time.monotonic()
                children.append(subprocess.Popen(
                    [measure.BINARY, "run", "--plain", "-o", name, "-c", "4", *redis.fleet(f"start{turn}"),
                     f"{address}/posts/[1-1000000]"], cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                raw = os.path.join(directory, name, "raw")
                wait_for(lambda: os.path.isdir(raw) and any(entry.stat().st_size for entry in os.scandir(raw)))
                times.append(time.monotonic() - began)
            for child in children:
                child.terminate()
                child.wait()
    print(f"from the start to the first answer that is stored, median of {STARTS}")
    measure.table(("", "s"), [("the first worker, which makes the job", f"{statistics.median(firsts):.2f}"),
                              ("one that joins", f"{statistics.median(joins):.2f}")])


def main():
    if not shutil.which("redis-server"):
        sys.exit("missing: redis-server (redis-server)")
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory, measure.serve() as address:
        redis = Redis(directory)
        try:
            beside_a_run_alone(address, redis)
            ten_million(address, redis)
            found(redis)
            starts(address, redis)
        finally:
            redis.child.terminate()
            redis.child.wait()


if __name__ == "__main__":
    main()
