"""The schema of job files says what the reader says.

usage: test_schema.py SCRAPETOP SOURCE_ROOT
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("SKIPPED: python3-jsonschema is not installed")
    sys.exit(77)

ENVIRONMENT = {"EMAIL": "me@example.org", "PASSWORD": "a-pass-word", "GITHUB_TOKEN": "a-tok-en"}

ENDPOINT = {"name": "a", "url": "https://h.example/"}

# What is wrong in a way that a schema can tell.
BAD = [
    {},
    {"endpoints": []},
    {"endpoints": [{}]},
    {"endpoints": [dict(ENDPOINT, concurency=1)]},
    {"endpoints": [dict(ENDPOINT, records="items")]},
    {"endpoints": [dict(ENDPOINT, method="HEAD")]},
    {"endpoints": [dict(ENDPOINT, pages="offset")]},
    {"endpoints": [dict(ENDPOINT, pages={"param": "p", "size": 0})]},
    {"endpoints": [dict(ENDPOINT, pages={"param": "p", "total": "total"})]},
    {"endpoints": [ENDPOINT], "pace": {"cap": 0}},
    {"endpoints": [ENDPOINT], "pace": {"auto": "yes"}},
    {"endpoints": [ENDPOINT], "retry": {"statuses": [200]}},
    {"endpoints": [ENDPOINT], "retry": {"statuses": ["403"]}},
    {"endpoints": [ENDPOINT], "answers": {"status": 404, "do": "empty"}},
    {"endpoints": [ENDPOINT], "answers": [{"do": "empty"}]},
    {"endpoints": [ENDPOINT], "answers": [{"status": 404}]},
    {"endpoints": [ENDPOINT], "answers": [{"status": 404, "do": "skip"}]},
    {"endpoints": [ENDPOINT], "answers": [{"status": 1000, "do": "ok"}]},
    {"endpoints": [ENDPOINT], "answers": [{"at": "error", "do": "ok"}]},
    {"endpoints": [ENDPOINT], "answers": [{"status": 202, "do": "again", "url": "Location"}]},
    {"endpoints": [ENDPOINT], "login": {}},
    {"endpoints": [ENDPOINT], "login": {"bearer": "aaaa", "basic": {"user": "a", "password": "b"}}},
    {"endpoints": [ENDPOINT], "vars": {"id": []}},
    {"endpoints": [ENDPOINT], "vars": {"id": 7}},
    {"endpoints": [ENDPOINT], "output": "xml"},
    {"endpoints": [ENDPOINT], "count": 3},
    {"endpoints": [ENDPOINT], "tables": {"a": {"unique": "id"}}},
    {"endpoints": [ENDPOINT], "base": "example.org"},
]

GOOD = [
    {"endpoints": [dict(ENDPOINT, answers=[{"status": [404, "5xx", "400-402"], "do": "empty"}])],
     "answers": [{"at": "/error/code", "is": ["a", 1, True, None], "do": "hold", "wait": "/wait",
                  "unit": "ms"},
                 {"status": 202, "do": "again", "wait": "header:Retry-After", "for": "1h",
                  "url": "header:Location", "then": "/url"},
                 {"header": "X-A", "matches": "^a", "do": "stop"},
                 {"body": ["html", "empty"], "do": "retry", "wait": 2.5},
                 {"at": "", "absent": True, "do": "login"}]},
    {"endpoints": [ENDPOINT], "retry": {"statuses": ["+403", "-500"]}},
    {"endpoints": [ENDPOINT], "retry": {"statuses": [403, "-429"]}},
    {"$schema": "x", "endpoints": [{"url": "https://h.example/"}]},
    {"endpoints": [dict(ENDPOINT, json={"a": "{id}"}, pages={"cursor": "/c", "param": "/a"})],
     "vars": {"id": "[1-9]", "d": {"from": "2026-01-01", "to": "2026-02-01", "step": "1month"}}},
    {"endpoints": [dict(ENDPOINT, records="", pages={"kind": "auto", "max": 7})],
     "pace": {"rate": 5}, "network": {"max_body": "64M", "max_time": 30}, "output": ["csv"],
     "every": 30, "until": "2030-01-01T00:00:00Z"},
    {"endpoints": [ENDPOINT], "login": {"key": "${EMAIL}", "header": "X-Api-Key"},
     "tables": {"a": {"unique": ["id"], "columns": {"x": "/x"}}}},
]


def without_comments(text):
    return re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda m: m.group(1) or " ", text,
                  flags=re.DOTALL)


def main(program, root):
    schema = json.loads(subprocess.run([program, "--man", "schema"], stdout=subprocess.PIPE, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    environment = dict(os.environ, **ENVIRONMENT)
    faults = []

    def reads(path):
        done = subprocess.run([program, "run", "--dry-run", path], env=environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return done.returncode == 0, done.stderr

    # Endings: the schema has those that the program's manual lists, and no others.
    manual = subprocess.run([program, "--man", "formats"], stdout=subprocess.PIPE, text=True, check=True).stdout
    listed = [line.split()[1:] for line in manual.splitlines() if line.startswith(".B ")]
    endings = [ending.strip(".,") for line in listed for ending in line]
    packings = [e for e in endings if e in ("gz", "zst")]
    formats = [e for e in endings if e not in packings]
    known = schema["definitions"]["ending"]["enum"]
    unpacked = [e for e in known if "." not in e]
    if sorted(unpacked) != sorted(formats) or any(e.split(".")[1] not in packings for e in known if "." in e):
        faults.append(f"endings: the schema has {known}, the program {endings}")
    GOOD.extend({"endpoints": [ENDPOINT], "output": [e]} for e in known)
    BAD.extend({"endpoints": [ENDPOINT], "output": [f"{f}.{p}"]} for f in formats for p in packings
               if f"{f}.{p}" not in known)

    samples = sorted((root / "assets/jobs").glob("*.json"))
    for path in samples:
        for error in validator.iter_errors(json.loads(without_comments(path.read_text()))):
            faults.append(f"{path.name}: {error.message}")
        good, said = reads(path)
        if not good:
            faults.append(f"{path.name}: the program refuses it: {said}")
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "job.json"
        for job, want in [(job, True) for job in GOOD] + [(job, False) for job in BAD]:
            file.write_text(json.dumps(job))
            if validator.is_valid(job) != want:
                faults.append(f"the schema says {not want}: {job}")
            if reads(file)[0] != want:
                faults.append(f"the program says {not want}: {job}")
        # What a run keeps is a job file, too: nobody answers here, and it is written all the same.
        for path in [root / "assets/jobs" / name for name in ("catalog.json", "link.json")]:
            run = pathlib.Path(directory) / (path.stem + ".run")
            subprocess.run([program, "run", "--plain", "--retries", "0", "--base",
                            "http://127.0.0.1:1", "-o", run, path],
                           env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=60)
            text = (run / "job.json").read_text()
            for error in validator.iter_errors(json.loads(text)):
                faults.append(f"{run.name}/job.json: {error.message}")
            faults += [f"{run.name}/job.json holds a secret" for secret in ENVIRONMENT.values()
                       if secret in text]
    print("\n".join(faults) or f"{len(samples)} samples, {len(GOOD)} good jobs, {len(BAD)} bad ones")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
