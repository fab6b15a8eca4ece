"""A run as a service of a real systemd, where one of this user runs; test_control.py has a manager of its own."""

import os
import signal
import subprocess

import harness
from harness import Skipped, check_equal, scratch, wait_for


def test_systemd__restarts_a_service_that_hangs():
    def user(*words):
        return subprocess.run(words, capture_output=True, check=False, text=True,
                              env={**os.environ, "SYSTEMD_COLORS": "0"})

    if user("systemctl", "--user", "show-environment").returncode != 0:
        raise Skipped("no systemd of this user runs here")
    unit = f"scrapetop-test-{os.getpid()}"

    def shown(name):
        return user("systemctl", "--user", "show", "-P", name, unit).stdout.strip()

    with harness.api("--latency", "30ms") as server:
        began = user("systemd-run", "--user", f"--unit={unit}", "-p", "Type=notify", "-p", "WatchdogSec=4", "-p",
                     "Restart=on-failure", "-p", "RestartSec=0", harness.BINARY, "run", "--plain", "-o", scratch("u.run"),
                     "-c", "2", f"{server.url}/posts/[1-600]")
        check_equal(began.returncode, 0, began.stderr)
        try:
            wait_for(lambda: shown("ActiveState") == "active" and "/600" in shown("StatusText"), "it is active")
            os.kill(int(shown("MainPID")), signal.SIGSTOP)
            wait_for(lambda: shown("NRestarts") == "1", "the watchdog restarts it")
            wait_for(lambda: shown("ActiveState") in ("inactive", "failed"), "its end")
        finally:
            user("systemctl", "--user", "stop", unit)
        check_equal(len(list(harness.raw_lines(scratch("u.run")))), 600, "bodies")


if __name__ == "__main__":
    harness.main(globals())
