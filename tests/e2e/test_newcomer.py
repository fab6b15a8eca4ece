"""What somebody meets in the first hour: help, completions, the manual, directories, the demo, what the end says."""

import os
import shutil
import subprocess

import harness
from harness import check, check_equal, scratch

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


# --- help ----------------------------------------------------------------------------------------------


def test_help__is_what_dash_dash_help_says__for_all_and_for_each():
    whole = harness.succeed("help").out
    check_equal(whole, harness.succeed("--help").out, "help")
    names = [line.split()[0].decode() for line in whole.splitlines() if line.startswith(b"  ")]
    check({"run", "rules", "demo"} <= set(names), "commands:", names)
    for name in names:
        check_equal(harness.succeed("help", name).out, harness.succeed(name, "--help").out, name)
    check_equal(harness.succeed("version").out, harness.succeed("--version").out, "version")
    ended = harness.run("help", "staus")
    check_equal(ended.code, 2, "exit code of help for what there is not")
    check(b"did you mean status?" in ended.err, ended)
    check(b"did you mean version?" in harness.run("versoin").err, "version is no neighbour")


# --- the shells ----------------------------------------------------------------------------------------


def test_completions__of_an_unknown_shell__are_usage():
    for words in (["csh"], [], ["Bash"]):
        ended = harness.run("--completions", *words)
        check_equal((ended.code, ended.out), (2, b""), f"exit code and output of {words}")
        check(b"bash, zsh or fish" in ended.err, ended)


def completions(shell):
    path = scratch(f"_scrapetop.{shell}")
    with open(path, "wb") as file:
        file.write(harness.succeed("--completions", shell).out)
    return path


def bash_offers(*words):
    """What bash offers for the last of the words, in a directory with runs and files."""
    script = (f"source {completions('bash')}; compopt() {{ :; }}; COMP_WORDS=(\"$@\"); "
              "COMP_CWORD=$(($# - 1)); _scrapetop; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", *words], cwd=place(), check=True,
                          capture_output=True)
    check_equal(done.stderr, b"", "bash's errors")
    return sorted(done.stdout.decode().split())


def place():
    path = scratch("place")
    os.makedirs(os.path.join(path, "one.run"), exist_ok=True)
    with open(os.path.join(path, "ours.txt"), "w", encoding="ascii"):
        pass
    return path


def test_bash__completes_commands_options_and_values():
    check_equal(bash_offers("scrapetop", "ve"), ["verify", "version"], "commands")
    check_equal(bash_offers("scrapetop", "help", "no"), ["normalise"], "help's")
    check_equal(bash_offers("scrapetop", "run", "--prof"), ["--profile"], "options")
    check_equal(bash_offers("scrapetop", "run", "--profile", "p"), ["paid", "polite"], "values")
    check_equal(bash_offers("scrapetop", "run", "--profile", "=", "po"), ["polite"], "behind =")
    check_equal(bash_offers("scrapetop", "run", "--profile", "="), ["free", "own", "paid", "polite"], "at =")
    check_equal(bash_offers("scrapetop", "run", "-X", "P"), ["PATCH", "POST", "PUT"], "of a letter")
    check_equal(bash_offers("scrapetop", "sweep", "1,2", "--class", "bad"), ["bad-json"], "run's, for sweep")
    check_equal(bash_offers("scrapetop", "run", "-i", "o"), ["one.run", "ours.txt"], "files")
    check_equal(bash_offers("scrapetop", "run", "-o", "o"), ["one.run"], "directories")
    check_equal(bash_offers("scrapetop", "status", ""), ["one.run"], "runs")
    check_equal(bash_offers("scrapetop", "run", "-c", ""), [], "a number")


def test_fish__completes_commands_options_and_values():
    if not shutil.which("fish"):
        raise harness.Skipped("fish is not installed (scripts/deps --test)")

    def offers(line):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {completions('fish')}; complete -C '{line}'"],
                              cwd=place(), check=True, capture_output=True)
        check_equal(done.stderr, b"", "fish's errors")
        return sorted(word.split("\t")[0] for word in done.stdout.decode().splitlines())

    check_equal(offers("scrapetop ve"), ["verify", "version"], "commands")
    check_equal(offers("scrapetop run --prof"), ["--profile"], "options")
    check_equal(offers("scrapetop run --profile p"), ["paid", "polite"], "values")
    check_equal(offers("scrapetop status o"), ["one.run/"], "runs")
    check_equal(offers("scrapetop run -i ou"), ["ours.txt"], "files")


def test_zsh__completes_commands_options_and_values():
    if not shutil.which("zsh"):
        raise harness.Skipped("zsh is not installed (scripts/deps --test)")
    functions = scratch("functions")
    os.makedirs(functions)
    shutil.copy(completions("zsh"), os.path.join(functions, "_scrapetop"))
    with harness.terminal([shutil.which("zsh"), "-f", "-i"], columns=120) as shown:
        shown.keys(f"cd {place()}; PROMPT='ready> '; fpath=({functions} $fpath)\r")
        shown.wait_text(r"\nready>")
        shown.keys("autoload -Uz compinit; compinit -u -D; echo com''plete\r")
        shown.wait_text(r"\ncomplete *\n")
        for typed, whole in (("scrapetop norm\t", "scrapetop normalise"), ("scrapetop run --profile pol\t", "polite"),
                             ("scrapetop run --prof\t", "--profile"), ("scrapetop status o\t", "status one.run/"),
                             ("scrapetop run -X PA\t", "PATCH"), ("scrapetop help verif\t", "verify")):
            shown.keys("\x15" + typed)
            shown.wait_text(rf"\nready> .*{whole}")


# --- the manual ----------------------------------------------------------------------------------------


def test_manual__has_examples__and_nothing_that_man_warns_of():
    if not shutil.which("man"):
        raise harness.Skipped("man is not installed (scripts/deps --test)")
    page = os.path.join(os.path.dirname(harness.BINARY), "scrapetop.1")
    done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, check=True,
                          env=dict(os.environ, MANWIDTH="80", LC_ALL="C.UTF-8", MANROFFOPT="", PAGER="cat"))
    check_equal(done.stderr, b"", "warnings")
    text = done.stdout.decode()
    check("\nEXAMPLES\n" in text, "no EXAMPLES")
    for line in ("scrapetop run -c 20 --rate 10/s", "scrapetop raw --failed api.example.org.run"):
        check(line in text.split("\nEXAMPLES\n")[1], "not among the examples:", line)


# --- what must be installed ----------------------------------------------------------------------------


def test_deps__prints_the_line_to_type__without_root_and_sudo():
    tools = scratch("tools")
    os.makedirs(tools)
    for name, text in (("id", "echo 1000"), ("apt-get", "exit 9"), ("dpkg-query", "echo not-installed")):
        with open(os.path.join(tools, name), "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(os.path.join(tools, name), 0o755)
    done = subprocess.run(["/bin/bash", os.path.join(ROOT, "scripts/deps")], capture_output=True, check=False,
                          env={"PATH": tools})
    check_equal(done.returncode, 1, "exit code")
    check(b"apt-get install" in done.stderr and b"libcurl4-openssl-dev" in done.stderr, done.stderr)


if __name__ == "__main__":
    harness.main(globals())
