"""Job files against servers that nobody here wrote: json-server for paging, httpbin for logins, redirects
and cookies. What a listing holds is known, for it is given to json-server as a file.
"""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import urllib.error
import urllib.request

import harness
import jobs
from harness import check, check_equal, scratch

POSTS = 237  # on pages of 25: the last is not full
COMMENTS_OF_EACH = 3
HTTPBIN = "from werkzeug.serving import run_simple; from httpbin import app; " \
          "run_simple('127.0.0.1', int(__import__('sys').argv[1]), app, threaded=True)"


def database():
    posts = [{"id": n, "title": f"Post \"{n}\", größe", "author": {"name": f"user{n % 7}"},
              "tags": ["a", "b"][:n % 3], "score": None if n % 11 == 0 else n * 7} for n in range(1, POSTS + 1)]
    comments = [{"id": n, "postId": (n - 1) // COMMENTS_OF_EACH + 1, "body": f"line\n{n}"}
                for n in range(1, POSTS * COMMENTS_OF_EACH + 1)]
    return {"posts": posts, "comments": comments}


@contextlib.contextmanager
def server(arguments_for, ready):
    """A server on a port of its own: the first of a few that is free."""
    for port in random.sample(range(20000, 30000), 5):
        log = open(scratch(f"server-{port}.log"), "wb")
        child = harness.start(arguments_for(port), stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        harness.wait_for(lambda: child.poll() is not None or answers(url + ready), "a server that listens")
        if child.poll() is None:
            break
    else:
        raise harness.Failed(harness.read(log.name).decode(errors="replace"))
    try:
        yield url
    finally:
        child.terminate()
        child.wait()


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
        return True
    except OSError:
        return False


def json_server():
    program = os.environ.get("JSON_SERVER")
    if not program:
        raise harness.Skipped("json-server is not installed: nobody has asked it")
    path = scratch("db.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(database(), file)
    return server(lambda port: [program, "--host", "127.0.0.1", "--port", str(port), "--quiet", path],
                  "/posts/1")


def httpbin():
    if subprocess.run(["/usr/bin/python3", "-c", "import httpbin, werkzeug"], check=False,
                      capture_output=True).returncode:
        raise harness.Skipped("python3-httpbin is missing: scripts/deps --test")
    return server(lambda port: ["/usr/bin/python3", "-B", "-c", HTTPBIN, str(port)], "/get")


def as_read(records):
    """Records as a parser that keeps numbers as text reads them."""
    return jobs.parse(json.dumps(records))


# --- json-server -------------------------------------------------------------------------------------

PAGINATORS = {
    "page_and_total": {"param": "_page", "size": 25, "size_param": "_limit",
                       "total": "header:X-Total-Count"},
    "page_until_empty": {"param": "_page", "size": 25, "size_param": "_limit"},
    "offset_and_total": {"offset_param": "_start", "size": 25, "size_param": "_limit",
                         "total": "header:X-Total-Count"},
}


def test_json_server__gives_every_row_once__however_it_is_paged():
    posts = as_read(database()["posts"])
    with json_server() as url:
        for name, pages in PAGINATORS.items():
            job = jobs.write_job(name, base=url, endpoints=[{"name": "posts", "url": "/posts",
                                                             "pages": pages}])
            report, _ = jobs.run(job)
            jobs.check_table(report["csv"], posts)
        for kind in ("link", "auto"):
            job = jobs.write_job("by_" + kind, base=url, endpoints=[
                {"name": "posts", "url": "/posts?_page=1&_limit=25", "pages": kind}])
            report, _ = jobs.run(job)
            jobs.check_table(report["csv"], posts)
            check_equal(report["requests"], 10, f"requests by {kind}")


def test_json_server__leads_from_list_to_detail():
    data = database()
    with json_server() as url:
        job = jobs.write_job("blog", base=url, endpoints=[
            {"name": "posts", "url": "/posts", "pages": PAGINATORS["page_and_total"]},
            {"name": "comments", "url": "/posts/{posts.id}/comments", "with": ["posts.title"]}])
        report, run_dir = jobs.run(job)
        jobs.check_table(os.path.join(run_dir, "posts.csv"), as_read(data["posts"]))
        titles = [p["title"] for p in data["posts"] for _ in range(COMMENTS_OF_EACH)]
        jobs.check_table(os.path.join(run_dir, "comments.csv"), as_read(data["comments"]),
                         **{"posts.title": titles})


# --- httpbin -------------------------------------------------------------------------------------------


def bodies(run_dir):
    return [json.loads(harness.body_of(line)) for line in harness.raw_lines(run_dir)]


def one(url, path, code=0, env=None, **job):
    """The bodies that one URL of httpbin gave."""
    name = re.sub(r"[^a-z0-9]+", "_", path.strip("/"))[:30] + str(random.randrange(10**9))
    made = jobs.write_job(name, base=url, endpoints=[{"name": "one", "url": path}],
                          retry={"attempts": 1}, **job)
    report, run_dir = jobs.run(made, code=code, env=env)
    return bodies(run_dir) if code == 0 else report


def test_httpbin__lets_in__by_basic_and_bearer():
    with httpbin() as url:
        basic = {"basic": {"user": "me", "password": "${PW}"}}
        got = one(url, "/basic-auth/me/pa55 w:rd".replace(" ", "%20"), login=basic, env={"PW": "pa55 w:rd"})
        check_equal(got, [{"authenticated": True, "user": "me"}], "basic")
        report = one(url, "/basic-auth/me/other", code=5, login=basic, env={"PW": "pa55 w:rd"})
        check_equal(report["ok"], 0, "ok")
        got = one(url, "/bearer", login={"bearer": "${TOKEN}"}, env={"TOKEN": "t0ken-of-mine"})
        check_equal(got, [{"authenticated": True, "token": "t0ken-of-mine"}], "bearer")


def test_httpbin__lets_in__by_digest():
    digest = {"digest": {"user": "me", "password": "${PW}"}}
    with httpbin() as url:
        for algorithm in ("MD5", "SHA-256", "SHA-512"):
            path = f"/digest-auth/auth/me/pa55/{algorithm}/"
            report = one(url, path + "never", code=5, login=digest, env={"PW": "other"})
            check_equal(report["ok"], 0, "ok")
            if algorithm == "SHA-512":
                continue  # which libcurl does not know: refused, as is a wrong password
            got = one(url, path + "never", login=digest, env={"PW": "pa55"})
            check_equal(got, [{"authenticated": True, "user": "me"}], algorithm)
            job = jobs.write_job("stale" + algorithm, base=url, vars={"id": "[3-14]"}, login=digest, pace={"cap": 1},
                                 endpoints=[{"name": "one", "url": path + "{id}"}])
            _, run_dir = jobs.run(job, env={"PW": "pa55"})
            check_equal(len(bodies(run_dir)), 12, "answers, with nonces that end by and by")


def test_httpbin__is_followed__with_the_credential_within_its_origin_only():
    login = {"bearer": "${TOKEN}"}
    env = {"TOKEN": "t0ken-of-mine"}
    with httpbin() as url, httpbin() as other:
        for path in ("/redirect/3", "/relative-redirect/2", "/absolute-redirect/2",
                     "/redirect-to?status_code=307&url=/get"):
            got = one(url, path, login=login, env=env)
            check_equal(got[0]["headers"].get("Authorization"), "Bearer t0ken-of-mine", path)
        got = one(url, f"/redirect-to?url={other}/get", login=login, env=env)
        check("Authorization" not in got[0]["headers"], "the other origin was told", got[0]["headers"])


def test_httpbin__gets_the_cookie__that_it_set():
    with httpbin() as url:
        got = one(url, "/cookies/set?a=1")
        check_equal(got, [{"cookies": {"a": "1"}}], "cookies after a redirect that set one")
        got = one(url, "/cookies", headers={"Cookie": "session=${SESSION}"}, env={"SESSION": "s3ss10n"})
        check_equal(got, [{"cookies": {"session": "s3ss10n"}}], "the job's own cookie")


def test_httpbin__is_told__what_the_job_says():
    with httpbin() as url:
        body = {"text": "größe", "number": 12345678901234567890, "list": [1, {"a": None}]}
        job = jobs.write_job("post", base=url, endpoints=[
            {"name": "one", "url": "/post", "method": "POST", "json": body, "headers": {"X-Own": "1"}}])
        _, run_dir = jobs.run(job)
        got = bodies(run_dir)[0]
        check_equal(json.loads(got["data"]), body, "the body")
        check_equal((got["headers"]["Content-Type"], got["headers"]["X-Own"]), ("application/json", "1"),
                    "headers")


if __name__ == "__main__":
    harness.main(globals())
