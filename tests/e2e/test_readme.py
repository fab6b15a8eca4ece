"""The examples of the README, the recipes and the tutorial, typed one after the other in a clean directory: each does
what is said after it."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess

import harness
import peer
from harness import check, check_equal, scratch, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = "https://api.example.org"


class Server(peer.Peer):
    """/items/N has two elements in /items and one record in /data/items; 13 is not there, and 14 breaks at first.
    /items?page=N is a listing of two pages."""

    def __init__(self):
        super().__init__(self.reply)
        self.name = self.url.removeprefix("http://")

    def reply(self, ask):
        if ask.path == "/allData.json":
            return peer.reply({"a": {"x": 1}, "b": {"x": 2}})
        if ask.path.startswith("/items?page="):
            number = int(ask.path.split("=")[1])
            return peer.reply({"items": [{"id": 10 * number + i} for i in range(3)] if number < 3 else []})
        if ask.path == "/items/13":
            return peer.reply({"detail": "no item 13"}, "404 No")
        if ask.path == "/items/14" and self.asked[ask.path] == 1:
            return peer.reply({"detail": "broken"}, "501 No")  # which is asked again by nobody unasked
        return peer.reply({"data": {"items": [{"id": ask.path}]}, "items": [{"n": 1.5}, {"n": 2}]})


def blocks(name):
    """The commands of a document's blocks, each as a list of lines."""
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return [block.splitlines() for block in re.findall(r"^```sh\n(.*?)^```", file.read(), re.M | re.S)]


def uses():
    """The README's lines of "In use" and "A first API", and those of the recipes."""
    lines = [line for block in blocks("README.md") + blocks("docs/recipes.md") for line in block
             if line.startswith("scrapetop ")]
    return [re.split(r" +# ", line)[0] for line in lines]


def poll_once(line, server, place, env):
    """Runs a line that polls until its first answer is stored, and stops it."""
    child = harness.start(["/bin/sh", "-c", "exec " + line], cwd=place, env=env, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE)
    wait_for(lambda: server.asked.get("/allData.json"), "the first round")
    wait_for(lambda: any(harness.bodies(os.path.join(place, run)).get("/allData.json")
                         for run in os.listdir(place) if run.endswith(".run")), "its answer")
    child.send_signal(signal.SIGINT)
    ended = harness.finish(child)
    check_equal(ended.code, 0, f"{line}: {ended}")
    check_equal(harness.read(os.path.join(place, "trains.csv")).count(b"\n"), 3, "lines of trains.csv")


def replay(tool, words, place):
    with harness.terminal([tool, words[1], os.path.join(place, words[2]), *words[3:]]) as shown:
        shown.wait_text("replay x60")
        shown.keys("q")
        check_equal(shown.exit_code(), 0, "exit code of the replay")


def follow(line, server, place, env, tool):
    """Runs one line, and looks at how it ended."""
    words = shlex.split(line)
    if "--every" in words:
        poll_once(line, server, place, env)
        return
    if words[1] == "replay":
        replay(tool, words, place)
        return
    ended = harness.finish(harness.start(["/bin/sh", "-c", line], cwd=place, env=env, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE))
    # 13 is not there, which is told by the exit code as long as the run has it.
    has_13 = words[1] == "run" and ("[1-50]" in line or "127.0.0.1.run" in words) and "--dry-run" not in words
    check_equal(ended.code, 3 if has_13 else 0, f"{line}: {ended}")
    check(b"error[" not in ended.err, ended)
    if words[1:3] == ["raw", "--failed"]:
        check(b"no item 13" in ended.out, ended)


def check_results(server, place):
    check_equal(server.asked["/items/13"], 1, "asked for what is not there")
    check_equal(server.asked["/items/14"], 2, "asked for what was broken: once, and once more by --class 5xx")
    check_equal(server.asked["/items/15"], 1, "asked for what went well")
    check_equal(server.asked["/items?page=2"], 1, "asked for a page, by two starts of one job")
    check(all(server.asked[f"/items/{n}"] == 2 for n in range(30, 33)), "asked by pattern and by row:", server.asked)
    lines = {"items.csv": 6, "shop.csv": 6, "outcomes.csv": 51, "a.csv": 50}
    for name, count in lines.items():
        check_equal(harness.read(os.path.join(place, name)).count(b"\n"), count, f"lines of {name}")
    for name in ("items.parquet", "lots.parquet", "b.parquet"):
        check_equal(harness.read(os.path.join(place, name))[:4], b"PAR1", name)
    check(b"<html" in harness.read(os.path.join(place, "report.html")), "the report is no page")


def test_uses__each_line_works__in_order_in_a_clean_directory():
    lines, place = uses(), scratch("place")
    check(len(lines) > 20, "the lines of the readme and the recipes:", lines)
    os.makedirs(place)
    tools = scratch("bin")
    os.makedirs(tools)
    tool = os.path.join(tools, "scrapetop")
    os.symlink(harness.BINARY, tool)
    server = Server()
    with open(os.path.join(place, "urls.txt"), "w", encoding="ascii") as file:
        file.writelines(f"http://{server.name}/items/{n}\n" for n in range(20, 25))
    with open(os.path.join(place, "ids.csv"), "w", encoding="ascii") as file:
        file.write("name,id\n" + "".join(f"n{n},{n}\n" for n in range(30, 33)))
    env = harness.environment(PATH=tools + ":" + os.environ["PATH"])
    for line in lines:
        line = line.replace(HOST, "http://" + server.name).replace("api.example.org", "127.0.0.1")
        line = line.replace("5000", "50").replace("4711", "47")  # the server is no fast one
        if "jq" not in line or shutil.which("jq"):
            follow(line, server, place, env, tool)
    check_results(server, place)


def tutorial(ports):
    """The lines of docs/tutorial.md as one script, which waits for each server that it starts."""
    lines = [line for block in blocks("docs/tutorial.md") for line in block]
    script = ["set -em", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for line in lines:
        for told, free in ports.items():
            line = line.replace(told, free)
        script.append(line)
        if port := re.search(r"serve --port (\d+)", line):
            script.append(f"until (echo > /dev/tcp/127.0.0.1/{port[1]}) 2>/dev/null; do sleep 0.05; done")
    return lines, "\n".join(script)


def test_tutorial__each_line_works__in_order():
    place, tools = scratch("tutorial"), scratch("tools")
    os.makedirs(place)
    os.makedirs(tools)
    os.symlink(harness.BINARY, os.path.join(tools, "scrapetop"))
    with socket.socket() as one, socket.socket() as other:
        for taken in (one, other):
            taken.bind(("127.0.0.1", 0))
        ports = {"8080": str(one.getsockname()[1]), "8081": str(other.getsockname()[1])}
    lines, script = tutorial(ports)
    check(len(lines) > 15, "the tutorial's lines:", lines)
    ended = harness.finish(harness.start(["/bin/bash", "-c", script], cwd=place, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE,
                                         env=harness.environment(PATH=tools + ":" + os.environ["PATH"])))
    check_equal(ended.code, 0, f"the tutorial: {ended}")
    for said in (b"stopped midway", b"the run is sound", b"PID "):
        check(said in ended.out, "never said", said, ended)
    for said in (b"5 of 5 pages: 220 records", b"150/150 ok", b"runs in the background"):
        check(said in ended.err, "never said", said, ended)
    with open(os.path.join(place, "items.csv"), encoding="utf-8") as file:
        check_equal(sum(1 for _ in file), 221, "lines of items.csv")


if __name__ == "__main__":
    harness.main(globals())
