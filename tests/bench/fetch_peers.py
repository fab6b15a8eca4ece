"""The clients that fetch: each asks the same URLs and stores every body in the way that is its own."""

import contextlib
import os
import subprocess

import measure
from measure import BINARY, Peer, PYTHON

CURL = os.environ.get("CURL", "curl")  # another one, say the newest that was built from its source
ABSENT = {"curl -Z": "apt install curl", "curl -Z, kept nowhere": "apt install curl",
          "aiohttp": "apt install python3-aiohttp", "libcurl alone": "scripts/deps"}


def stored_lines(directory):
    raw = os.path.join(directory, "b.run", "raw")
    return sum(measure.lines_in(os.path.join(raw, name)) for name in os.listdir(raw))


def stored_files(directory):
    return len(os.listdir(os.path.join(directory, "bodies")))


def scrapetop(load, cap):
    """Everything is on: JSON is checked, the ledger is kept, batches are synced."""
    def command(_):
        return [BINARY, "run", "-o", "b.run", "--plain", "-c", str(cap), load.pattern]

    return Peer("scrapetop", measure.version_of(BINARY, "--version"), command, stored_lines)


def curl(load, cap):
    """Its URL patterns, too: a config that names every URL would cost it several times as much."""
    def command(directory):
        os.mkdir(os.path.join(directory, "bodies"))
        return [CURL, "-sSf", "-Z", "--parallel-max", str(cap), "-o", "bodies/" + load.name,
                load.pattern]

    return Peer("curl -Z", measure.version_of(CURL, "--version"), command, stored_files)


def curl_to_nowhere(load, cap):
    """curl without what the file system costs it: what is left is the fetching alone."""
    def command(_):
        return [CURL, "-sSf", "-Z", "--parallel-max", str(cap), "-o", "/dev/null", load.pattern]

    return Peer("curl -Z, kept nowhere", measure.version_of(CURL, "--version"), command,
                lambda _: load.count)


def bare(load, cap, scratch):
    """libcurl on libuv and nothing else, bare_client.c: what is above it is ours to save."""
    program = os.path.join(scratch, "bare_client")
    source = os.path.join(measure.HERE, "bare_client.c")
    with contextlib.suppress(OSError):
        subprocess.run(["cc", "-O2", source, "-o", program, "-lcurl", "-luv"], check=False)
    version = measure.version_of("pkg-config", "--modversion", "libcurl") if os.path.exists(program) else None

    def command(_):
        return [program, load.prefix.replace("A", "%d").replace("B", "%d"), str(load.count), str(cap), "bodies"]

    return Peer("libcurl alone", version, command,
                lambda directory: measure.lines_in(os.path.join(directory, "bodies")))


def aiohttp(load, cap):
    def command(directory):
        os.mkdir(os.path.join(directory, "bodies"))
        return [PYTHON, os.path.join(measure.HERE, "aiohttp_client.py"), load.list, str(cap), "bodies"]

    return Peer("aiohttp", measure.module_version("aiohttp"), command, stored_files)


class Load:
    """What is asked for: as a pattern, and as a list in a file for who has no patterns."""

    def __init__(self, directory, prefix, *counts):
        """prefix, "A?n=B" with one range for each of counts: [1-COUNT] in the place of each letter."""
        self.prefix = prefix
        self.pattern, self.name = prefix, "-".join(f"#{n + 1}" for n in range(len(counts)))
        urls = [prefix]
        for letter, count in zip("AB", counts):
            self.pattern = self.pattern.replace(letter, f"[1-{count}]")
            urls = [url.replace(letter, str(n)) for url in urls for n in range(1, count + 1)]
        self.count = len(urls)
        self.list = os.path.join(directory, "urls")
        with open(self.list, "w", encoding="ascii") as file:
            file.writelines(url + "\n" for url in urls)


def all_of(load, cap):
    return measure.installed([scrapetop(load, cap), curl(load, cap), aiohttp(load, cap)], ABSENT)
