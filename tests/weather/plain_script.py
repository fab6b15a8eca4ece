"""The plain script: what somebody who knows the trade writes in an hour, to be measured beside.

    plain_script.py URLS OUT             a file with a URL a line
    plain_script.py --pages URL OUT      ?page=1, 2, ... until "items" is empty
    plain_script.py --graphql URL OUT    a POST a page, "after" being what the last page's "end" said

Ten threads, each with connections that it keeps. Five tries after the first, with full jitter between
them (1 s, doubled up to 30 s); Retry-After, in seconds or as a date, is obeyed by the thread that was told it.
A try may take 30 s. What is not JSON has failed. OUT gets a JSON object a line, with "body" or "error".
"""

import concurrent.futures
import email.utils
import http.client
import json
import os
import random
import sys
import threading
import time
import urllib.parse

THREADS, RETRIES = 10, 5
BACKOFF_S, BACKOFF_MAX_S = 1, 30
TIMEOUT_S = 30
AGAIN = {408, 425, 429, 500, 502, 503, 504}
REDIRECTS = {301, 302, 303, 307, 308}

kept = threading.local()


class Refused(Exception):
    def __init__(self, status, headers):
        super().__init__(f"HTTP {status}")
        self.again, self.wait_s = status in AGAIN, retry_after_s(headers.get("Retry-After"))


def retry_after_s(said):
    if not said:
        return None
    if said.isdigit():
        return int(said)
    try:
        return max(0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None


def connection_to(parts):
    if not hasattr(kept, "connections"):
        kept.connections = {}
    place = (parts.scheme, parts.netloc)
    if place not in kept.connections:
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        kept.connections[place] = kind(parts.netloc, timeout=TIMEOUT_S)
    return place, kept.connections[place]


def ask(url, body=None, headers=None):
    """The JSON that is there, redirects followed."""
    for _ in range(6):
        parts = urllib.parse.urlsplit(url)
        place, connection = connection_to(parts)
        try:
            connection.request("POST" if body else "GET",
                               urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")), body, headers or {})
            answer = connection.getresponse()
            data = answer.read()
        except BaseException:
            connection.close()
            del kept.connections[place]
            raise
        if answer.status not in REDIRECTS:
            break
        url = urllib.parse.urljoin(url, answer.headers["Location"])
    if answer.status != 200:
        raise Refused(answer.status, answer.headers)
    return json.loads(data)


def patiently(url, check=lambda found: None, **options):
    """ask(), tried again; check() raises ValueError when what came is not what was asked for."""
    for attempt in range(RETRIES + 1):
        wait_s = None
        try:
            found = ask(url, **options)
            check(found)
            return {"url": url, "body": found}
        except Refused as why:
            error, wait_s = str(why), why.wait_s
            if not why.again:
                break
        except (OSError, http.client.HTTPException, ValueError) as why:
            error = f"{type(why).__name__}: {why}"
        if attempt < RETRIES:
            time.sleep(random.uniform(0, min(BACKOFF_MAX_S, BACKOFF_S * 2**attempt)) if wait_s is None else wait_s)
    return {"url": url, "error": error}


def has_items(found):
    if not isinstance(found.get("items"), list):
        raise ValueError("no items")


def has_data(found):
    if found.get("errors") or not found.get("data"):
        raise ValueError("errors")


def pages(url):
    page = 1
    while True:
        found = patiently(f"{url}?page={page}", has_items)
        yield found
        if "error" in found or not found["body"]["items"]:
            return
        page += 1


def graphql_pages(url):
    after = None
    while True:
        body = json.dumps({"query": "{ items }", "variables": {"after": after}})
        found = patiently(url, has_data, body=body, headers={"Content-Type": "application/json"})
        yield found
        if "error" in found or not found["body"]["data"]["more"]:
            return
        after = found["body"]["data"]["end"]


def all_of(urls):
    token = os.environ.get("TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    pool = concurrent.futures.ThreadPoolExecutor(THREADS)
    todo = [pool.submit(patiently, url, headers=headers) for url in urls]
    return (done.result() for done in concurrent.futures.as_completed(todo))


def main(arguments):
    if arguments[0] == "--pages":
        found = pages(arguments[1])
    elif arguments[0] == "--graphql":
        found = graphql_pages(arguments[1])
    else:
        with open(arguments[0], encoding="utf-8") as file:
            found = all_of(file.read().split())
    failed = 0
    with open(arguments[-1], "w", encoding="utf-8") as out:
        for line in found:
            failed += "error" in line
            out.write(json.dumps(line) + "\n")
            out.flush()
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
