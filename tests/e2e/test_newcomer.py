"""What somebody meets in the first hour: help, completions, the manual, directories, the demo, what the end says."""

import json
import os
import re
import shutil
import signal
import subprocess

import harness
from harness import check, check_equal, scratch, wait_for

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
    told = json.loads(harness.succeed("--version", "--json").out)
    check(f"libcurl {told['libraries']['libcurl']} ".encode() in harness.succeed("version").out, "the same libraries", told)
    check_equal(told["parts"]["demo"], True, "the demo, which the tests need")
    check_equal(harness.run("--version", "--jsn").code, 2, "exit code of an option that version has not")
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
    check_equal(bash_offers("scrapetop", "run", "--profile", "=", "po"), ["polite"], "after =")
    check_equal(bash_offers("scrapetop", "run", "--profile", "="), ["free", "own", "paid", "polite"], "at =")
    check_equal(bash_offers("scrapetop", "run", "-X", "P"), ["PATCH", "POST", "PUT"], "of a letter")
    check_equal(bash_offers("scrapetop", "sweep", "1,2", "--class", "bad"), ["bad-body", "bad-json"], "run's, for sweep")
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


# --- directories that nobody named -----------------------------------------------------------------------


def bodies_in(run_dir):
    return sorted(harness.bodies(scratch(run_dir)))


def test_default_directory__is_free_or_the_right_one__never_anothers():
    with harness.api() as server:
        def fetch(*words, stdin=None, code=0):
            return harness.succeed("run", "--plain", *words, stdin=stdin, code=code, cwd=scratch(""))

        fetch(f"{server.url}/posts/1")
        ended = fetch(f"{server.url}/posts/2")
        check(b"127.0.0.1.run holds another run; this one is in 127.0.0.1-2.run" in ended.err, ended)
        fetch(f"{server.url}/posts/3")
        for n in (1, 2, 3):
            run_dir = "127.0.0.1.run" if n == 1 else f"127.0.0.1-{n}.run"
            check_equal(bodies_in(run_dir), [f"/posts/{n}"], run_dir)
        asked = server.count()
        for n in (2, 3, 1):
            ended = fetch(f"{server.url}/posts/{n}")
            check(b"1/1 ok" in ended.err, ended)
        check_equal(server.count(), asked, "asked again, though it was there")
        # --fresh sets aside the same job's run and no other.
        fetch("--fresh", f"{server.url}/posts/2")
        check_equal(bodies_in("127.0.0.1-2.run.1"), ["/posts/2"], "set aside")
        check(not os.path.exists(scratch("127.0.0.1.run.1")), "another run was set aside")
        # What comes by a pipe is told by its bytes.
        for n in (4, 5, 4):
            fetch("-i", "-", stdin=f"{server.url}/posts/{n}\n".encode())
        check_equal((bodies_in("stdin.run"), bodies_in("stdin-2.run")), (["/posts/4"], ["/posts/5"]), "of pipes")
        check_equal(len([n for n in os.listdir(scratch("")) if n.startswith("stdin")]), 2, "of pipes")
        # The readme's: a job file that probe has written.
        job = harness.succeed("probe", f"{server.url}/posts").out
        with open(scratch("posts.json"), "wb") as file:
            file.write(job)
        fetch(scratch("posts.json"))
        # A directory that is named is meant.
        ended = harness.run("run", "-o", scratch("127.0.0.1.run"), f"{server.url}/posts/2")
        check_equal(ended.code, 2, "exit code")
        check(b"E-JOB1" in ended.err, ended)


def test_default_directory__when_several_begin_at_once__is_each_ones_own():
    with harness.api("--latency", "300ms") as server:
        children = [harness.scrapetop("run", "--plain", f"{server.url}/posts/{n}", cwd=scratch(""),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE) for n in range(1, 7)]
        for child in children:
            ended = harness.finish(child)
            check_equal(ended.code, 0, ended)
    runs = sorted(n for n in os.listdir(scratch("")) if n.endswith(".run"))
    check_equal(len(runs), 6, runs)
    check_equal(sorted(bodies_in(run)[0] for run in runs), [f"/posts/{n}" for n in range(1, 7)], "bodies")


