"""Where the control socket is: not for other users, and on a disk that has no room for it. Both need root."""

import os
import subprocess

import harness
from harness import Skipped, check, scratch
from live import live_run, socket_of


def test_another_user__cannot_connect():
    if os.geteuid() != 0:
        raise Skipped("only root can be another user")
    place = scratch("open")
    os.makedirs(place)
    with harness.api("--latency", "50ms") as server, \
            live_run(server, 100_000, XDG_RUNTIME_DIR=place) as (child, run):
        path = socket_of(run)
        script = ("import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
                  "s.sendall(b'{\"hello\":1}\\n')\nprint(s.recv(100))\n")

        def as_nobody():
            os.chdir("/")
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

        def ask():
            return subprocess.run(["/usr/bin/python3", "-c", script, path], preexec_fn=as_nobody, capture_output=True,
                                  check=False, timeout=harness.HANG_S)

        for part in (os.path.dirname(harness._scratch), harness._scratch, place):
            os.chmod(part, os.stat(part).st_mode | 0o755)
        check(b"PermissionError" in ask().stderr, "the directory lets others in")
        os.chmod(os.path.dirname(path), 0o755)
        os.chmod(path, 0o777)
        told = ask()  # the socket lets him in by now; the run does not
        check(b"hello" not in told.stdout, "another user is answered:", told)
        ctl = harness.succeed("ctl", run, "status", env=harness.environment(XDG_RUNTIME_DIR=place))
        check(b"in flight" in ctl.out, "its own user is not answered:", ctl)
        harness.succeed("ctl", run, "abort", env=harness.environment(XDG_RUNTIME_DIR=place))
        harness.finish(child)


def test_a_full_disk__has_no_socket__and_the_run_goes_on():
    place = scratch("small")
    os.makedirs(place)
    mounted = ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o nr_inodes=2,mode=0700 none {place} && mkdir -m 0700 "
               f"{place}/scrapetop && exec \"$@\"", "sh"]
    tried = subprocess.run([*mounted, "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        raise Skipped(f"no small file system can be mounted here: {tried.stderr.decode().strip()}")
    with harness.api() as server:
        child = harness.start([*mounted, harness.BINARY, "run", "--plain", "-o", scratch("f.run"), f"{server.url}/posts/[1-5]"],
                              env=harness.environment(XDG_RUNTIME_DIR=place), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ended = harness.finish(child)
        check(ended.code == 0 and b"W-CTL1" in ended.err and b"no space left" in ended.err.lower(), ended)


if __name__ == "__main__":
    harness.main(globals())
