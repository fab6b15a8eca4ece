"""`promtool check metrics` reads what --metrics serves, where there is one (PROMTOOL, or in the PATH)."""

import os
import shutil
import subprocess

import harness
from harness import Skipped, check_equal
from test_monitor import metrics_file


def test_promtool__finds_nothing():
    tool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if not tool:
        raise Skipped("there is no promtool (apt install prometheus); e2e_monitor has its rules")
    told = subprocess.run([tool, "check", "metrics"], input=metrics_file(60).encode(), capture_output=True, check=False)
    check_equal((told.returncode, told.stdout, told.stderr), (0, b"", b""), "promtool check metrics")


if __name__ == "__main__":
    harness.main(globals())
