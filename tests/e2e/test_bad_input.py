"""What is wrong with a command line, a list or a directory: each its error, its code, and nothing left.

The table says: arguments after `scrapetop`, the exit code, the error's code, words that its text must
hold. Every row runs in an empty directory, and afterwards that directory must be empty again.
"""

import http.server
import json
import os
import resource
import shutil
import ssl
import stat
import subprocess
import threading

import harness
import peer
from harness import check, check_equal, scaled, scratch

URL = "http://127.0.0.1:9/x"  # nothing listens there: no row gets as far as asking
SECRET = "hunter2-not-to-be-told"

BAD = [
    # the command line
    ([], 2, "", "Usage: scrapetop"),
    (["rnu", URL], 2, "E-ARG1", 'unknown command "rnu" (did you mean run?)'),
    (["zzzzzz"], 2, "E-ARG1", "scrapetop --help"),
    ([URL], 2, "E-ARG1", "did you mean scrapetop run URL?"),
    (["run", "--frsh", URL], 2, "E-ARG1", "did you mean --fresh?"),
    (["run", "--cap"], 2, "E-ARG1", "--cap"),
    (["run", "--plain=yes", URL], 2, "E-ARG1", "--plain"),
    (["run"], 2, "E-ARG9", "nothing to fetch"),
    (["run", "--fresh"], 2, "E-ARG1", "--fresh"),
    (["run", "-o", "none.run"], 2, "E-ARG1", "none.run holds no run to resume"),
    (["serve", "--truncate", "200%"], 2, "E-ARG", "--truncate"),
    (["serve", "--limit", "x"], 2, "E-ARG", "--limit"),
    # numbers, sizes, times, rates
    (["run", "-c", "0", URL], 2, "E-ARG5", "--cap"),
    (["run", "-c", "x", URL], 2, "E-ARG5", '"x"'),
    (["run", "-c", "99999999999999999999", URL], 2, "E-ARG5", "--cap"),
    (["run", "--cap-per-host", "-1", URL], 2, "E-ARG5", "--cap-per-host"),
    (["run", "--rate", "0/s", URL], 2, "E-ARG4", "--rate"),
    (["run", "--rate", "-1/s", URL], 2, "E-ARG4", "10/s"),
    (["run", "--rate", "10/fortnight", URL], 2, "E-ARG4", "--rate"),
    (["run", "--max-body", "0", URL], 2, "E-ARG5", "--max-body"),
    (["run", "--max-body", "1Q", URL], 2, "E-ARG3", "64M"),
    (["run", "--max-time", "5x", URL], 2, "E-ARG2", "30s"),
    (["run", "--max-time", "0", URL], 2, "E-ARG5", "--max-time"),
    (["run", "--retries", "-1", URL], 2, "E-ARG5", "--retries"),
    (["run", "--backoff", "1s:x", URL], 2, "E-ARG2", "--backoff"),
    (["run", "--records", "items", URL], 2, "E-ARG1", "/items"),
    (["run", "-X", "G@T", URL], 2, "E-ARG8", "G@T"),
    (["run", "-d", "@/nonexistent", URL], 2, "E-IN4", "/nonexistent"),
    # patterns: the position is told
    (["run", "http://h/[1-"], 2, "E-GLOB1", "at byte 13"),
    (["run", "http://h/[5-1]"], 2, "E-GLOB1", "ends below its start"),
    (["run", "http://h/{a,b"], 2, "E-GLOB3", "at byte 10"),
    # URLs
    (["run", "file:///etc/passwd"], 2, "E-URL3", '"file"'),
    (["run", "ftp://h/x"], 2, "E-URL3", '"ftp"'),
    (["run", "gopher://h/x"], 2, "E-URL3", "only http:// and https://"),
    (["run", "ws://h/x"], 2, "E-URL3", '"ws"'),
    (["run", "http:///x"], 2, "E-URL4", "missing host"),
    (["run", "h/x"], 2, "E-URL4", "missing scheme"),
    (["run", "http://h:99999/"], 2, "E-URL2", "99999"),
    (["run", "http://h/a b"], 2, "E-URL1", "at byte 11"),
    (["run", "http://h/\x1bP"], 2, "E-URL1", "\\x1b"),
    (["run", f"http://me:{SECRET}@h/"], 2, "E-URL5", "credentials in URL"),
    (["run", f"http://{SECRET}@h/"], 2, "E-URL5", "-H @FILE"),
    (["run", "http://" + "a" * 300 + "/"], 2, "E-URL7", "253"),
    (["run", "http://h/" + "a" * 9000], 2, "E-URL7", "8000"),
    # headers
    (["run", "-H", "X-A: b\r\nX-B: c", URL], 2, "E-HDR2", "X-A: line break not allowed"),
    (["run", "-H", "no colon", URL], 2, "E-HDR2", "Name: value"),
    (["run", "-H", "X A: b", URL], 2, "E-HDR2", ""),
    (["run", "-H", "X-A: ${E2E_NOT_SET}", URL], 2, "E-SEC2", "E2E_NOT_SET"),
    (["run", "-H", "@/nonexistent", URL], 2, "E-SEC1", "/nonexistent"),
    # files
    (["run", "-i", "/nonexistent"], 2, "E-IN2", "/nonexistent"),
    (["run", "-i", "/"], 2, "E-IN2", "directory"),
    (["run", "-i", "/dev/null"], 2, "E-IN2", "no URLs"),
    (["run", "--cacert", "/nonexistent", URL], 2, "E-TLS3", "/nonexistent"),
    (["run", "--csv", "/dev/null/x.csv", URL], 2, "E-OUT1", "/dev/null/x.csv"),
    (["run", "--csv", "/", URL], 2, "E-OUT1", ""),
    (["run", "-o", "/dev/null/x.run", URL], 2, "E-DIR1", "/dev/null/x.run"),
    (["status", "none.run"], 2, "E-DIR1", "none.run"),
    (["verify", "none.run"], 2, "E-DIR1", "none.run"),
    (["raw", "none.run"], 2, "E-DIR1", "none.run"),
    (["normalise", "none.run"], 2, "", "none.run"),
    (["normalise", "/nonexistent.json"], 2, "", "/nonexistent.json"),
]

