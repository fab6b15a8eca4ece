"""What the end-to-end tests share: the built binary, its embedded API, a terminal, and conditions.

A test is a function test_<what>__<when>() of its script; main() runs them in order, or those that are
named as arguments. Exit code 0 all passed, 1 one failed, 77 none failed but one cannot be run here
(ctest tells that as skipped). Nothing waits for a time to pass: wait_for() waits for a condition, and
its limit is only there to end a hang.

Environment: SCRAPETOP names the binary, E2E_SMALL=1 asks for smaller counts (sanitizer builds),
E2E_KEEP=1 keeps the directory of a test that failed.
"""

import atexit
import collections
import contextlib
import datetime
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

BINARY = os.path.abspath(os.environ.get("SCRAPETOP", "build/dev/scrapetop"))
TRAP_SERVER = os.path.join(os.path.dirname(BINARY), "tests/traps/trap_server")
SMALL = os.environ.get("E2E_SMALL") == "1"
HANG_S = int(os.environ.get("E2E_HANG_S", "240"))  # longer than anything here takes, sanitizers included

_children = []
_scratch = None


class Failed(Exception):
    """What a check found."""


class Skipped(Exception):
    """Why this script cannot be run here."""


def check(condition, *what):
    if not condition:
        raise Failed(" ".join(str(w) for w in what))


def check_equal(got, want, what):
    if got != want:
        raise Failed(f"{what}: got {got!r}, want {want!r}")


def scaled(count, small):
    """`count`, or `small` in a build that is ten times slower."""
    return small if SMALL else count


def wait_for(condition, what, limit_s=HANG_S):
    """The first true value of condition(); asks every few milliseconds."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {limit_s} s in vain: {what}")
        time.sleep(0.005)


# --- files and processes -------------------------------------------------------------------------


def scratch(name):
    """A new path in this script's temporary directory."""
    return os.path.join(_scratch, name)


def environment(**changes):
    """The tests' own environment: nothing of the caller's terminal, locale or proxies."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": _scratch,
        "XDG_RUNTIME_DIR": _scratch,  # control sockets: those of other tests are not seen
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "TZ": "UTC",
    }
    env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS") or k == "SCRAPETOP_THREADS"})
    env.update(changes)
    return {k: v for k, v in env.items() if v is not None}


def start(arguments, **options):
    """A child in a process group of its own, killed at the end whatever happens."""
    options.setdefault("env", environment())
    options.setdefault("cwd", _scratch)
    options.setdefault("stdin", subprocess.DEVNULL)
    child = subprocess.Popen(arguments, start_new_session=True, **options)
    _children.append(child)
    return child


def scrapetop(*arguments, **options):
    return start([BINARY, *arguments], **options)


class Ended(collections.namedtuple("Ended", "code out err")):
    def __str__(self):
        return (f"exit code {self.code}\n--- stdout\n{self.out.decode(errors='replace')[-2000:]}"
                f"\n--- stderr\n{self.err.decode(errors='replace')[-4000:]}")

    def report(self):
        """What --json wrote."""
        return json.loads(self.out)


def finish(child):
    """Waits for a child whose stdout and stderr are pipes."""
    try:
        out, err = child.communicate(timeout=HANG_S)
    except subprocess.TimeoutExpired:
        child.kill()
        raise Failed(f"hangs: {child.args}") from None
    return Ended(child.returncode, out or b"", err or b"")


def read_until(pipe, pattern):
    """Takes bytes of a child's pipe until they hold the pattern, and gives its match; the rest is left to finish()."""
    seen, end = b"", time.monotonic() + HANG_S
    while not (found := re.search(pattern, seen)):
        ready = select.select([pipe], [], [], max(0, end - time.monotonic()))[0]
        got = os.read(pipe.fileno(), 4096) if ready else b""
        check(got, "never said:", pattern, "but", seen[-500:])
        seen += got
    return found


def run(*arguments, stdin=None, **options):
    """Runs the binary to its end."""
    child = scrapetop(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                      stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL, **options)
    if stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(stdin)
            child.stdin.flush()
    return finish(child)


def succeed(*arguments, code=0, **options):
    ended = run(*arguments, **options)
    check(ended.code == code, f"wanted exit code {code} of {arguments}:", ended)
    return ended


