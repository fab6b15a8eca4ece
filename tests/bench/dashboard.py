"""What the dashboard costs: CPU beside the same run with --plain, and bytes to the terminal."""

import fcntl
import os
import pty
import select
import signal
import struct
import tempfile
import termios
import time

import measure

SECONDS = 10
TICKS = os.sysconf("SC_CLK_TCK")
CASES = [  # columns, rows, in flight, latency of the API
    (80, 24, 50, "1s"),
    (200, 60, 1000, "5s"),
]


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Watched:
    """A run in a pseudo-terminal that is read as fast as it writes."""

    def __init__(self, arguments, columns, rows):
        self.bytes = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(arguments[0], arguments, {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"})

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read_for(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                self.bytes += len(os.read(self.fd, 65536))

    def over(self, seconds):
        """CPU in percent of a core and bytes a second over so long a time."""
        cpu, sent, began = cpu_s(self.pid), self.bytes, time.monotonic()
        self.read_for(seconds)
        wall = time.monotonic() - began
        return (cpu_s(self.pid) - cpu) / wall * 100, (self.bytes - sent) / wall


def one_case(columns, rows, cap, latency, scratch):
    name = f"{columns}x{rows}, {cap} in flight"
    with measure.serve("--latency", latency) as address:
        run = [measure.BINARY, "run", "-c", str(cap), f"{address}/posts/[1-1000000]", "-o"]
        with Watched([*run, f"{scratch}/{cap}.plain.run", "--plain"], columns, rows) as plain:
            plain.read_for(7)
            without, _ = plain.over(SECONDS)
        with Watched([*run, f"{scratch}/{cap}.run"], columns, rows) as shown:
            shown.read_for(7)
            at_work, work_bytes = shown.over(SECONDS)
            os.write(shown.fd, b"p")
            shown.read_for(7)
            at_rest, rest_bytes = shown.over(SECONDS)
    return [(f"{name}, at work", f"{at_work:.1f}", f"{without:.1f}", f"{at_work - without:.1f}",
             f"{work_bytes / 1024:.1f}"),
            (f"{name}, at rest", f"{at_rest:.1f}", "", "", f"{rest_bytes / 1024:.1f}")]


def main():
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as scratch:
        lines = [line for case in CASES for line in one_case(*case, scratch)]
    print(f"CPU of a core and bytes to the terminal over {SECONDS} s each")
    measure.table(("dashboard", "CPU %", "with --plain", "the screen's", "KiB/s"), lines)


if __name__ == "__main__":
    main()