LISTS = [
    # bytes of the list, the error's code, words
    (b"http://h/1\nhttp://h/\x1b[31m2\n", "E-URL1", "list:2: control character \\x1b"),
    (b"http://h/1\nhttp://h/2\x00\n", "E-", "list:2:"),
    (b"http://h/1\n\nftp://h/2\n", "E-URL3", "list:3:"),
    (b"http://h/1\nhttp://me:" + SECRET.encode() + b"@h/2\n", "E-URL5", "list:2:"),
    (b'{"name":"a","uri":"http://h/1"}\n', "E-IN1", "list:1:"),
    (b'{"name":"a","url":"http://h/1"\n', "E-IN1", "list:1:"),
    (b"http://h/" + b"a" * 70000 + b"\n", "E-", "list:1:"),
    (b"# only a comment\n\n", "E-IN2", "no URLs"),
]


def check_error(ended, exit_code, error_code, words):
    text = ended.err.decode()
    check(ended.code == exit_code, f"want exit code {exit_code}:", ended)
    check(f"error[{error_code}" in text or not error_code, f"want {error_code}:", ended)
    check(words in text, f"want {words!r}:", ended)
    check(SECRET not in text + ended.out.decode(), "the secret is echoed:", ended)
    check(b"\x1b" not in ended.err + ended.out, "an escape byte:", ended)
    check(not ended.out, "an error on stdout:", ended)


def empty_directory(name):
    path = scratch(name)
    os.mkdir(path)
    return path


def test_command__is_refused_and_leaves_nothing__when_bad():
    wrong = 0
    for number, (arguments, *want) in enumerate(BAD):
        where = empty_directory(f"row{number}")
        try:
            check_error(harness.run(*arguments, cwd=where), *want)
            check_equal(os.listdir(where), [], "left behind")
        except harness.Failed as failed:
            wrong += 1
            print(f"row {arguments}: {failed}")
    check(wrong == 0, wrong, "rows of the table are wrong")


