"""Quotas that servers tell, spent once by all workers of a fleet: by the server's own count, with a real redis-server."""

import collections
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request

import harness
from fleet_peers import Redis, worker
from harness import check, check_equal, scratch, wait_for
from quota_api import QuotaApi

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "weather"))
import servers  # pylint: disable=wrong-import-position


def start(redis, job, count, url, *options, cap=9, lease="2s"):
    return [worker(redis.url(job, lease), f"{job}{n}.run", "-c", str(cap), "-A", f"worker {n}", *options, url)
            for n in range(count)]


def finish(workers, job, want):
    for child in workers:
        check_equal(harness.finish(child).code, 0, "exit code")
    done = {row[0] for n in range(len(workers)) for row in
            harness.ledger(scratch(f"{job}{n}.run"), "SELECT id FROM request WHERE state = 1")}
    check_equal(done, set(range(1, want + 1)), "requests that are done")


def events(job, n, kind):
    with open(scratch(f"{job}{n}.run/events.jsonl"), encoding="utf-8") as file:
        return [event for event in map(json.loads, file) if event["event"] == kind]


def test_a_quota__is_spent_once_by_the_sum():
    redis, api = Redis(), QuotaApi(limit=40, window_s=1.2)
    count = harness.scaled(160, 120)
    workers = start(redis, "sum", 3, f"{api.url}/items/[1-{count}]")
    finish(workers, "sum", count)
    agents = collections.Counter(agent for _, _, agent in api.log)
    check_equal(len(agents), 3, f"workers that asked: {agents}")
    check(api.refused() <= 9, "refused:", api.refused(), "of", len(api.log))
    check(api.most_in(1.2) <= 2 * 40, "in the time of a window:", api.most_in(1.2))
    redis.kill()


def test_a_quota_of_express_rate_limit__is_spent_once_by_the_sum():
    place = servers.express(os.path.join(os.path.dirname(harness.BINARY), "express"))
    if not place:
        raise harness.Skipped("node, npm or express-rate-limit is missing: nobody has asked it")
    count = 75
    for headers in ({"standardHeaders": "draft-7", "legacyHeaders": False}, {"standardHeaders": False, "legacyHeaders": True}):
        job = "std" if headers["standardHeaders"] else "old"
        child = harness.start(["node", place, json.dumps({"windowMs": 2000, "limit": 50, **headers})],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        url = f"http://127.0.0.1:{int(child.stdout.readline())}/items/[1-{count}]"
        redis = Redis(name=job)
        finish(start(redis, job, 3, url), job, count)
        told = json.loads(child.communicate()[0])
        check(told["refused"] <= 9, headers, "refused:", told)
        redis.kill()


def test_a_quota__outlives_a_redis_that_forgets_and_a_worker_that_dies():
    redis, api = Redis(), QuotaApi(limit=30, window_s=1)
    count = 150
    workers = start(redis, "lost", 3, f"{api.url}/items/[1-{count}]", lease="1s")
    wait_for(lambda: len({agent for _, _, agent in api.log}) == 3, "all three ask")
    redis.say("flushall")
    before = len(api.log)
    wait_for(lambda: len(api.log) > before + 20, "requests after the flush")
    workers[0].kill()
    workers[0].wait()
    workers[0] = start(redis, "lost", 1, f"{api.url}/items/[1-{count}]", lease="1s")[0]
    finish(workers, "lost", count)
    check(api.refused() <= 9, "refused:", api.refused(), "of", len(api.log))
    redis.kill()


def test_a_limit_by_address__is_found_out_and_each_worker_may_spend_its_own():
    redis, api = Redis(), QuotaApi(limit=60, window_s=2, delay_s=0.01, by_agent=True)
    count = 180
    finish(start(redis, "one", 2, f"{api.url}/items/[1-{count}]", cap=4), "one", count)
    told = [event for n in range(2) for event in events("one", n, "quota")]
    check(any("--budget worker" in event["text"] for event in told), "events:", told)
    api = QuotaApi(limit=60, window_s=2, by_agent=True)
    finish(start(redis, "own", 2, f"{api.url}/items/[1-{count}]", "--budget", "worker", cap=4), "own", count)
    check(api.most_in(1.9) > 70, "in the time of a window, of two workers with 60 each:", api.most_in(1.9))
    check(api.refused() <= 9, "refused:", api.refused(), "of", len(api.log))
    check(not events("own", 0, "quota") and not events("own", 1, "quota"), "told without need")
    redis.kill()


def test_beside_a_naive_script__workers_are_refused_seldom():
    redis, api = Redis(), QuotaApi(limit=50, window_s=1)
    over = threading.Event()

    def ask():
        while not over.wait(0.05):
            try:
                urllib.request.urlopen(f"{api.url}/items/0", timeout=30).read()
            except urllib.error.HTTPError:
                pass
    script = threading.Thread(target=ask, daemon=True)
    script.start()
    finish(start(redis, "beside", 2, f"{api.url}/items/[1-150]"), "beside", 150)
    over.set()
    script.join()
    ours = [status for _, status, agent in api.log if agent.startswith("worker")]
    check(ours.count(429) <= len(ours) / 5, "refused:", ours.count(429), "of", len(ours))
    redis.kill()


class HoldApi(http.server.ThreadingHTTPServer):
    """Answers well, but from its 40th request on it asks everybody to stay away for four seconds, once."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), HoldHandler)
        self.lock, self.log, self.held_at = threading.Lock(), [], None
        threading.Thread(target=self.serve_forever, daemon=True).start()


class HoldHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        api, now = self.server, time.monotonic()
        with api.lock:
            api.log.append((now, self.headers.get("User-Agent", "")))
            refuses = len(api.log) >= 40 and (api.held_at is None or now < api.held_at + 0.01)
            if refuses and api.held_at is None:
                api.held_at = now
        time.sleep(0.05)
        self.send_response(429 if refuses else 200)
        if refuses:
            self.send_header("Retry-After", "4")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_a_hold__that_one_was_told__lets_no_other_ask_within_it():
    redis, api = Redis(), HoldApi()
    finish(start(redis, "held", 3, f"http://127.0.0.1:{api.server_address[1]}/[1-120]"), "held", 120)
    within = [(round(at - api.held_at, 2), agent) for at, agent in api.log if api.held_at + 1.2 < at < api.held_at + 3.95]
    check(not within, "asked within another's Retry-After of 4 s:", within)
    check(any(api.held_at < at < api.held_at + 1.2 for at, _ in api.log) or len(api.log) > 120, "nobody was in flight")
    redis.kill()


if __name__ == "__main__":
    harness.main(globals())
