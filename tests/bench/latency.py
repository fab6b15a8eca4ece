"""Wall against the ideal, requests x latency / cap, when the server takes its time."""

import tempfile

import fetch_peers
import measure

CASES = [  # requests, latency, cap, rounds
    (100, 0.200, 20, 3),
    (100, 1.000, 100, 3),
    (1000, 0.350, 50, 1),
]


def one_case(requests, latency_s, cap, rounds, scratch):
    ideal_s = requests * latency_s / cap
    with measure.serve("--latency", f"{latency_s * 1000:.0f}ms") as address:
        load = fetch_peers.Load(scratch, f"{address}/posts/A", requests)
        peers = fetch_peers.all_of(load, cap)
        results = measure.rounds(peers, rounds, requests)
    print(f"{requests} requests of {latency_s * 1000:.0f} ms at cap {cap}: "
          f"ideal {ideal_s:.2f} s, median of {rounds}")
    measure.table(("client", "version", "wall s", "of the ideal"),
                  [(p.name, p.version, f"{results[p.name].wall_s:.3f}",
                    f"{results[p.name].wall_s / ideal_s:.3f}") for p in peers])


def main():
    with tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as scratch:
        for case in CASES:
            one_case(*case, scratch)


if __name__ == "__main__":
    main()
