"""`run --dry-run` after a short session: the time that it says is that which the rest takes, in every weather that the
embedded server has; and what it says where nothing is known, of a listing, of a directory of another job.
"""

import concurrent.futures
import json
import time

import harness
from harness import check, check_equal, scratch

NEAR = 0.20      # of the real time
ABSOLUTE_S = 1.5  # a start, the end, and a machine that is busy otherwise: 30 processes for 2 cores cost 0.9 s

# the server's options, the run's
WEATHERS = (
    (("--latency", "60ms"), ("-c", "5")),
    (("--latency", "60ms", "--jitter", "50ms"), ("-c", "8")),
    (("--limit", "40/s"), ()),
    (("--limit", "60/s", "--latency", "50ms"), ("-c", "20")),
    (("--latency", "50ms", "--max-concurrent", "4"), ("-c", "8")),
    (("--latency", "50ms", "--truncate", "4%"), ("-c", "6", "--backoff", "50ms:200ms")),
    (("--latency", "20ms"), ("--rate", "50/s")),
    (("--latency", "20ms"), ("--rate-per-host", "50/s")),
)


def price(*arguments):
    return json.loads(harness.succeed("run", "--dry-run", "--json", *arguments).out)


def measure(number, count):
    """What was said, and what the rest took."""
    weather, options = WEATHERS[number]
    with harness.api(*weather, name=f"w{number}") as api:
        run, url = scratch(f"w{number}.run"), f"{api.url}/posts/[1-{count}]"
        harness.run("run", "--plain", "--max-requests", str(count // 3), "-o", run, *options, url)
        said = price("-o", run, *options, url)
        began = time.monotonic()
        harness.run("run", "--plain", "-o", run, *options, url)
        took = time.monotonic() - began
        check_equal(price("-o", run, *options, url)["left"], 0, "left at the end")
    return said, took


def test_price__is_what_the_rest_takes__in_every_weather():
    count = harness.scaled(400, 240)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # they wait most of the time
        measured = list(pool.map(lambda number: measure(number, count), range(len(WEATHERS))))
    for weather, (said, took) in zip(WEATHERS, measured):
        print(f"{weather}: said {said['seconds']}, took {took:.1f}, {said['limited_by']}")
        check(abs(said["seconds"] - took) <= NEAR * took + ABSOLUTE_S, weather, said, took)
        check_equal(said["left"] + said["done"] + said["failed"], count, "requests")


def test_price__says_what_would_help__where_nothing_is_known():
    ended = harness.succeed("run", "--dry-run", "-c", "20", "https://api.example.org/[1-400]")
    check_equal(ended.out.count(b"\n"), 400, "requests")
    check(b"400 requests, none sent" in ended.err and b"not known" in ended.err and b"--max-requests 50" in ended.err, ended)
    said = price("--rate", "4/s", "https://api.example.org/[1-400]")
    check_equal((said["limited_by"], said["seconds"], said["disk_bytes"]), ("RATE", 100, None), said)


def test_price__is_the_least__when_pages_follow():
    job = scratch("pages.json")
    with open(job, "w", encoding="utf-8") as file:
        json.dump({"base": "https://api.example.org", "endpoints": [
            {"name": "a", "url": "/a", "pages": {"param": "page"}}, {"name": "b", "url": "/b/{a.id}"}]}, file)
    check(price(job)["may_be_more"], "further pages are not told")
    check(b"this is the least" in harness.succeed("run", "--dry-run", job).err, "in words")


def test_price__refuses__a_directory_of_another_job():
    with harness.api() as api:
        run = scratch("other.run")
        harness.succeed("run", "--plain", "-o", run, f"{api.url}/posts/[1-3]")
        ended = harness.run("run", "--dry-run", "-o", run, "-X", "PUT", f"{api.url}/posts/[1-4]")
        check(ended.code == 2 and b"E-JOB1" in ended.err, ended)
        check_equal(price("-o", run)["left"], 0, "the run's own job")
        check_equal(price("-o", run, f"{api.url}/posts/[1-4]")["left"], 1, "one more")
        check_equal(price("--fresh", "-o", run, f"{api.url}/posts/[1-4]")["left"], 4, "anew")


if __name__ == "__main__":
    harness.main(globals())
