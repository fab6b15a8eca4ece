"""The controller against real servers: it keeps to a quota that is told, finds out one that is not, and tries
what is not limited at all. Only what is true on a machine of any speed: how near it comes to what is allowed is
asked of servers made of numbers, whose clock is handed in (test_tuner_sim, `scripts/bench pacing`).
"""

import signal
import subprocess

import harness
from harness import check, check_equal, scratch
from nginx import Nginx

# So many a second at /rate/, so many at once at /together/.
CONFIG = """
daemon off; master_process off; worker_processes 1;
pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
    {temp}
    default_type application/json;
    log_format asked '$msec $status $request_uri';
    access_log {dir}/access.log asked;
    limit_req_zone $server_port zone=rate:1m rate=20r/s;
    limit_conn_zone $server_port zone=together:1m;
    limit_req_status 429; limit_conn_status 429;
    keepalive_requests 100000;
    server {{
        listen 127.0.0.1:{port};
        location /rate/ {{ proxy_pass {api}/posts/; limit_req zone=rate burst=10 nodelay; }}
        location /together/ {{ proxy_pass {api}/posts/; limit_conn together 4; }}
    }}
}}
"""


def scrape(name, url, *options):
    """The report of a run in which all went well in the end."""
    report = harness.succeed("run", "--auto", "--json", "-o", scratch(f"{name}.run"), *options, url).report()
    check_equal(report["politeness"]["requests_before_a_deadline"], 0, "requests before a deadline")
    return report


def test_auto__keeps_to_the_limit_and_says_so__when_the_quota_is_told():
    with harness.api("--limit", "20/s", "--latency", "50ms") as server:
        report = scrape("told", f"{server.url}/posts/[1-120]")
    check_equal(report["status"], {"200": 120}, "answers: every one told the quota")
    check(b'"limit":"BUDGET"' in harness.read(scratch("told.run/events.jsonl")),
          "no word of the quota in the events")


def test_auto__tries_more_at_once__when_nothing_limits_it():
    """When, is for the machine to say."""
    with harness.api("--max-concurrent", "40", "--latency", "200ms") as server:
        child = harness.scrapetop("run", "--auto", "--plain", "--json", "-o", scratch("knee.run"),
                                  f"{server.url}/posts/[1-1000000]", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        harness.read_until(child.stderr, rb"auto: cap 10 -> [2-9][0-9]")
        child.send_signal(signal.SIGINT)
        report = harness.finish(child).report()
    check_equal(report["status"], {"200": report["ok"]}, "answers")
    check_equal(report["politeness"]["requests_before_a_deadline"], 0, "requests before a deadline")
    check(report["ladder"][0]["cap"] == 10 and report["ladder"][0]["requests"] > 10, "not tried first:", report["ladder"])


def answers_of(server):
    """How often an nginx that has ended accepted and refused."""
    statuses = [line[1] for line in server.log() if len(line) == 3]
    return statuses.count("200"), statuses.count("429")


def check_learns(location, count):
    """All arrives, and far fewer are refused than if nothing were learnt from refusals."""
    with harness.api("--latency", "50ms") as api:
        server = Nginx(CONFIG, api=api.url)
        report = scrape(location, f"http://127.0.0.1:{server.port}/{location}/[1-{count}]")
        server.stop()
        accepted, refused = answers_of(server)
    check_equal((report["ok"], accepted, report["status"].get("429", 0)), (count, count, refused),
                "bodies, answers, refusals: ours and nginx's")
    print(f"{location}: {accepted} accepted, {refused} refused")
    check(refused > 0, "nothing was refused: this test shows nothing")
    check(refused < count / 4, refused, "refusals, and", count, "answers")


def test_auto__learns_the_rate__when_nginx_refuses_without_a_word():
    check_learns("rate", 300)


def test_auto__learns_how_many_at_once__when_nginx_refuses_more():
    check_learns("together", 400)


def test_options__are_refused__when_they_make_no_sense():
    for options in (["--rate", "0"], ["--rate", "10/x"], ["-c", "0"], ["--profile", "rude"],
                    ["--cap-max", "0"], ["--rate-per-host", "-1/s"]):
        ended = harness.run("run", *options, "http://127.0.0.1:1/x")
        check_equal(ended.code, 2, f"exit code of {options}")


if __name__ == "__main__":
    harness.main(globals())
