"""One weather, all peers in turn, and what is to be said of it."""

import dataclasses
import os
import random
import re
import subprocess

import peers
import servers

CAP_S = 120  # nobody runs for longer
ROOM, ROOM_S = 1.1, 1.0  # what scrapetop may take: so many times the better peer, and so much for a short run
REFUSED_ROOM = 0.01  # of the URLs


@dataclasses.dataclass
class Row:
    weather: object
    results: list
    faults: list
    better: object = None
    missing: str = ""

    @property
    def is_green(self):
        return not self.faults and not self.missing

    def figures(self):
        return {"weather": self.weather.name, "faults": self.faults, "missing": self.missing,
                "results": [{k: v for k, v in dataclasses.asdict(r).items() if k != "words"} for r in self.results]}

    def text(self):
        name = f"{self.weather.name:16}"
        if self.missing:
            return f"{name} skipped: {self.missing}"
        them = {result.peer: result for result in self.results}
        ours = them["scrapetop"]
        cells = [name, f"{self.weather.count:5}"]
        for peer in ("script", "curl", "scrapetop"):
            cells.append(cell(them.get(peer)))
        cells.append(f"{ours.code:4}")
        cells.append("green" if self.is_green else "RED: " + ", ".join(self.faults))
        return " ".join(cells)


def cell(result):
    if not result:
        return f"{'-':>28}"
    wall = (">" if result.is_running else "") + f"{result.wall_s:.1f}"
    refused = "-" if result.refused is None else result.refused
    early = "-" if result.early is None else result.early
    return f"{wall:>6} {result.right:5} {result.lost:5} {refused:>5} {early:>3}"


def head():
    peer = f"{'wall s':>6} {'ok':>5} {'lost':>5} {'ref.':>5} {'ear':>3}"
    return (f"{'':22} {'plain script':^28} {'curl -Z --retry':^28} {'scrapetop':^28}\n"
            f"{'weather':16} {'URLs':>5} {peer} {peer} {peer} exit verdict")


def backoff_s(count):
    """19 in 20 times the longest of so many sums of five waits with full jitter is over by then."""
    if count == 0:
        return 0
    luck = random.Random(1)
    worst = sorted(max(sum(luck.uniform(0, 2**n) for n in range(5)) for _ in range(count)) for _ in range(400))
    return worst[int(len(worst) * 0.95)]


def better_of(weather, others):
    """The faster of those that got what there is, or all but one in a hundred; None when peers are no measure."""
    if weather.bound_s:
        return None
    able = [r for r in others if not r.is_running and r.right >= 0.99 * weather.wanted and r.right and not r.lost]
    return min(able, key=lambda r: r.wall_s, default=None)


def is_known(binary, options):
    """False when this binary has not learnt an option yet."""
    said = subprocess.run([binary, "run", "--help"], capture_output=True, text=True, check=False).stdout
    return all(option in said for option in options if option.startswith("--"))


def faults_of(weather, ours, better, room=ROOM, room_s=ROOM_S):
    faults = []
    if ours.is_running:
        faults.append(f"still running, {ours.right} ok")
    if better:
        allowed_s = max(room * better.wall_s, backoff_s(weather.dying)) + room_s
        if ours.wall_s > allowed_s and not ours.is_running:
            faults.append(f"slower {ours.wall_s / better.wall_s:.1f}x")
        if better.refused is not None and ours.refused > better.refused * room / ROOM + REFUSED_ROOM * weather.count:
            faults.append(f"refused {ours.refused}, not {better.refused}")
        if better.early is not None and ours.early > better.early:
            faults.append(f"{ours.early} early")
    if weather.bound_s and ours.wall_s > weather.bound_s + room_s and not ours.is_running:
        faults.append(f"{ours.wall_s:.0f} s, not {weather.bound_s:.0f}")
    if ours.early and not (better and better.early is not None):
        faults.append(f"{ours.early} early")
    if weather.refused_most and ours.refused > weather.refused_most * ours.requests:
        faults.append(f"refused {100 * ours.refused / ours.requests:.1f} %")
    sent = max(ours.requests or 0, ours.connections or 0)
    if weather.sent_most and sent > weather.sent_most:
        faults.append(f"sent {sent}, not {weather.sent_most}")
    if ours.right < weather.wanted and not ours.is_running:
        faults.append(f"ok {ours.right}, not {weather.wanted}")
    if ours.lost:
        faults.append(f"lost {ours.lost}")
    if ours.code not in weather.exits and not ours.is_running:
        faults.append(f"exit {ours.code}")
    if weather.cause and not re.search(weather.cause, ours.words):
        faults.append("cause not named")
    return faults


def cap_for(name, weather, before):
    """Who cannot be the better one any more need not be waited for."""
    done = better_of(weather, before)
    if name == "scrapetop":
        at_most_s = max(done.wall_s, backoff_s(weather.dying)) if done else weather.bound_s or 20
        return min(CAP_S, 2 * at_most_s + 10)
    if weather.bound_s:
        return 20
    return done.wall_s + 2 if done else 60


def measure(weather, directory, binary, packages, names=("script", "curl", "scrapetop"), **room):
    """packages: where express is, or may be installed. room, room_s: other bounds than ROOM and ROOM_S."""
    os.makedirs(directory)
    if not is_known(binary, weather.options):
        weather = dataclasses.replace(weather, options=())
    results = []
    for name, maker in peers.all_of(binary):
        if name not in names or (name == "curl" and not peers.curl_can(weather)):
            continue
        try:
            with servers.running(weather, os.path.join(directory, f"{name}-server"), binary, packages) as server:
                peer = maker(os.path.join(directory, name), weather, server.hosts)
                result = peer.run(cap_for(name, weather, results))
                counted = server.counted()
        except servers.Missing as why:
            return Row(weather, [], [], missing=str(why))
        for what in ("requests", "refused", "early", "most_in_flight", "connections"):
            setattr(result, what, counted.get(what))
        results.append(result)
    ours = results[-1]
    better = better_of(weather, results[:-1])
    return Row(weather, results, faults_of(weather, ours, better, **room), better)
