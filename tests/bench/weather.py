"""scrapetop with its defaults beside a plain script and curl, in weather of many kinds (tests/weather).

    weather.py [--quick] [--json FILE] [--list] [--keep DIRECTORY] [NAME...]

A row is green when scrapetop takes at most 1.1 times the wall of the better peer and is refused no more often, loses
nothing, sends nothing before a named deadline, ends with the right exit code, and names the cause. The better peer
is the faster of those that got all that could be had. Weathers run one after the other, each peer on a server of its
own.
"""

import argparse
import json
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "weather")]

import verdict  # noqa: E402
import weathers  # noqa: E402

QUICK = ["six-502", "first-ten-500", "endpoint-broken", "bucket-80", "bucket-80-told", "nginx-50", "page-error-once",
         "token-ends", "window-1s", "at-once-4", "host-refuses", "cut", "html-for-all", "tls-self-signed"]


def main():
    options = argparse.ArgumentParser(prog="scripts/bench weather")
    options.add_argument("names", nargs="*", metavar="NAME")
    options.add_argument("--quick", action="store_true", help="fewer weathers")
    options.add_argument("--list", action="store_true", help="print their names and what they are")
    options.add_argument("--json", metavar="FILE", help="write the figures, a JSON object a line")
    options.add_argument("--keep", metavar="DIRECTORY", help="keep what each peer left, in a new directory")
    asked = options.parse_args()
    if asked.list:
        for weather in weathers.ALL:
            print(f"{weather.name:16} {weather.what}")
        return
    names = asked.names or (QUICK if asked.quick else [w.name for w in weathers.ALL])
    chosen = [weathers.named(name) for name in names]
    binary = os.environ["SCRAPETOP"]
    packages = os.path.join(HERE, "..", "..", "build", "bench_express")
    began, green, skipped = time.monotonic(), 0, 0
    print(verdict.head(), flush=True)
    with tempfile.TemporaryDirectory(prefix="scrapetop-weather-") as scratch:
        scratch = os.path.abspath(asked.keep or scratch)
        os.makedirs(scratch, exist_ok=True)
        os.chmod(scratch, 0o755)  # nginx's workers are nobody's
        lines = open(asked.json, "w", encoding="utf-8") if asked.json else None
        for weather in chosen:
            row = verdict.measure(weather, os.path.join(scratch, weather.name), binary, packages)
            print(row.text(), flush=True)
            green += row.is_green
            skipped += bool(row.missing)
            if lines:
                lines.write(json.dumps(row.figures()) + "\n")
                lines.flush()
    print(f"{green} of {len(chosen) - skipped} are green, {skipped} skipped, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