def test_list__is_refused_with_its_line__when_bad():
    for number, (data, code, words) in enumerate(LISTS):
        where = empty_directory(f"list{number}")
        path = scratch(f"list{number}.d")
        os.mkdir(path)
        with open(os.path.join(path, "list"), "wb") as file:
            file.write(data)
        check_error(harness.run("run", "-i", os.path.join(path, "list"), cwd=where), 2, code, words)
        check_error(harness.run("run", "-o", "x.run", "-i", "-", stdin=data, cwd=where), 2, code,
                    words.replace("list", "stdin") if "list:" in words else words)
        check_equal(os.listdir(where), [], "left behind")


def test_header_file__is_refused__when_others_can_read_it():
    where = empty_directory("header")
    with open(os.path.join(where, "headers"), "w", encoding="ascii") as file:
        file.write(f"X-Api-Key: {SECRET}\n")
    os.chmod(os.path.join(where, "headers"), 0o644)
    check_error(harness.run("run", "-H", "@headers", URL, cwd=where), 2, "E-SEC1", "chmod 600")
    check_equal(os.listdir(where), ["headers"], "left behind")


# --- run directories --------------------------------------------------------------------------------


def refuse_directory(path, code, words):
    """`run` into it is refused, and nothing in it has changed."""
    before = sorted(os.listdir(path))
    check_error(harness.run("run", "-o", path, URL), 2, code, words)
    check_equal(sorted(os.listdir(path)), before, f"inside {path}")


def test_run_directory__is_refused__when_symlink():
    target = empty_directory("target")
    os.symlink(target, scratch("link.run"))
    refuse_directory(scratch("link.run"), "E-DIR1", "is a symlink")
    refuse_directory(scratch("link.run") + "/", "E-DIR1", "is a symlink")


def test_run_directory__is_refused__when_others_may_write():
    path = empty_directory("group.run")
    os.chmod(path, 0o775)
    refuse_directory(path, "E-DIR1", "writable by others (mode 0775)")
    check_equal(stat.S_IMODE(os.stat(path).st_mode), 0o775, "mode")


def test_run_directory__is_refused__when_it_holds_something_else():
    path = empty_directory("thesis.run")
    with open(os.path.join(path, "chapter1.txt"), "w", encoding="ascii") as file:
        file.write("precious\n")
    refuse_directory(path, "E-DIR2", "chapter1.txt")


def test_run_directory__is_refused__when_of_another_job():
    with harness.api() as server:
        first, second = f"{server.url}/posts/1", f"{server.url}/posts/2"
        harness.succeed("run", "-o", scratch("j.run"), first)
        before = harness.everything_in(scratch("j.run/raw"))
        ended = harness.run("run", "-o", scratch("j.run"), second)
        check_error(ended, 2, "E-JOB1", first)
        check(second in ended.err.decode(), "the second job is not named:", ended)
        check_equal(harness.everything_in(scratch("j.run/raw")), before, "bodies")
        harness.succeed("run", "--fresh", "-o", scratch("j.run"), second)
        check_equal(harness.everything_in(scratch("j.run.1/raw")).popitem()[1],
                    before.popitem()[1], "the run that was set aside")


def test_run_directory__is_refused_with_the_pid__when_in_use():
    with harness.api("--latency", "30s") as server:
        url = f"{server.url}/posts/1"
        first = harness.scrapetop("run", "-o", scratch("u.run"), url, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        harness.wait_for(lambda: os.path.exists(scratch("u.run/ledger.db")), "the run to begin")
        for more in ([url], ["--fresh", url], []):
            ended = harness.run("run", "-o", scratch("u.run"), *more)
            check_error(ended, 2, "E-LOCK1", f"in use by pid {first.pid}")
        check(first.poll() is None, "the first run has ended")
        first.kill()
        first.wait()


def test_run_directory__is_refused__when_of_another_user():
    path = empty_directory("theirs.run")
    try:
        os.chown(path, 65534, -1)
    except PermissionError:
        raise harness.Skipped("only root can give a directory away") from None
    refuse_directory(path, "E-DIR1", "belongs to another user")


# --- files that an option names ------------------------------------------------------------------------


def make_certificate():
    """The path of a good one, which openssl makes."""
    if not shutil.which("openssl"):
        raise harness.Skipped("openssl is not installed")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", scratch("key.pem"), "-out", scratch("good.pem"), "-subj", "/CN=localhost", "-days", "2"],
                   check=True, capture_output=True)
    return scratch("good.pem")


