"""Who is measured: scrapetop with its defaults, the plain script, and curl. Each gets a list of URLs (or a listing)
and leaves what it got; what is right is judged by the bodies, not by what the peer says of itself.
"""

import dataclasses
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CURL_CONFIG = "url = \"{url}\"\noutput = \"{out}\"\n"


@dataclasses.dataclass
class Result:
    peer: str
    wall_s: float = 0
    is_running: bool = False  # still, when its time was over
    code: int = 0
    right: int = 0  # items whose body is what was asked for
    failed: int = 0  # items of which it said that they failed
    left: int = 0  # items that it said are left, to be gone on with
    lost: int = 0  # neither
    requests: int = None
    refused: int = None
    early: int = None
    most_in_flight: int = None
    connections: int = None
    words: str = ""


def number_of(url):
    found = re.search(r"item=(\d+)|(\d+)$", url)
    return int(found.group(1) or found.group(2)) if found else None


def is_right(url, body):
    """The item that was asked for; httpbin's have no number."""
    return isinstance(body, dict) and (body.get("id") == number_of(url) or "item=" in url)


def listed_ids(body):
    if not isinstance(body, dict):
        return []
    items = body.get("items") or (body.get("data") or {}).get("items") or []
    return [one.get("id") for one in items]


def right_of(weather, pairs):
    if weather.listing:
        return len({number for _, body in pairs for number in listed_ids(body)})
    return len({url for url, body in pairs if is_right(url, body)})


class Peer:
    def __init__(self, name, directory, weather, hosts):
        self.name, self.directory, self.weather = name, directory, weather
        os.makedirs(directory)
        self.urls = [url.format(**hosts) for url in weather.urls]
        if weather.is_tls:
            self.urls = [url.replace("http:", "https:") for url in self.urls]
        self.origin = f"http://{hosts['host0']}"
        self.list = os.path.join(directory, "urls")
        with open(self.list, "w", encoding="utf-8") as file:
            file.writelines(url + "\n" for url in self.urls)

    def run(self, cap_s):
        environment = {**os.environ, "TOKEN": self.weather.token, "LC_ALL": "C.UTF-8"}
        if not self.weather.token:
            del environment["TOKEN"]
        result = Result(self.name)
        with open(os.path.join(self.directory, "stdout"), "wb") as out, \
                open(os.path.join(self.directory, "stderr"), "wb") as err:
            began = time.monotonic()
            child = subprocess.Popen(self.command(), cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                                     stdout=out, stderr=err)
            try:
                child.wait(cap_s)
            except subprocess.TimeoutExpired:
                result.is_running = True
            result.wall_s = time.monotonic() - began
            if result.is_running:
                self.stop(child)
            result.code = child.returncode
        self.judge(result)
        return result

    def stop(self, child):
        child.kill()
        child.wait()

    def read(self, name):
        with open(os.path.join(self.directory, name), encoding="utf-8", errors="replace") as file:
            return file.read()


class Script(Peer):
    def command(self):
        form = {"": ["urls"], "pages": ["--pages", self.origin + "/list"],
                "graphql": ["--graphql", self.origin + "/graphql"]}[self.weather.listing]
        return [sys.executable, "-B", os.path.join(HERE, "plain_script.py"), *form, "out"]

    def judge(self, result):
        try:
            lines = [json.loads(line) for line in self.read("out").splitlines() if line.endswith("}")]
        except ValueError:
            lines = []
        result.right = right_of(self.weather, [(line["url"], line["body"]) for line in lines if "body" in line])
        result.failed = sum("error" in line for line in lines)
        count_lost(self.weather, result)


class Curl(Peer):
    def command(self):
        with open(os.path.join(self.directory, "config"), "w", encoding="utf-8") as file:
            for number, url in enumerate(self.urls):
                file.write(CURL_CONFIG.format(url=url, out=f"body-{number}"))
        token = ["-H", f"Authorization: Bearer {self.weather.token}"] if self.weather.token else []
        return ["curl", "-sSfL", "--compressed", "-Z", "--parallel-max", "10", "--retry", "5", "--retry-all-errors",
                "--connect-timeout", "5", "--max-time", "30", "-w", "%{exitcode}\\n", *token, "-K", "config"]

    def judge(self, result):
        pairs = []
        for number, url in enumerate(self.urls):
            try:
                with open(os.path.join(self.directory, f"body-{number}"), "rb") as file:
                    pairs.append((url, json.load(file)))
            except (OSError, ValueError):
                pass
        result.right = right_of(self.weather, pairs)
        result.failed = sum(line != "0" for line in self.read("stdout").split())
        count_lost(self.weather, result)


class Scrapetop(Peer):
    def __init__(self, binary, *arguments):
        self.binary = binary
        super().__init__("scrapetop", *arguments)

    def command(self):
        what = ["-i", "urls"]
        if self.weather.listing:
            path = {"pages": "/list", "graphql": "/graphql"}[self.weather.listing]
            job = {"name": "listing", "base": self.origin,
                   "endpoints": [{"name": "listing", "url": path, **self.weather.job}]}
            with open(os.path.join(self.directory, "job.json"), "w", encoding="utf-8") as file:
                json.dump(job, file)
            what = ["job.json"]
        token = ["-H", "Authorization: Bearer ${TOKEN}"] if self.weather.token else []
        return [self.binary, "run", "--plain", "--json", "-o", "it.run", *self.weather.options, *token, *what]

    def stop(self, child):
        for _ in range(2):
            child.send_signal(signal.SIGINT)
            time.sleep(0.3)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            super().stop(child)

    def stored(self):
        for path in sorted(glob.glob(os.path.join(self.directory, "it.run", "raw", "*.jsonl"))):
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    try:
                        record = json.loads(line)
                    except ValueError:
                        continue
                    if "body" in record:
                        yield record["url"], record["body"]

    def judge(self, result):
        result.words = self.read("stderr")
        result.right = right_of(self.weather, self.stored())
        try:
            report = json.loads(self.read("stdout"))
            told = sum(rule["count"] for rule in report.get("rules", []) if rule["do"] == "empty")
            result.failed, result.left = report["failed"] + told, report["pending"]
        except (ValueError, KeyError):
            result.left = self.weather.count if result.is_running else 0
        if self.weather.listing and result.code == 3:  # pages are missing, it says
            result.failed = max(result.failed, self.weather.count - result.right)
        count_lost(self.weather, result)


def count_lost(weather, result):
    left = result.left if result.code != 0 or result.is_running else 0
    if result.is_running and result.peer != "scrapetop":
        left = weather.count
    result.lost = max(0, weather.count - result.right - result.failed - left)


def curl_can(weather):
    return not weather.listing


def all_of(binary):
    """(name, maker) in the order of their turns."""
    return [("script", lambda *rest: Script("script", *rest)), ("curl", lambda *rest: Curl("curl", *rest)),
            ("scrapetop", lambda *rest: Scrapetop(binary, *rest))]
