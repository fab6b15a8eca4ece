"""An nginx of a test's own: on free ports, with all of its files in the test's directory."""

import os
import shutil
import subprocess

import harness
from harness import scratch
from ports import free_port, started

TEMP = "".join(f"{kind}_temp_path {{dir}}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
PATH = os.environ["PATH"] + ":/usr/sbin"


class Nginx:
    """`config` is a text for format(): {dir}, {port}, {tls_port}, {temp} (where it may write), and what `values` has."""

    def __init__(self, config, **values):
        if not shutil.which("nginx", path=PATH):
            raise harness.Skipped("nginx is missing: scripts/deps --test")
        self.dir = scratch("nginx")
        os.makedirs(self.dir, exist_ok=True)
        # Workers of an nginx that root starts are nobody's: they must be able to read their files.
        os.chmod(scratch("."), 0o755)

        def make(port):
            self.tls_port = free_port()
            with open(f"{self.dir}/conf", "w", encoding="ascii") as file:
                file.write(config.format(dir=self.dir, port=port, tls_port=self.tls_port, temp=TEMP.format(dir=self.dir),
                                         **values))
            self.child = harness.start(["nginx", "-p", self.dir, "-c", f"{self.dir}/conf", "-e", f"{self.dir}/error.log"],
                                       stderr=subprocess.DEVNULL, env=harness.environment(PATH=PATH))
            return self.child

        self.port = started(make)

    def log(self):
        """The words of each line of its access.log, of requests that have been answered."""
        return [line.split() for line in harness.read(f"{self.dir}/access.log").decode().splitlines()]

    def stop(self):
        """Ends it, so that its log is whole."""
        self.child.terminate()
        self.child.wait()
