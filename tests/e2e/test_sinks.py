"""What every command writes: nothing that acts on a terminal, whatever paths, names and servers bring; and an
output that is lost is no success."""

import json
import os
import re
import shutil
import subprocess
import unicodedata

import harness
import peer
from harness import check, check_equal, scratch

EVIL = "\x1b]0;PWN\x07\x7f\u009b31m\u202ex"


def hostile(ask):
    """/N: an object whose names and texts are hostile; /bad/N: 404 with such a body."""
    evil = EVIL.encode().decode("latin-1")
    return peer.reply(json.dumps([{"id": ask.path, EVIL: EVIL, "n": "1"}], ensure_ascii=False).encode(),
                      "404 No" if "bad" in ask.path else "200 OK",
                      headers=[f"X-Evil: {evil}", f"X-Request-Id: {evil}", 'RateLimit-Policy: "\u009bx";q=100;w=10'])


def acts(text):
    return [c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs")]


def check_harmless(arguments, ended):
    for stream in (ended.out, ended.err):
        text = stream.decode("utf-8")  # nothing that is not UTF-8
        check(not acts(text), "acts on a terminal:", arguments, acts(text), ended)


def test_output__acts_on_no_terminal__whatever_paths_and_names_are():
    server = peer.Peer(hostile)
    place = os.path.join(scratch("sinks"), EVIL)
    os.makedirs(place)
    paths = {name: os.path.join(place, f"{EVIL}.{name}") for name in ("run", "csv", "parquet", "json", "txt", "list",
                                                                      "pem", "svg", "no", "new")}
    with open(paths["json"], "w", encoding="utf-8") as file:
        json.dump({"name": "evil", "base": server.url, "headers": {"X-A": "\u202e"},
                   "vars": {"v": ["1", EVIL[-6:]]},
                   "endpoints": [{"name": "posts", "url": "/{v}?e=é"}]}, file)
    with open(paths["list"], "w", encoding="utf-8") as file:
        file.writelines(f'{{"name":{json.dumps(EVIL + str(i))},"url":"{server.url}/{w}{i}"}}\n'
                        for i in range(4) for w in ("", "bad/"))
    with open(paths["txt"], "w", encoding="utf-8") as file:
        file.write(json.dumps({"a": EVIL, EVIL: 1}, ensure_ascii=False) + "\n{" + EVIL + "}\n")
    shutil.copy(paths["txt"], paths["pem"])
    run, url = paths["run"], f"{server.url}/[1-3]"
    for arguments in (
            ["run", "--plain", "-o", run, "--csv", paths["csv"], "--parquet", paths["parquet"], "-i", paths["list"]],
            ["run", "--plain", "--json", "-o", run],
            ["run", "--plain", "-o", run, url],
            ["run", "--plain", "-o", run, "--only-failed"],
            ["run", "--plain", "--json", "-o", run, "--fresh", "-i", paths["list"]],
            ["run", "--plain", "-o", run, "--max-requests", "1", "--fresh", url],
            ["run", "--plain", "--json", "-o", run + "2", paths["json"]],
            ["run", "--show-config", paths["json"]], ["run", "--dry-run", paths["json"]],
            ["run", "--dry-run", "-i", paths["list"]],
            ["run", "-o", run + "3", "--cacert", paths["pem"], "https://127.0.0.1:1/"],
            ["run", "-o", run + "3", "--cacert", paths["no"], "https://127.0.0.1:1/"],
            ["run", "-o", run + "3", "-H", "@" + paths["no"], url],
            ["run", "-o", run + "3", "-d", "@" + paths["no"], url],
            ["run", "-o", run + "3", "-i", paths["no"]], ["run", "-o", run + "3", paths["no"] + ".json"],
            ["run", "-o", run + "3", "--csv", paths["txt"] + "/x.csv", url],
            ["run", "-o", paths["txt"], url], ["run", EVIL], ["run", "-o", run + "3", "--" + EVIL, url],
            ["sweep", "1,2", "--plain", "--svg", paths["txt"] + "/a.svg", "-o", run + "4", url],
            ["status", run], ["status", "--json", run], ["status", "--failed", run], ["status", "--failed", "--json", run],
            ["status", paths["no"]], ["raw", run, EVIL], ["raw", "--failed", "--json", run],
            ["raw", "--dir", paths["txt"], run], ["verify", run], ["verify", "--json", run], ["verify", paths["txt"]],
            ["replay", run], ["replay", run + "2"], ["compare", run, run + "2"], ["compare", run, paths["no"]],
            ["rules", run], ["rules", "--json", run], ["rules", run, paths["json"]], ["rules", run, paths["no"]],
            ["rules", "--answer", "at=/" + EVIL + " do=retry", run], ["rules", "--answer", EVIL, run],
            ["normalise", "-o", paths["new"] + ".csv", run], ["normalise", "-o", paths["new"] + ".csv", paths["txt"]],
            ["normalise", "--json", "-o", paths["new"] + ".csv", run + "2"],
            ["normalise", "--json", "--types", "-o", paths["new"] + ".csv", paths["txt"]],
            ["normalise", "-o", paths["txt"] + "/x.csv", run], ["normalise", paths["no"]],
            ["normalise", "--records", EVIL, "-o", paths["new"] + ".csv", run],
            ["normalise", "--columns", EVIL, "-o", paths["new"] + ".csv", run],
            ["normalise", "--unique", EVIL, "-o", paths["new"] + ".csv", run],
            ["probe", f"{server.url}/1"], ["probe", f"{server.url}/bad/1"], ["probe", EVIL], ["probe", "-H", EVIL, url],
            ["demo", EVIL], ["serve", "--log", paths["txt"] + "/log", "--port", "0"], [EVIL], ["--completions", EVIL]):
        check_harmless(arguments, harness.run(*arguments))
    for directory in (run, run + "2"):
        with open(os.path.join(directory, "events.jsonl"), encoding="utf-8") as file:
            text = file.read()
        check("request" in text and not acts(text), "events:", directory, acts(text))
    with open(os.path.join(run, "job.json"), "w", encoding="utf-8") as file:
        file.write("{" + EVIL)
    for segment in os.listdir(os.path.join(run, "raw")):
        with open(os.path.join(run, "raw", segment), "r+b") as file:
            file.seek(40)
            file.write(EVIL.encode())
    for arguments in (["run", "--plain", "-o", run], ["verify", run], ["verify", "--json", run], ["raw", run, "no"],
                      ["normalise", "-o", paths["new"] + ".csv", run], ["status", run]):
        check_harmless(arguments, harness.run(*arguments))


def test_command_to_resume__is_one_that_a_shell_takes():
    server = peer.Peer(hostile)
    for number, name in enumerate(("plain", "my run", "it's", "a\x1b[31m\n$(touch gone)", "-x")):
        run = os.path.join(scratch(f"resume{number}"), name)
        os.makedirs(os.path.dirname(run))
        ended = harness.succeed("run", "--plain", "-o", run, "--max-requests", "1", f"{server.url}/[1-2]", code=4)
        command = re.search(rb"resume with: scrapetop (run -o .*)\n", ended.err)
        check(command, "no command", ended)
        again = subprocess.run(["bash", "-c", '"$SCRAPETOP" ' + command.group(1).decode()], check=False,
                               capture_output=True, timeout=harness.HANG_S, cwd=scratch(""),
                               env=harness.environment(SCRAPETOP=harness.BINARY))
        check(again.returncode == 0 and b"2/2 ok" in again.stderr, command.group(1), again)


# --- a lost output -------------------------------------------------------------------------------------------


def commands(url):
    run = scratch("full.run")
    harness.run("run", "--plain", "-o", run, f"{url}/[1-3]", f"{url}/bad/1")
    return (["run", "--json", "--plain", "-o", scratch("f1.run"), f"{url}/[1-3]"],
            ["run", "--dry-run", f"{url}/[1-3]"], ["run", "--dry-run", f"{url}/[1-30000]"],
            ["run", "--show-config", f"{url}/[1-3]"], ["run", "--csv", "-", "--plain", "-o", scratch("f2.run"), f"{url}/1"],
            ["sweep", "1,2", "--json", "--plain", "-o", scratch("f3.run"), f"{url}/[1-3]"],
            ["sweep", "1,2", "--plain", "-o", scratch("f4.run"), f"{url}/[1-3]"],
            ["probe", f"{url}/1"], ["status", run], ["status", "--json", run], ["status", "--failed", run],
            ["verify", run], ["verify", "--json", run], ["raw", run], ["raw", "--failed", run],
            ["raw", "--failed", "--json", run], ["replay", run], ["compare", run, run], ["rules", run],
            ["rules", "--json", run], ["normalise", "-o", "-", run],
            ["normalise", "--json", "-o", scratch("f.csv"), run], ["--help"], ["--version"], ["run", "--help"],
            ["--man"], ["--completions", "bash"])


def test_output__is_an_error__when_the_disk_is_full():
    if not os.path.exists("/dev/full"):
        raise harness.Skipped("there is no /dev/full")
    server = peer.Peer(hostile)
    for arguments in commands(server.url):
        with open("/dev/full", "wb") as full:
            ended = harness.finish(harness.scrapetop(*arguments, stdout=full, stderr=subprocess.PIPE))
        check_equal(ended.code, 8, f"exit code of {arguments}, {ended}")
        check_equal(ended.err.count(b"error[E-OUT"), 1, f"errors told by {arguments}, {ended}")


def test_output__ends_quietly__when_nobody_reads_it():
    server = peer.Peer(hostile)
    for arguments in commands(server.url):
        reader, writer = os.pipe()
        os.close(reader)
        child = harness.scrapetop(*arguments, stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        ended = harness.finish(child)
        check_equal(ended.code, 0, f"exit code of {arguments}, {ended}")
        check(b"error" not in ended.err.lower(), "not quiet:", arguments, ended)


if __name__ == "__main__":
    harness.main(globals())
