"""A PostgreSQL server of a test's own, on a Unix socket; as another user where we are root, whom PostgreSQL refuses."""

import glob
import json
import os
import pwd
import signal
import subprocess

import harness
from harness import check_equal


class Postgres:
    """Made and started in a directory, which it may leave behind; `options` are the server's."""

    def __init__(self, place, *options, access="trust"):
        tools = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not tools:
            raise harness.Skipped("PostgreSQL is missing: scripts/deps --test")
        self.tools = os.path.dirname(tools[-1])
        self.place = place
        self.options = options
        os.makedirs(self.place)
        self.user = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.place, nobody.pw_uid, nobody.pw_gid)
            os.chmod(os.path.dirname(self.place), 0o755)
        self.data = os.path.join(self.place, "data")
        subprocess.run([self.tools + "/initdb", "-D", self.data, "-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8",
                        "--locale=C"], check=True, stdout=subprocess.DEVNULL, cwd="/", **self.user)
        if access != "trust":
            with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as file:
                file.write(f"local all tester trust\nlocal all all {access}\n")
        self.start()

    def start(self):
        self.server = subprocess.Popen(
            [self.tools + "/postgres", "-D", self.data, "-k", self.place, "-h", "", "-F", "-c", "timezone=America/New_York",
             *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self.user)
        harness.wait_for(lambda: self.run("SELECT 1").returncode == 0, "PostgreSQL")

    def stop(self, how=signal.SIGINT):
        """Without waiting for those who are connected; SIGQUIT: nor for what is not written, as nobody reads it again."""
        if self.server.poll() is None:
            self.server.send_signal(how)
        self.server.wait()

    def signal(self, number):
        """To all its processes, the one that makes others first."""
        os.kill(self.server.pid, number)
        with open(f"/proc/{self.server.pid}/task/{self.server.pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                os.kill(int(child), number)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGQUIT)

    def url(self, database="postgres", user="tester", more=""):
        return f"postgresql://{user}@/{database}?host={self.place}{more}"

    def psql(self, *words, database="postgres", **options):
        return subprocess.run(["psql", "-X", "-h", self.place, "-U", "tester", database, *words], capture_output=True,
                              check=False, env={**os.environ, "PGOPTIONS": "", "PGCLIENTENCODING": "UTF8"}, **options)

    def run(self, sql, database="postgres"):
        return self.psql("-At", "-c", sql, database=database)

    def rows(self, sql, database="postgres"):
        """Each row as JSON."""
        ended = self.run(f"SELECT row_to_json(it) FROM ({sql}) AS it", database)
        check_equal(ended.returncode, 0, f"{sql}: {ended.stderr.decode()}")
        return [json.loads(line) for line in ended.stdout.decode().splitlines()]