def as_nobody():
    """Root may write anywhere: the child is somebody else."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def test_directory_that_may_not_be_written__is_storage__not_usage():
    with harness.api() as server:
        ours, place = scratch("theirs"), scratch("theirs/read-only")
        os.makedirs(place)
        os.chmod(scratch(""), 0o755)
        binary = shutil.copy(harness.BINARY, ours)  # the build may lie where nobody else may look
        if os.geteuid() == 0:
            os.chown(ours, 65534, 65534)
        url = f"{server.url}/posts/[1-3]"

        def ends(*words):
            child = harness.start([binary, *words], cwd=ours, preexec_fn=as_nobody, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
            return harness.finish(child)

        ended = ends("run", "--plain", "-o", "ok.run", url)
        check_equal(ended.code, 0, ended)
        os.chmod(place, 0o555)
        for words in (["run", "--plain", "-o", "read-only/x.run", url],
                      ["run", "--plain", "-o", "y.run", "--csv", "read-only/x.csv", url],
                      ["run", "--plain", "-o", "y.run", "--parquet", "read-only/x.parquet", url],
                      ["normalise", "-o", "read-only/x.csv", "ok.run"],
                      ["raw", "--dir", "read-only", "ok.run"], ["raw", "--dir", "read-only/new", "ok.run"],
                      ["serve", "--log", "read-only/log"], ["demo", "--quick", "--plain", "-o", "read-only/d.run"]):
            ended = ends(*words)
            check_equal(ended.code, 8, f"exit code of {words}: {ended}")
            check(b"read-only" in ended.err and b"ermission" in ended.err, ended)
        check(not os.path.exists(os.path.join(ours, "y.run")), "a run was made whose table cannot be")
        for name in ("ok.run/ledger.db", "ok.run"):
            os.chmod(os.path.join(ours, name), 0o555 if name == "ok.run" else 0o444)
        check_equal(ends("run", "--plain", "-o", "ok.run").code, 8, "exit code of a run that may not be written")
        check_equal(ends("status", "ok.run").code, 0, "exit code of reading it")


# --- the demo, and how a session ends -------------------------------------------------------------------


def test_demo__that_was_stopped__goes_on_by_the_words_it_ends_with():
    first = harness.scrapetop("demo", "--plain", "--quick", "-c", "2", "--seed", "3", stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE)
    wait_for(lambda: os.path.exists(scratch("demo.run/raw")) and harness.bodies(scratch("demo.run")), "some answers")
    first.send_signal(signal.SIGINT)
    ended = harness.finish(first)
    check_equal(ended.code, 7, ended)
    words = re.search(rb"resume with: scrapetop (.*)\n", ended.err)[1].decode().split()
    check_equal(words[:2], ["demo", "--resume"], "the words")
    ended = harness.succeed(*words, "--plain", "-c", "30")
    check(b"400/400 ok" in ended.err, ended)
    check_equal([len(b) for b in harness.bodies(scratch("demo.run")).values()], [1] * 400, "bodies of each")
    ended = harness.run("demo", "--resume", "-o", scratch("nothing.run"))
    check(ended.code == 2 and b"nothing.run" in ended.err, ended)
    with harness.api() as server:
        harness.succeed("run", "--plain", "-o", scratch("other.run"), f"{server.url}/posts/1")
        ended = harness.run("demo", "--resume", "-o", scratch("other.run"))
        check(ended.code == 2 and b"no demo" in ended.err, ended)


def test_exit__leaves_the_dashboard_when_all_is_done():
    with harness.api() as server:
        arguments = [harness.BINARY, "run", "--exit", f"{server.url}/posts/[1-20]"]
        with harness.terminal(arguments) as shown:
            check_equal(shown.exit_code(), 0, "exit code")
            check(b"\x1b[?1049h" in shown.raw, "there was no dashboard")
            check(b"20/20 ok" in shown.raw, shown.raw[-500:])


def test_list_on_stdin__at_a_terminal__has_the_dashboard_and_its_keys():
    with harness.api("--latency", "100ms") as server:
        with open(scratch("urls.txt"), "w", encoding="ascii") as file:
            file.writelines(f"{server.url}/posts/{n}\n" for n in range(1, 2000))
        with harness.terminal(["/bin/bash", "--norc", "-c", f"cat urls.txt | {harness.BINARY} run -i - -c 3"]) as shown:
            shown.wait_text(r"\bcap 3 +(auto|rate)")
            shown.keys("+")
            shown.wait_text(r"\bcap 4 +(auto|rate)")
            shown.keys("q")
            check_equal(shown.exit_code(), 7, "exit code")


def test_stopped_by_request__is_no_error__though_something_had_failed():
    with harness.api("--latency", "50ms") as server:
        arguments = [harness.BINARY, "run", f"{server.url}/nothing/[1-3]"]
        with harness.terminal(arguments) as shown:
            shown.wait_text(r"FAILED")
            shown.keys("q")
            check_equal(shown.exit_code(), 3, "exit code")
    with harness.api("--latency", "1s") as server:  # the last one is in flight when it is told to end
        arguments = [harness.BINARY, "run", "-c", "1", f"{server.url}/nothing/1", f"{server.url}/posts/1"]
        with harness.terminal(arguments) as shown:
            shown.wait_text(r"failed 1\b")
            shown.keys("q")
            check_equal(shown.exit_code(), 3, "exit code")
            check(b"error: stopped by request" not in shown.raw, shown.raw[-800:])


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
