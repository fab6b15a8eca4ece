"""The dashboard in a true pseudo-terminal: bytes, stalls, hang-ups, resizes, crashes.

What is drawn is tested elsewhere as text (test_dashboard.c). Here the same pictures must come out of a
terminal model that is fed the bytes, and nothing that happens to the terminal may stop the program's
loop: ui_replay writes a byte to its `beat` file at every turn. Nothing here waits for a time to pass,
only for conditions, and gives up after PATIENCE seconds.
"""

import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

try:
    import pyte
except ImportError:
    print("SKIPPED: python3-pyte is not installed (scripts/deps installs it)")
    sys.exit(77)

PATIENCE = 120
REPLAY = sys.argv[1]
ASKS = b"\x1b]11;?\x1b\\\x1b[c"  # for the background's colour, and for the kind of the terminal
SCREENS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "screens")


class Terminal:
    """A program in a pseudo-terminal of its own session, and the model of the screen it draws."""

    def __init__(self, *words, rows=24, columns=80, term="xterm-256color", locale="C.UTF-8", **more):
        self.raw = b""
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.beat = tempfile.NamedTemporaryFile()
        env = dict(os.environ, TERM=term, LC_ALL=locale, TZ="UTC")
        for name in ("NO_COLOR", "LINES", "COLUMNS", "COLORFGBG", "SCRAPETOP_BACKGROUND"):
            env.pop(name, None)
        env.update(more)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(REPLAY, [REPLAY, "beat=" + self.beat.name, *words], env)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        if self.fd >= 0:
            os.close(self.fd)

    def read(self, seconds=0.05, shown=True):
        """What the program has written by now; False once it has closed its end. The model is slow: where nobody
        looks at it, it need not be shown."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        if shown:
            self.stream.feed(data)
        return bool(data)

    def text(self):
        return [line.rstrip() for line in self.screen.display]

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("waited in vain for %s; the screen is\n%s"
                                     % (what, "\n".join(self.text())))
            self.read()

    def until_text(self, text):
        self.until(lambda: any(text in line for line in self.text()), repr(text))

    def beats(self):
        return os.stat(self.beat.name).st_size

    def until_beats(self, more):
        """The loop has turned so often, while nobody reads the terminal."""
        goal = self.beats() + more
        end = time.monotonic() + PATIENCE
        while self.beats() < goal:
            assert time.monotonic() < end, "the loop has stopped"
            time.sleep(0.01)

    def type(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def wait(self):
        """Reads to the end and returns the wait status."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            alive = self.read(shown=False)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                # What it wrote last may come after its end is told: the terminal's own end follows it.
                while alive and time.monotonic() < end:
                    alive = self.read(shown=False)
                return status
        raise AssertionError("the program did not end")

    def ready(self):
        return bool(select.select([self.fd], [], [], 0)[0])

    def local_modes(self):
        return termios.tcgetattr(self.fd)[3]


def golden(name):
    """A recorded screen but for the first line, which has the time in it."""
    with open(os.path.join(SCREENS, name), encoding="utf-8") as file:
        return file.read().split("\n")[1:24]


def is_drawn(terminal, name):
    expected = golden(name)
    return lambda: terminal.text()[1:24] == expected


def terminal__shows_the_recorded_screen__on_every_type():
    for term in ("xterm-256color", "screen", "tmux-256color", "linux", "vt220", "rxvt"):
        with Terminal("done", "still", term=term) as t:
            t.until(is_drawn(t, "done_80x24.txt"), "the screen of 'done' on " + term)
            t.type("?")
            t.until_text("1-16 of")
            t.type("?")
            t.until(is_drawn(t, "done_80x24.txt"), "the screen after help on " + term)


def terminal__comes_back_to_the_recorded_screen__after_a_storm_of_resizes():
    sizes = random.Random(7)
    with Terminal("done", "still") as t:
        t.until_text("DONE")
        for i in range(200):
            t.resize(sizes.randint(1, 100), sizes.randint(1, 300))
            if i % 10 == 0:
                t.resize(1, 1)
            t.read(0)
        t.until_beats(2)
        t.resize(24, 80)
        t.type("\x0c")
        t.until(is_drawn(t, "done_80x24.txt"), "the screen after the storm")