def test_ca_file__is_refused_before_anything_is_asked__when_it_is_none():
    with open(make_certificate(), encoding="ascii") as file:
        good = file.read()
    with open(scratch("key.pem"), encoding="ascii") as file:
        key = file.read()
    lines = good.splitlines(keepends=True)
    der = ssl.PEM_cert_to_DER_cert(good)
    files = {"text": b"not a certificate\n", "empty": b"", "key": key.encode(), "der": der,
             "cut": "".join(lines[:5]).encode(), "short": "".join(lines[:4] + lines[-1:]).encode(),
             "flipped": good.replace(lines[2][4:8], "!!!!").encode(),
             "second": (good + "".join(lines[:4] + lines[-1:])).encode(), "html": b"<!doctype html><html></html>\n"}
    job = {"name": "j", "base": "https://127.0.0.1:9", "network": {"cacert": "bad.pem"},
           "endpoints": [{"name": "e", "url": "/x"}]}
    with open(scratch("j.json"), "w", encoding="ascii") as file:
        json.dump(job, file)
    for name, content in files.items():
        with open(scratch("bad.pem"), "wb") as file:
            file.write(content)
        for arguments in (["run", "--plain", "-o", scratch("ca.run"), "--cacert", scratch("bad.pem"),
                           "https://127.0.0.1:9/x?[1-50]"],
                          ["run", "--plain", "-o", scratch("ca.run"), scratch("j.json")],
                          ["probe", "--cacert", scratch("bad.pem"), "https://127.0.0.1:9/x"],
                          ["sweep", "1,2", "--plain", "-o", scratch("ca.run"), "--cacert", scratch("bad.pem"),
                           "https://127.0.0.1:9/x?[1-50]"]):
            ended = harness.run(*arguments)
            check_error(ended, 2, "E-TLS3", "certificate")
            check(not os.path.exists(scratch("ca.run")), "a directory is left of", name)
    for path in ("/", "/dev/null", scratch("pipe")):
        if path.endswith("pipe"):
            os.mkfifo(path)
        check_error(harness.run("run", "-o", scratch("ca.run"), "--cacert", path, "https://127.0.0.1:9/x"), 2,
                    "E-TLS3", "is no file")


