"""What the benchmarks share: a measured child, interleaved rounds with medians, servers, a table.

CPU is that of the child with all its threads, as the kernel accounts it when the child is waited for.
"""

import collections
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BINARY = os.environ["SCRAPETOP"]
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's aiohttp and pandas
HERE = os.path.dirname(os.path.abspath(__file__))

Measured = collections.namedtuple("Measured", "wall_s cpu_s rss_mib")


# command(directory): the arguments; stored(directory): what the peer left there, to be compared.
Peer = collections.namedtuple("Peer", "name version command stored")


def measure(arguments, directory):
    """Runs a program in a directory; it must succeed."""
    with open(os.path.join(directory, "messages"), "wb") as messages:
        began = time.monotonic()
        child = subprocess.Popen(arguments, cwd=directory, stdin=subprocess.DEVNULL,
                                 stdout=messages, stderr=messages)
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        with open(os.path.join(directory, "messages"), errors="replace") as messages:
            sys.exit(f"{arguments[0]} failed with {child.returncode}:\n{messages.read()[-2000:]}")
    return Measured(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def rounds(peers, count, want):
    """name -> medians of `count` rounds, in each of which every peer has its turn."""
    results = collections.defaultdict(list)
    for _ in range(count):
        for peer in peers:
            with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as directory:
                results[peer.name].append(measure(peer.command(directory), directory))
                stored = peer.stored(directory)
                if stored != want:
                    sys.exit(f"{peer.name} stored {stored}, not {want}: its time says nothing")
    return {name: Measured(*map(statistics.median, zip(*them))) for name, them in results.items()}


def version_of(*arguments):
    """The first version number that a program tells, or None when it is not installed."""
    program = shutil.which(arguments[0], path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        return None
    said = subprocess.run([program, *arguments[1:]], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d[\w.+-]*", said.stdout + said.stderr)
    return found.group() if said.returncode == 0 and found else None


def module_version(name):
    """The version of one of Debian's Python modules, or None."""
    return version_of(PYTHON, "-c", f"import {name}; print({name}.__version__)")


def installed(peers, absent):
    """Those that have a version; the others' names are printed with the package to install."""
    for peer in peers:
        if not peer.version:
            print(f"missing: {peer.name} ({absent[peer.name]})")
    return [peer for peer in peers if peer.version]


def table(head, rows):
    widths = [max(len(str(cell)) for cell in column) for column in zip(head, *rows)]
    for row in [head, *rows]:
        print("  ".join(str(cell).ljust(widths[0]) if at == 0 else str(cell).rjust(width)
                        for at, (cell, width) in enumerate(zip(row, widths))))
    print(flush=True)


def file_system():
    """The kind that the benchmarks write to: what a new file costs differs much between them."""
    said = subprocess.run(["stat", "-f", "-c", "%T", tempfile.gettempdir()], capture_output=True,
                          text=True, check=True)
    return said.stdout.strip()


def lines_in(path):
    with open(path, "rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


@contextlib.contextmanager
def serve(*options):
    """Our own API; gives its address."""
    child = subprocess.Popen([BINARY, "serve", *options], stdout=subprocess.PIPE, text=True)
    try:
        yield child.stdout.readline().split()[-1]
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
