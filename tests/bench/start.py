"""One URL, from the start of the program to its end, beside curl with a file."""

import tempfile

import fetch_peers
import measure

ROUNDS = 15


def main():
    with measure.serve() as address, tempfile.TemporaryDirectory(prefix="scrapetop-bench-") as scratch:
        load = fetch_peers.Load(scratch, f"{address}/posts/A", 1)
        peers = measure.installed([fetch_peers.scrapetop(load, 1), fetch_peers.curl(load, 1)],
                                  fetch_peers.ABSENT)
        results = measure.rounds(peers, ROUNDS, 1)
    ours = results["scrapetop"]
    print(f"one URL whole, median of {ROUNDS} interleaved rounds")
    measure.table(("client", "version", "wall ms", "CPU ms", "peak RSS MiB", "scrapetop takes"),
                  [(p.name, p.version, f"{r.wall_s * 1000:.1f}", f"{r.cpu_s * 1000:.1f}", f"{r.rss_mib:.0f}",
                    f"{ours.wall_s / r.wall_s:.2f}x") for p in peers for r in [results[p.name]]])


if __name__ == "__main__":
    main()