def test_ca_file__is_used__when_it_is_one():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(), scratch("key.pem"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(scratch("good.pem"), encoding="ascii") as file:
        good = file.read()
    with open(scratch("bundle.pem"), "w", encoding="ascii", newline="") as file:
        file.write("# a comment\r\n" + good.replace("\n", "\r\n") + "\r\nmore\r\n" + good)
    # The name is another's than the address: what the library says is no longer about the file.
    ended = harness.run("run", "--plain", "-o", scratch("used.run"), "--cacert", scratch("bundle.pem"), "--retries",
                        "0", f"https://127.0.0.1:{server.server_port}/")
    check(b"E-TLS3" not in ended.err and b"certificate subject name" in ended.err, "not so", ended)
    server.shutdown()


def test_table__that_cannot_be_written__is_told_before_anything_is_asked():
    with harness.api() as server:
        for option in ("--csv", "--parquet", "--svg"):
            command = ["sweep", "1,2"] if option == "--svg" else ["run"]
            ended = harness.run(*command, "--plain", "-o", scratch("out.run"), option,
                                f"/dev/null/x.{option.lstrip('-')}", f"{server.url}/posts/1")
            check("error[E-OUT1]" in ended.err.decode(), "not told:", ended)
            check(not os.path.exists(scratch("out.run")), "a directory is left with", option)
        check_equal(server.count(), 0, "requests")


# --- no escape bytes ---------------------------------------------------------------------------------

HOSTILE = "\x1b]0;pwned\x07\x1b[2J"


def test_output__has_no_escape_byte__when_no_terminal():
    with harness.api("--fail", "5%") as server:
        ended = harness.run("run", "-o", scratch("e.run"), "--backoff", "10ms",
                            f"{server.url}/posts/[1-50]", f"{server.url}/{{html,status/404}}",
                            f"{server.url}/badjson?kind={{text,utf8,nan}}")
    check_equal(ended.code, 3, "exit code")
    check(b"\x1b" not in ended.out + ended.err, "an escape byte:", ended)


def test_output__has_no_escape_byte__when_terminal_is_dumb():
    with harness.api() as server:
        for number, env in enumerate(({"TERM": "dumb"}, {"TERM": None}, {"TERM": "no-such-terminal"})):
            command = [harness.BINARY, "run", "-o", scratch(f"d{number}.run"),
                       f"{server.url}/posts/[1-50]"]
            with harness.terminal(command, env=env) as shown:
                check_equal(shown.exit_code(), 0, f"exit code with {env}")
                check(b"50/50 ok" in shown.raw, "no last line with", env, shown.raw)
                check(b"\x1b" not in shown.raw, "an escape byte with", env, shown.raw)


def test_output__has_no_escape_byte__when_arguments_are_hostile():
    for arguments in (["run", "--" + HOSTILE, URL], [HOSTILE], ["run", "http://h/[" + HOSTILE],
                      ["run", "-H", HOSTILE, URL], ["run", "-i", "/" + HOSTILE],
                      ["run", "-o", HOSTILE + ".run"], ["run", "--rate", HOSTILE, URL]):
        ended = harness.run(*arguments)
        check_equal(ended.code, 2, "exit code")
        check(b"\x1b" not in ended.out + ended.err and b"\x07" not in ended.out + ended.err,
              "an escape byte:", ended)


def with_files(limit):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def check_sentence(limit, what, child):
    ended = harness.finish(child)
    check(ended.code == 0 or (ended.code in (1, 3, 7, 8) and b"error[E-" in ended.err), f"{what} of {limit} files:",
          ended)


def test_few_descriptors__are_told_in_a_sentence__by_every_command():
    """Neither an abort nor a loop: so few are told at once, and what a run holds itself when none is left."""
    server = peer.Peer(lambda ask: peer.reply())
    done = scratch("done.run")
    harness.succeed("run", "--plain", "-o", done, f"{server.url}/[1-5]")
    for limit in range(6, 23, scaled(1, 3)):
        children = [(words[0], harness.scrapetop(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                                 preexec_fn=with_files(limit)))
                    for words in (["run", "--plain", "-o", scratch(f"{limit}.run"), f"{server.url}/[1-5]"],
                                  ["probe", f"{server.url}/1"], ["status", done], ["verify", done],
                                  ["raw", done], ["normalise", done, "-o", scratch(f"{limit}.csv")])]
        for what, child in children:
            check_sentence(limit, what, child)
    lists = []
    for number in range(9):
        with open(scratch(f"list{number}"), "w", encoding="ascii") as file:
            file.write(f"{server.url}/{number}\n")
        lists += ["-i", scratch(f"list{number}")]
    children = [(limit, harness.scrapetop("run", "--plain", "-o", scratch(f"many{limit}.run"), *lists,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          preexec_fn=with_files(limit)))
                for limit in range(22, 50, scaled(1, 3))]
    for limit, child in children:
        check_sentence(limit, "run with nine lists", child)


def test_threads__for_which_there_are_no_descriptors__are_refused_with_what_helps():
    child = harness.scrapetop("run", "--plain", "--threads", "64", "-o", scratch("threads.run"), URL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=with_files(100))
    ended = harness.finish(child)
    check(ended.code == 1 and b"ulimit -n" in ended.err and b"--threads" in ended.err, "64 threads of 100 files:", ended)


if __name__ == "__main__":
    harness.main(globals())
