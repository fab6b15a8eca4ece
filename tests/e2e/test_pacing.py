"""The controller against real servers: nine tenths of what is allowed, hardly a refusal, no request
inside a window that was named. What is allowed is known, and the servers' logs are the witnesses: of
their second half, when the controller has had its time to find out.
"""

import contextlib
import os
import shutil
import socket
import subprocess

import harness
import test_nginx
from harness import SMALL, check, check_equal, scaled, scratch, wait_for

PART = 0.5 if SMALL else 0.9  # a sanitizer's slowness is no fault of the controller

CONFIG = """
daemon off; master_process off; worker_processes 1;
pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
    {temp_paths}
    default_type application/json;
    log_format asked '$msec $status $request_uri';
    access_log {dir}/access.log asked;
    limit_req_zone $server_port zone=rate:1m rate=40r/s;
    limit_conn_zone $server_port zone=together:1m;
    limit_req_status 429; limit_conn_status 429;
    keepalive_requests 100000;
    server {{
        listen 127.0.0.1:{port};
        location /rate/ {{ proxy_pass {api}/posts/; limit_req zone=rate burst=20 nodelay; }}
        location /together/ {{ proxy_pass {api}/posts/; limit_conn together 8; }}
    }}
}}
"""


def second_half(times_s):
    """Accepted a second, in the second half of the time."""
    times_s = sorted(times_s)
    middle = (times_s[0] + times_s[-1]) / 2
    return sum(t > middle for t in times_s) / (times_s[-1] - middle)


def scrape(name, url, *options):
    ended = harness.succeed("run", "--auto", "--json", "-o", scratch(f"{name}.run"), *options, url)
    report = ended.report()
    check_equal(report["politeness"]["requests_before_a_deadline"], 0, "requests before a deadline")
    return report


def check_pace(times_s, refused, allowed_per_s):
    rate = second_half(times_s)
    check(rate >= PART * allowed_per_s, f"{rate:.1f}/s of {allowed_per_s}/s")
    total = len(times_s) + refused
    check(refused < total / 100, refused, "of", total, "were refused")


def served(server):
    """When answers were given, and how many refusals: each of them names a second at least."""
    asked = server.asked()
    for refusal in (a for a in asked if a.status == 429):
        sent_us = refusal.arrived_us + refusal.took_us
        inside = [a for a in asked if sent_us + 500_000 < a.arrived_us < sent_us + 1_000_000]
        check(not inside, "requests inside a window that was named:", inside)
    return ([(a.arrived_us + a.took_us) / 1e6 for a in asked if a.status == 200],
            sum(a.status == 429 for a in asked))


def test_auto__keeps_to_the_limit__when_the_quota_is_told():
    with harness.api("--limit", "20/s", "--latency", "50ms") as server:
        report = scrape("told", f"{server.url}/posts/[1-{scaled(500, 200)}]")
        server.stop()
        check_pace(*served(server), 20)
    check_equal(report["status"].get("429", 0), 0, "429s: every answer told the quota")


def test_auto__finds_the_cap__when_the_server_works_on_so_many_at_once():
    with harness.api("--max-concurrent", "40", "--latency", "200ms") as server:
        report = scrape("knee", f"{server.url}/posts/[1-{scaled(5000, 2000)}]")
        server.stop()
        check_pace(*served(server), 200)
    check(len(report["ladder"]) > 1, "no cap was tried: this test shows nothing")


@contextlib.contextmanager
def nginx(api_url):
    if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"):
        raise harness.Skipped("nginx is missing: apt install nginx-light")
    where, port = scratch("nginx"), test_nginx.free_port()
    os.makedirs(where, exist_ok=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    with open(f"{where}/conf", "w", encoding="ascii") as file:
        file.write(CONFIG.format(dir=where, port=port, api=api_url, temp_paths=" ".join(
            f"{kind}_temp_path {where}/{kind};" for kind in kinds)))
    os.chmod(scratch("."), 0o755)
    child = harness.start(["nginx", "-p", where, "-c", f"{where}/conf", "-e", f"{where}/error.log"],
                          stderr=subprocess.DEVNULL)

    def answers():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    def asked(location):
        with open(f"{where}/access.log", encoding="ascii") as log:
            rows = [line.split() for line in log]
        rows = [r for r in rows if len(r) == 3 and r[2].startswith(f"/{location}/")]
        return ([float(r[0]) for r in rows if r[1] == "200"], sum(r[1] == "429" for r in rows))

    wait_for(answers, "nginx")
    try:
        yield f"http://127.0.0.1:{port}", asked
    finally:
        child.terminate()
        child.wait()


def test_auto__finds_the_rate__when_nginx_refuses_without_a_word():
    with harness.api("--latency", "50ms") as api, nginx(api.url) as (url, asked):
        scrape("rate", f"{url}/rate/[1-{scaled(3600, 1200)}]")
        check_pace(*asked("rate"), 40)


def test_auto__finds_how_many_at_once__when_nginx_refuses_more():
    with harness.api("--latency", "100ms") as api, nginx(api.url) as (url, asked):
        scrape("together", f"{url}/together/[1-{scaled(1600, 800)}]")
        check_pace(*asked("together"), 80)


def test_limit__is_told_by_the_run_at_every_moment():
    with harness.api("--limit", "20/s", "--latency", "50ms") as server:
        scrape("words", f"{server.url}/posts/[1-100]")
    events = harness.read(scratch("words.run/events.jsonl"))
    check(b'"limit":"BUDGET"' in events.encode() if isinstance(events, str) else
          b'"limit":"BUDGET"' in events, "no word of the quota in the events")


def test_options__are_refused__when_they_make_no_sense():
    for options in (["--rate", "0"], ["--rate", "10/x"], ["-c", "0"], ["--profile", "rude"],
                    ["--cap-max", "0"], ["--rate-per-host", "-1/s"]):
        ended = harness.run("run", *options, "http://127.0.0.1:1/x")
        check_equal(ended.code, 2, f"exit code of {options}")


if __name__ == "__main__":
    harness.main(globals())
