"""What the tests of the control socket share: a run that can be steered while it lives, and `ctl` to steer it."""

import contextlib
import json
import os
import subprocess

import harness
from harness import scratch, wait_for


@contextlib.contextmanager
def live_run(server, urls, *options, name="a.run", **environment):
    """A plain run of posts in the background, once it has its control file, and its directory."""
    run = scratch(name)
    child = harness.scrapetop("run", "--plain", "-o", run, *options, f"{server.url}/posts/[1-{urls}]",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=harness.environment(**environment))
    wait_for(lambda: os.path.exists(os.path.join(run, "control")), "the run's control file")
    yield child, run


def socket_of(run):
    """The path of a live run's socket."""
    return json.loads(harness.read(os.path.join(run, "control")))["socket"]


def ctl(run, *words, code=0):
    return harness.succeed("ctl", run, *words, code=code)
