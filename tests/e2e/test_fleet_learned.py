"""Limits that no header names, learned once for all workers of a fleet: nginx and express-rate-limit beside one run alone."""

import json
import os
import subprocess
import sys
import time

import harness
from fleet_peers import Redis, name_of, worker
from harness import check, check_equal, scratch, wait_for
from nginx import Nginx

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "weather"))
import servers  # pylint: disable=wrong-import-position

NGINX = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log; events {{ worker_connections 512; }}
http {{ log_format asked '$msec $status'; access_log {dir}/access.log asked; default_type application/json; {temp}
  limit_req_zone $server_port zone=all:1m rate=100r/s; limit_req_status 429;
  server {{ listen 127.0.0.1:{port}; limit_req zone=all burst=10 nodelay; root {dir}/www; location / {{ try_files /a.json =404; }} }} }}
"""


def limited():
    os.makedirs(scratch("nginx/www"), exist_ok=True)
    with open(scratch("nginx/www/a.json"), "w", encoding="ascii") as file:
        file.write('{"a":1}')
    return Nginx(NGINX)


def fleet(redis, job, count, url, lease="2s"):
    return [worker(redis.url(job, lease), f"{job}{n}.run", "-c", "60", url) for n in range(count)]


def finish(workers, job, want):
    for child in workers:
        check_equal(harness.finish(child).code, 0, "exit code")
    done = {row[0] for n in range(len(workers)) for row in
            harness.ledger(scratch(f"{job}{n}.run"), "SELECT id FROM request WHERE state = 1")}
    check_equal(done, set(range(1, want + 1)), "requests that are done")


def alone(url):
    """Seconds that one run takes."""
    began = time.monotonic()
    harness.succeed("run", "--plain", "--fresh", "-c", "60", "-o", scratch("alone.run"), url)
    return time.monotonic() - began


def check_alike(refused, seconds, of_one, seconds_of_one):
    """Generous: it is by chance when the first refusals come. Without a common rate it is three times as many."""
    check(refused <= 2 * of_one + 30, "refused:", refused, "of one run:", of_one)
    check(seconds <= 1.6 * seconds_of_one + 3, "seconds:", seconds, "of one run:", seconds_of_one)


def leader(redis, job):
    """The worker that learns for all."""
    return redis.say("hvals", f"st:{{{job}}}:learned").split(b"\n")[0].decode()


def test_nginx__is_refused_as_seldom_as_by_one_run():
    count, refused, seconds = harness.scaled(900, 500), [], []
    for workers in (1, 3):
        nginx = limited()
        url = f"http://127.0.0.1:{nginx.port}/[1-{count}]"
        if workers == 1:
            seconds.append(alone(url))
        else:
            redis, began = Redis(), time.monotonic()
            finish(fleet(redis, "nginx", workers, url), "nginx", count)
            seconds.append(time.monotonic() - began)
            redis.kill()
        nginx.stop()
        refused.append(sum(words[1] == "429" for words in nginx.log()))
        os.remove(f"{nginx.dir}/access.log")
    check_alike(refused[1], seconds[1], refused[0], seconds[0])


def test_a_window_without_headers__is_refused_as_seldom_as_by_one_run():
    place = servers.express(os.path.join(os.path.dirname(harness.BINARY), "express"))
    if not place:
        raise harness.Skipped("node, npm or express-rate-limit is missing: nobody has asked it")
    count, refused, seconds = harness.scaled(700, 400), [], []
    for workers in (1, 3):
        child = harness.start(["node", place, json.dumps({"windowMs": 1000, "limit": 80, "standardHeaders": False, "legacyHeaders": False})],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        url = f"http://127.0.0.1:{int(child.stdout.readline())}/items/[1-{count}]"
        if workers == 1:
            seconds.append(alone(url))
        else:
            redis, began = Redis(), time.monotonic()
            finish(fleet(redis, "express", workers, url), "express", count)
            seconds.append(time.monotonic() - began)
            redis.kill()
        refused.append(json.loads(child.communicate()[0])["refused"])
    check_alike(refused[1], seconds[1], refused[0], seconds[0])


def test_who_learns_is_killed__another_learns_on__and_a_flush_is_outlived():
    redis, nginx, count = Redis(), limited(), harness.scaled(1500, 1000)
    url = f"http://127.0.0.1:{nginx.port}/[1-{count}]"
    workers = fleet(redis, "killed", 3, url)
    wait_for(lambda: leader(redis, "killed"), "one learns")
    first = leader(redis, "killed")
    at = next(n for n in range(3) if name_of(scratch(f"killed{n}.run")) == first)
    workers[at].kill()
    workers[at].wait()
    wait_for(lambda: leader(redis, "killed") not in ("", first), "another learns on")
    redis.say("flushall")
    workers[at] = worker(redis.url("killed", "2s"), f"killed{at}.run", "-c", "60", url)
    finish(workers, "killed", count)
    redis.kill()
    nginx.stop()
    refused = sum(words[1] == "429" for words in nginx.log())
    check(refused <= count / 3, "refused:", refused)  # without a common rate it is half of them, and more


if __name__ == "__main__":
    harness.main(globals())