def peak_kib(pid):
    """VmHWM, or 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            found = re.search(r"VmHWM:\s+(\d+)", status.read())
    except OSError:
        return 0
    return int(found.group(1)) if found else 0


def cpu_s(pid):
    """User and system time that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def state_of(pid):
    """The letter of a process: S, R, T (stopped), Z (ended)."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


# --- the embedded API ----------------------------------------------------------------------------

Asked = collections.namedtuple("Asked", "arrived_us wall_s status path in_flight took_us")


class Api:
    """`scrapetop serve` with the traps of tests/traps on a free port, with its access log."""

    def __init__(self, *options, seed=7, name="api"):
        self.log_path = scratch(f"{name}.log")
        self.arguments = ["serve", "--seed", str(seed), "--log", self.log_path, *options]
        # A port that is asked for by its number may be another's for a moment.
        self.url = wait_for(self.listening, "a server that listens")

    def listening(self):
        """Its URL, or None when its port was taken."""
        self.child = start([TRAP_SERVER, *self.arguments], stdout=subprocess.PIPE)
        line = self.child.stdout.readline().decode()
        if not line and "--port" in self.arguments:
            finish(self.child)
            return None
        check(line.startswith("listening on http://"), "serve said", repr(line))
        return line.split()[-1]

    def asked(self):
        """Every request so far whose answer is settled."""
        with open(self.log_path, encoding="ascii") as log:
            lines = [line.split() for line in log if line.endswith("\n")]
        return [Asked(int(f[0]), datetime.datetime.fromisoformat(f[1].replace("Z", "+00:00")).timestamp(),
                      int(f[2]), f[4], int(f[5]), int(f[6])) for f in lines]

    def count(self):
        with open(self.log_path, "rb") as log:
            return log.read().count(b"\n")

    def stop(self):
        self.child.terminate()
        check_equal(self.child.wait(HANG_S), 0, "exit code of serve")
        self.child.stdout.close()


class Deaf:
    """A port whose queue of connections is full for good: nobody gets in, and nobody is sent away."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.queue = []
        while len(self.queue) < 64:
            one = socket.socket()
            one.settimeout(0.3)
            self.queue.append(one)
            try:
                one.connect(self.listener.getsockname())
            except TimeoutError:
                return
        raise Skipped("this kernel's queues of connections do not fill")

    def stop(self):
        for one in (*self.queue, self.listener):
            one.close()


@contextlib.contextmanager
def api(*options, **keywords):
    server = Api(*options, **keywords)
    try:
        yield server
    finally:
        if server.child.poll() is None:
            server.stop()


# --- what a run left behind ------------------------------------------------------------------------


def raw_lines(run_dir):
    """The lines of raw/*.jsonl, in the order in which they lie there."""
    raw = os.path.join(run_dir, "raw")
    for name in sorted(os.listdir(raw)):
        with open(os.path.join(raw, name), "rb") as segment:
            yield from segment


def body_of(line):
    """The body's bytes as they stand in a raw line: it comes last."""
    check(line.endswith(b"}\n"), "a torn raw line:", line[-80:])
    return line[line.index(b',"body":') + len(b',"body":'):-2]


def path_of(url):
    """A URL without scheme and host: the part that two servers on two ports have in common."""
    return "/" + url.split("/", 3)[3]


def bodies(run_dir):
    """path -> the bodies that are stored for it."""
    found = collections.defaultdict(list)
    for line in raw_lines(run_dir):
        found[path_of(json.loads(line)["url"])].append(body_of(line))
    return found


def check_bodies(run_dir, want):
    """Every body of `want` (path -> bytes) exactly once, and nothing else."""
    found = bodies(run_dir)
    missing = sorted(set(want) - set(found))
    extra = sorted(set(found) - set(want))
    twice = sorted(path for path, them in found.items() if len(them) != 1)
    check(not missing, len(missing), "bodies are missing, for example of", missing[:3])
    check(not extra, len(extra), "bodies of what nobody asked for, for example", extra[:3])
    check(not twice, len(twice), "bodies are stored twice, for example of", twice[:3])
    for path, them in found.items():
        check_equal(them[0], want[path], f"body of {path}")


def ledger(run_dir, sql):
    """Rows of the ledger, also while a process is at work on it."""
    with contextlib.closing(sqlite3.connect(os.path.join(run_dir, "ledger.db"))) as db:
        return db.execute(sql).fetchall()