def terminal__writes_no_foreign_sequence__for_hostile_texts():
    allowed = re.compile(
        rb"\x1b\[[0-9;?]*[A-HJKLMPSTXbdfhlmr@]|\x1b[=>78M]|\x1b\([0AB]|[\r\n\b\t\x0e\x0f]|"
        rb"\x1b\[[0-9;]*t")
    for size in ((24, 80), (40, 120), (60, 200)):
        with Terminal("hostile", rows=size[0], columns=size[1]) as t:
            t.until_text("flight")
            for key in ("1", "2", "3", "4", "5", "6", "7", "8", "0", "0\t"):
                t.type(key + "z")
                t.read(0.2)
                t.type("z")
            t.until_beats(3)
            t.type("qq")
            assert os.WEXITSTATUS(t.wait()) == 0
            assert t.raw.count(ASKS) == 1, "it asks once for the background"
            rest = allowed.sub(b"", t.raw.replace(ASKS, b""))
            bad = re.search(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xef\xbb\xbf",
                            rest)
            assert not bad, "foreign bytes near %r" % rest[max(0, bad.start() - 30):bad.end() + 30]
            titles = [s for s in (b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX") if s in t.raw.replace(ASKS, b"")]
            assert not titles, titles


def terminal__gets_no_byte__while_nothing_changes():
    with Terminal("tuned", "still") as t:
        t.until_text("In flight")
        t.until_beats(5)
        while t.ready():
            t.read()
        before = len(t.raw)
        t.until_beats(20)
        t.read(0)
        assert len(t.raw) == before, t.raw[before:]


def terminal__gets_few_bytes__at_rest():
    """Twenty seconds of ten frames each, in which only the clock and the countdowns move."""
    for scene, rows, columns in (("held", 24, 80), ("all-waiting", 24, 80), ("held", 60, 200)):
        with Terminal(scene, "steps", rows=rows, columns=columns) as t:
            t.until_text("In flight")
            t.until(lambda: t.beats() >= 10, "the first second")
            t.read(0)
            before, began = len(t.raw), t.beats()
            t.until(lambda: t.beats() >= began + 200, "twenty seconds")
            per_second = (len(t.raw) - before) / (t.beats() - began) * 10
            assert per_second < 2048, "%s at %dx%d: %d bytes/s" % (scene, columns, rows, per_second)


def terminal__does_not_stop_the_loop__when_nobody_reads():
    with Terminal(rows=60, columns=200) as t:
        t.until_text("In flight")
        t.type("?" * 101)  # far more frames than the terminal holds
        t.until_beats(40)
        t.type("?")
        t.until_text("CAP")
        t.until(lambda: any("In flight" in line for line in t.text()), "the screen after the stall")


def terminal__goes_on__after_control_s():
    with Terminal() as t:
        t.until_text("RUN")
        t.type("\x13")
        t.type("?")
        t.until_text("Keys")


def terminal__ends_the_program_without_spinning__when_it_hangs_up():
    with Terminal() as t:
        t.until_text("RUN")
        os.close(t.fd)
        t.fd = -1
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status, usage = os.wait4(t.pid, os.WNOHANG)
            if pid:
                assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, status
                return
            time.sleep(0.01)
        raise AssertionError("it did not notice the hang-up")


def terminal__is_given_back__at_the_end():
    with Terminal() as t:
        before = None
        t.until_text("RUN")
        assert not t.local_modes() & termios.ICANON and not t.local_modes() & termios.ECHO
        assert t.local_modes() & termios.ISIG
        before = len(t.raw)
        t.type("q")
        t.until_text("again aborts")
        t.type("q")
        assert os.WEXITSTATUS(t.wait()) == 0
        tail = t.raw[before:]
        assert b"\x1b[?1049l" in tail and b"\x1b[?25h" in tail and b"\x1b[?2004l" in tail, tail


def terminal__keeps_the_last_picture__when_left_by_capital_q():
    with Terminal() as t:
        t.until_text("RUN")
        t.type("Q")
        t.until_text("again aborts")
        t.type("Q")
        assert os.WEXITSTATUS(t.wait()) == 0
        tail = t.raw[t.raw.rindex(b"\x1b[?1049l"):].decode()
        assert "DRAINING" in tail and "\n" in tail, tail


def terminal__is_given_back__by_a_crash():
    with Terminal("crash") as t:
        status = t.wait()
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT, status
        assert b"\x1b[?1049l" in t.raw and b"internal error" in t.raw, t.raw[-300:]
        assert b"resumes the run" in t.raw


# A sanitizer would turn the end by a signal into an exit code.
NO_HANDLERS = ":".join([os.environ.get("ASAN_OPTIONS", ""), *(f"handle_{name}=0" for name in
                        ("segv", "sigbus", "sigfpe", "sigill", "sigtrap", "abort"))]).strip(":")


class HeldTerminal:
    """One whose slave is held open, so that its modes can be asked once its program has ended."""

    def __init__(self, *words):
        self.master, self.slave = pty.openpty()
        self.before, self.raw = termios.tcgetattr(self.slave), b""
        script = "import os, resource, signal, sys, fcntl, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); " \
                 "[signal.signal(s, signal.SIG_DFL) for s in (signal.SIGPIPE, signal.SIGXFSZ)]; " \
                 "resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.execv(sys.argv[1], sys.argv[1:])"
        self.child = subprocess.Popen([sys.executable, "-c", script, REPLAY, *words], stdin=self.slave,
                                      stdout=self.slave, stderr=self.slave,
                                      env=dict(os.environ, TERM="xterm-256color", ASAN_OPTIONS=NO_HANDLERS))

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, self.raw[-300:]
            if select.select([self.master], [], [], 0.05)[0]:
                self.raw += os.read(self.master, 65536)

    def check_ended_by(self, number):
        self.until(lambda: self.child.poll() is not None)
        while select.select([self.master], [], [], 0)[0]:
            self.raw += os.read(self.master, 65536)
        assert self.child.returncode == -number, (self.child.returncode, number)
        assert termios.tcgetattr(self.slave) == self.before, number
        assert self.raw.rindex(b"\x1b[?1049l") > self.raw.rindex(b"\x1b[?1049h"), (number, self.raw[-300:])
        assert b"resumes the run" in self.raw, (number, self.raw[-300:])
        os.close(self.master)
        os.close(self.slave)


def terminal__is_cooked_again__after_a_crash():
    HeldTerminal("crash").check_ended_by(signal.SIGABRT)


def terminal__is_given_back__by_every_signal_that_ends_the_program():
    """ui_replay itself sees to INT, TERM, HUP, WINCH and TSTP; the rest does so by default, or is no end."""
    harmless = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGTSTP, signal.SIGTTIN,
                signal.SIGTTOU, signal.SIGSTOP, signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    for number in sorted(signal.valid_signals() - harmless):
        t = HeldTerminal()
        t.until(lambda t=t: b"RUN" in t.raw and termios.tcgetattr(t.slave) != t.before)
        t.child.send_signal(number)
        t.check_ended_by(number)


def terminal__is_given_back__by_the_key_for_quit():
    t = HeldTerminal()
    t.until(lambda: b"RUN" in t.raw)
    os.write(t.master, b"\x1c")
    t.check_ended_by(signal.SIGQUIT)


def terminal__is_given_back_and_taken_again__by_stop_and_continue():
    with Terminal("done", "still") as t:
        t.until(is_drawn(t, "done_80x24.txt"), "the screen")
        t.type("\x1a")  # Ctrl-Z, by the terminal's own signal
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            t.read()
            pid, status = os.waitpid(t.pid, os.WUNTRACED | os.WNOHANG)
            if pid:
                break
        assert os.WIFSTOPPED(status), status
        while t.ready():
            t.read()
        assert t.local_modes() & termios.ICANON and t.local_modes() & termios.ECHO
        assert b"\x1b[?1049l" in t.raw[-40:], t.raw[-60:]
        t.screen.reset()
        t.resize(40, 120)
        t.resize(24, 80)
        os.kill(t.pid, signal.SIGCONT)
        t.until(is_drawn(t, "done_80x24.txt"), "the screen after fg")
        assert not t.local_modes() & termios.ICANON


def terminal__ignores__what_is_pasted_and_what_it_answers():
    with Terminal() as t:
        t.until_text("RUN")
        t.type("\x1b[200~qqqq\x1b[201~\x1b]11;rgb:qq/qq/qq\x07\x1b[?62;4c\x1bPqq\x1b\\")
        t.until_text("pasted text")
        t.until_beats(3)
        assert os.waitpid(t.pid, os.WNOHANG) == (0, 0)


def terminal__is_refused__when_its_type_is_unknown_or_dumb():
    for term in ("dumb", "", "no-such-terminal"):
        with Terminal(term=term) as t:
            assert os.WEXITSTATUS(t.wait()) == 2
            assert b"\x1b" not in t.raw and b"E-TTY4" in t.raw, t.raw


def terminal__draws_ascii__without_a_utf8_locale():
    with Terminal("done", locale="C") as t:
        t.until_text("== 1 In flight")
        assert all(byte < 0x80 for byte in t.raw)


def terminal__uses_no_colour__when_told_not_to():
    with Terminal("mono") as t:
        t.until_text("RUN")
        t.type("2jj")
        t.until_beats(5)
        t.read()
        for sequence in re.findall(rb"\x1b\[([0-9;]*)m", t.raw):
            for number in sequence.split(b";"):
                assert not re.fullmatch(rb"3[0-8]|4[0-8]|9[0-7]", number), sequence


LIGHT, DARK = rb"38;5;22", rb"\x1b\[(?:[0-9]+;)*32m"  # green, in which the header says how many are well


def paints(t, pattern):
    t.until(lambda: re.search(pattern, t.raw), "green for this background")


def terminal__is_painted_for_its_background__as_it_tells():
    with Terminal() as t:
        t.until(lambda: ASKS in t.raw, "the question")
        paints(t, DARK)  # nobody waits for the answer
        assert not re.search(LIGHT, t.raw)
        for byte in b"+\x1b]11;rgb:ffff/ffff/ffff\x1b\\+\x1b[?62;22c+":
            t.type(bytes([byte]))
        paints(t, LIGHT)
        t.until(lambda: any("cap 27" in line for line in t.text()), "the three keys around the answer")
    for answer, want in (("\x1b]11;rgb:0000/0000/0000\x07\x1b[?6c", DARK), ("\x1b]11;rgb:fdfd/f6f6/e3e3\x07\x1b[?6c", LIGHT),
                         ("\x1b[?6c", LIGHT)):
        with Terminal(COLORFGBG="0;15") as t:  # what it tells goes before what its environment says
            paints(t, LIGHT)
            t.type(answer)
            before = len(t.raw)
            t.type("\x0c")
            t.until(lambda: re.search(want, t.raw[before:]), "the colours for " + repr(answer))  # pylint: disable=cell-var-from-loop


def terminal__is_painted_for_the_background__that_the_user_says():
    with Terminal(COLORFGBG="0;15", SCRAPETOP_BACKGROUND="dark") as t:
        paints(t, DARK)
        assert not re.search(LIGHT, t.raw) and ASKS not in t.raw
        t.type("B")
        paints(t, LIGHT)
        t.type(":background dark\r")
        before = len(t.raw)
        t.until(lambda: re.search(DARK, t.raw[before:]), "dark again")
    with Terminal(SCRAPETOP_BACKGROUND="light") as t:
        paints(t, LIGHT)


def terminal__types_no_answer_to_the_shell__when_left_before_it_comes():
    t = HeldTerminal()
    t.until(lambda: b"RUN" in t.raw)
    os.write(t.master, b"qq")
    os.write(t.master, b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c")
    t.until(lambda: t.child.poll() is not None)
    assert termios.tcgetattr(t.slave) == t.before
    os.set_blocking(t.slave, False)
    modes = termios.tcgetattr(t.slave)
    modes[3] &= ~termios.ICANON
    termios.tcsetattr(t.slave, termios.TCSANOW, modes)
    try:
        left = os.read(t.slave, 100)
    except BlockingIOError:
        left = b""
    assert left == b"", left
    os.close(t.master)
    os.close(t.slave)


def terminal__of_a_kind_not_known_here__is_drawn_as_xterm_with_a_word():
    for term in ("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "wezterm", "foot-extra"):
        with Terminal("done", "still", term=term + "-nowhere") as t:
            t.until_text(f"TERM={term}-nowhere is not known here: drawn as for xterm-256color")
            t.until(lambda: is_drawn(t, "done_80x24.txt")() or t.text()[1:23] == golden("done_80x24.txt")[:22],  # pylint: disable=cell-var-from-loop
                    "the screen of 'done' on " + term)
    with Terminal("done", "still", term="nowhere") as t:
        status = t.wait()
        assert os.WEXITSTATUS(status) != 0 and b"TERM=nowhere" in t.raw, t.raw


def main():
    failed = 0
    names = [name for name in globals() if name.startswith("terminal__")]
    for name in names:
        try:
            globals()[name]()
            print("ok      ", name)
        except AssertionError as error:
            failed += 1
            print("FAILED  ", name, "\n", error)
    print("%d of %d passed" % (len(names) - failed, len(names)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
