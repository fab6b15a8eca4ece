"""Programs that cannot be asked for port 0: a port that was free a moment ago has to do. And ports where nobody is."""

import contextlib
import socket

import harness

TRIES = 5  # another process may take a port before the program does


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


HELD = []


def mute_port():
    """At which nobody listens: it is kept from others as long as the test lives."""
    held = socket.socket()
    held.bind(("", 0))
    HELD.append(held)
    return held.getsockname()[1]


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def started(make):
    """The port at which the program that make(port) has begun listens."""
    for _ in range(TRIES):
        port = free_port()
        child = make(port)
        if harness.wait_for(lambda: is_open(port) or child.poll() is not None, "a server") is True:
            return port
    raise harness.Failed(f"it does not start: {child.args}")