def ledger_counts(run_dir):
    """state -> requests; 1 is done, 2 failed, 3 waiting."""
    return dict(ledger(run_dir, "SELECT state, count(*) FROM request GROUP BY state"))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def everything_in(directory):
    """The bytes of all files below a directory, by path."""
    return {
        os.path.join(where, name): read(os.path.join(where, name))
        for where, _, names in os.walk(directory)
        for name in names
    }


# --- terminals -------------------------------------------------------------------------------------


class Terminal:
    """A pseudo-terminal with one process in it, every byte that came out, and the picture they make."""

    def __init__(self, arguments, rows=24, columns=80, env=None):
        try:
            import pyte
        except ImportError:
            raise Skipped("python3-pyte is missing: scripts/deps --test") from None
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.code = None  # of the process, once it has ended
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            set_size(0, rows, columns)
            os.chdir(_scratch)
            os.execve(arguments[0], arguments, environment(**(env or {})))

    def pump(self, wait_s=0.05, shown=True):
        """Takes what there is to read; False when nothing came. The picture is slow, and not always wanted."""
        if self.fd < 0 or not select.select([self.fd], [], [], wait_s)[0]:
            return False
        try:
            got = os.read(self.fd, 65536)
        except OSError:  # EIO: the last process that had it open is gone
            got = b""
        if not got:
            self.hang_up()
            return False
        self.raw += got
        if shown:
            self.stream.feed(got)
        return True

    def text(self):
        return "\n".join(self.screen.display)

    def wait(self, condition, what):
        """Reads until condition() holds."""
        end = time.monotonic() + HANG_S
        while not condition():
            if self.pump():
                continue
            if self.fd < 0:
                # The terminal is closed a moment before its process can be waited for.
                wait_for(lambda: condition() or not self.alive(), what)
            if not condition() and (self.fd < 0 or time.monotonic() > end):
                raise Failed(f"never seen: {what}; the screen is\n{self.text()}")

    def wait_text(self, pattern):
        self.wait(lambda: re.search(pattern, self.text()), pattern)

    def keys(self, keys):
        os.write(self.fd, keys.encode())

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        set_size(self.fd, rows, columns)

    def send(self, number):
        os.kill(self.pid, number)

    def hang_up(self):
        """What the end of an ssh session does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def alive(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is None

    def exit_code(self):
        """Reads to the end and waits for the process. What it wrote last may come after its end is told."""
        end = time.monotonic() + HANG_S
        while self.alive() or self.fd >= 0:
            self.pump(0.02, shown=False)
            check(time.monotonic() < end, "does not end; the screen is\n" + self.text())
        return self.code

    def kill(self):
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.hang_up()


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextlib.contextmanager
def terminal(arguments, **options):
    shown = Terminal(arguments, **options)
    try:
        yield shown
    finally:
        shown.kill()


# --- running tests ---------------------------------------------------------------------------------


def kill_children():
    for child in _children:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    _children.clear()


def run_case(name, case):
    """0 passed, 1 failed, 77 cannot be run here."""
    global _scratch
    began = time.monotonic()
    code = 1
    _scratch = tempfile.mkdtemp(prefix=f"scrapetop-{name[:40]}-")
    try:
        case()
        code = 0
    except Failed as failed:
        where = traceback.extract_tb(failed.__traceback__)[1]
        print(f"{name}, line {where.lineno}: {failed}")
    except Skipped as why:
        print(f"{name}: {why}")
        code = 77
    except Exception:  # a mistake of the test, or something it did not expect: told whole
        traceback.print_exc(file=sys.stdout)
    finally:
        kill_children()
        if code == 1 and os.environ.get("E2E_KEEP"):
            print(f"kept: {_scratch}")
        else:
            shutil.rmtree(_scratch, ignore_errors=True)
    word = {0: "passed", 1: "FAILED", 77: "SKIPPED"}[code]
    print(f"{word} {name} in {time.monotonic() - began:.1f} s", flush=True)
    return code


def main(module):
    """Runs the tests of a script's globals()."""
    if not os.access(BINARY, os.X_OK):
        sys.exit(f"SCRAPETOP={BINARY}: no such program")
    atexit.register(kill_children)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that even then nothing is left behind
    cases = {n: f for n, f in module.items() if n.startswith("test_") and callable(f)}
    codes = {run_case(name, cases[name]) for name in sys.argv[1:] or cases}
    sys.exit(1 if 1 in codes else 77 if 77 in codes else 0)
