"""`run --shard I/N`: shards of one plan beside the run of the whole: the same tables, byte for byte, each request once; a run
stays the shard that it began as."""

import http.server
import json
import os
import re
import threading

import harness
from harness import check, check_equal, scratch

CATEGORIES = 7
PAGE = 3


class Shop(http.server.BaseHTTPRequestHandler):
    """Categories of pages of items; some items stand in two of them, so that two shards find them."""

    protocol_version = "HTTP/1.1"
    asked = []

    @staticmethod
    def items_of(category):
        return [category * 10 + n for n in range(4 + category)] + [(category + 3) % CATEGORIES * 10, 500]

    def answer(self):
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[0] == "list":
            category, page = int(parts[1]), int(self.path.split("page=")[1])
            items = self.items_of(category)
            return {"total": len(items),
                    "items": [{"id": i, "of": category} for i in items[(page - 1) * PAGE:page * PAGE]]}
        return {"id": int(parts[1]), "name": f"item {parts[1]}", "price": int(parts[1]) * 7 % 13}

    def do_GET(self):
        self.asked.append(self.path)
        body = json.dumps(self.answer()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def shop():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


def write_job(base, name="shop"):
    path = scratch(f"{name}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": name, "base": base, "vars": {"c": [str(n) for n in range(CATEGORIES)]},
                   "endpoints": [{"name": "listed", "url": "/list/{c}", "records": "/items",
                                  "pages": {"param": "page", "total": "/total", "size": PAGE}},
                                 {"name": "items", "url": "/item/{listed.id}"}]}, file)
    return path


def run(job, run_dir, *options, code=0, env=None):
    return harness.succeed("run", "--plain", "-o", scratch(run_dir), *options, job, code=code,
                           env=harness.environment(**(env or {})))


def table(name, *runs):
    path = scratch(name)
    ended = harness.succeed("normalise", "--endpoint", name.split(".")[1], "-o", path, *(scratch(r) for r in runs))
    return harness.read(path), ended


def test_tables_of_all_shards__are_those_of_one_run__pages_and_details_too():
    server, base = shop()
    job = write_job(base)
    run(job, "solo.run")
    solo = list(Shop.asked)
    Shop.asked.clear()
    shards = [f"s{i}.run" for i in (1, 2, 3)]
    for i, name in enumerate(shards):
        run(job, name, "--shard", f"{i + 1}/3")
    own = [path for path in Shop.asked if path.startswith("/list/")]
    check_equal(sorted(own), sorted(p for p in solo if p.startswith("/list/")), "pages that the shards asked for")
    for endpoint in ("listed", "items"):
        for ending in ("csv", "jsonl", "parquet"):
            want, _ = table(f"solo.{endpoint}.{ending}", "solo.run")
            got, ended = table(f"all.{endpoint}.{ending}", *reversed(shards))
            check(got == want, endpoint, ending, "differs from the solo run's", got[:300], want[:300])
            check(b"in another of these runs" not in ended.err and b"W-SHARD1" not in ended.err, ended)
    found = harness.ledger(scratch("s2.run"), "SELECT min(id),max(id) FROM request WHERE id<=7")
    check_equal(found, [(2, 5)], "ids of the plan that are of shard 2/3")
    status = json.loads(harness.succeed("status", "--json", scratch("s1.run")).out)
    check_equal(status["requests"], status["ok"], "requests of the shard that `status` tells")
    ended = table("two.items.csv", *shards[:2])[1]
    check(b"W-SHARD1" in ended.err and b"shard 3/3 is not among these runs" in ended.err, ended)
    harness.succeed("verify", *(scratch(s) for s in shards[:1]))
    server.shutdown()


def test_a_run__stays_its_shard__when_it_goes_on():
    with harness.api() as api:
        url = f"{api.url}/posts/[1-20]"
        run(url, "part.run", "--shard", "2/4", "--max-requests", "2", "-c", "1", code=4)
        for options, words in ((["--shard", "1/4"], b"holds shard 2/4 of this job, not 1/4"),
                               (["--shard", "2/5"], b"holds shard 2/4 of this job, not 2/5"),
                               ([], b"holds shard 2/4 of this job, not the whole plan")):
            ended = run(url, "part.run", *options, code=2)
            check(b"E-SHARD3" in ended.err and words in ended.err, options, ended)
        ended = harness.succeed("run", "--plain", "-o", scratch("part.run"), "--shard", "3/4", code=2)
        check(b"E-SHARD3" in ended.err and b"this run is of shard 2/4, not of 3/4" in ended.err, ended)
        harness.succeed("run", "--plain", "-o", scratch("part.run"), "--max-requests", "0")
        check_equal([i for i, in harness.ledger(scratch("part.run"), "SELECT id FROM request ORDER BY id")],
                    [2, 6, 10, 14, 18], "ids of shard 2/4")
        asked = sorted(a.path for a in api.asked())
        check_equal(asked, sorted(f"/posts/{n}" for n in (2, 6, 10, 14, 18)), "what was asked, each once")


def test_a_killed_shard__goes_on_where_it_stopped():
    with harness.api("--latency", "20ms") as api:
        url, run_dir = f"{api.url}/posts/[1-90]", scratch("killed.run")
        child = harness.scrapetop("run", "--plain", "-o", run_dir, "--shard", "3/3", "-c", "2", url)
        harness.wait_for(lambda: os.path.exists(os.path.join(run_dir, "ledger.db")) and
                         harness.ledger_counts(run_dir).get(1, 0) >= 5, "some rows")
        child.kill()
        child.wait()
        harness.succeed("run", "--plain", "-o", run_dir, "--shard", "3/3", url)
        check_equal([i for i, in harness.ledger(run_dir, "SELECT id FROM request WHERE state=1 ORDER BY id")],
                    list(range(3, 91, 3)), "ids of shard 3/3")


def test_the_default_directory__says_which_shard_it_is():
    with harness.api() as api:
        job = scratch("named.json")
        with open(job, "w", encoding="utf-8") as file:
            json.dump({"name": "named", "base": api.url, "vars": {"n": "[1-6]"},
                       "endpoints": [{"name": "posts", "url": "/posts/{n}"}]}, file)
        for env, options in (({"SCRAPETOP_SHARD": "1/3"}, []),
                             ({"JOB_COMPLETION_INDEX": "1", "SCRAPETOP_SHARDS": "3"}, ["--shard", "k8s"]),
                             ({"SLURM_ARRAY_TASK_ID": "14", "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_MAX": "14",
                               "SLURM_ARRAY_TASK_COUNT": "3"}, ["--shard", "slurm"])):
            harness.succeed("run", "--plain", *options, job, env=harness.environment(**env))
        for i in (1, 2, 3):
            check_equal([n for n, in harness.ledger(scratch(f"named-00{i}-of-003.run"), "SELECT id FROM request")],
                        [i, i + 3], f"ids of shard {i}/3")


def test_dry_run__prints_the_shard_only__and_bad_words_are_told():
    ended = harness.succeed("run", "-n", "--shard", "2/3", "http://127.0.0.1:9/[1-7]")
    check_equal(ended.out.split(b"\n")[:-1], [b"GET http://127.0.0.1:9/2", b"GET http://127.0.0.1:9/5"], "dry run")
    for options, env, words in (
            (["--shard", "4/3"], {}, b'E-SHARD1]: --shard: "4/3" is no shard'),
            (["--shard", "0/3"], {}, b"E-SHARD1"), (["--shard", "3"], {}, b"E-SHARD1"), (["--shard", "-1/3"], {}, b"E-SHARD1"),
            ([], {"SCRAPETOP_SHARD": "x"}, b"E-SHARD1]: SCRAPETOP_SHARD"),
            (["--shard", "k8s"], {}, b"SCRAPETOP_SHARDS is not set"),
            (["--shard", "k8s"], {"SCRAPETOP_SHARDS": "2", "JOB_COMPLETION_INDEX": "2"}, b'JOB_COMPLETION_INDEX is "2"'),
            (["--shard", "slurm"], {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "9",
                                    "SLURM_ARRAY_TASK_COUNT": "3"}, b"has gaps"),
            (["--shard", "1/2", "--every", "1s"], {}, b"asks it again and again"),
            (["--shard", "1/8"], {}, b"E-SHARD2")):
        ended = harness.succeed("run", "--plain", "-o", scratch("none.run"), *options, "http://127.0.0.1:9/[1-7]", code=2,
                                env=harness.environment(**env))
        check(words in ended.err, options, env, "want", words, "in", ended)
        check(not os.path.exists(os.path.join(scratch("none.run"), "job.json")), "a run was begun")


def test_the_manifest__runs_each_index_as_a_shard():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "assets", "kubernetes", "indexed-job.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    number = {name: int(re.search(rf"^ *{name}: (\d+)$", text, re.M)[1]) for name in ("completions", "parallelism")}
    shards = int(re.search(r'name: SCRAPETOP_SHARDS, value: "(\d+)"', text)[1])
    check_equal(number, {"completions": shards, "parallelism": shards}, "numbers of the manifest")
    arguments = [word.strip('"') for word in re.search(r"args: \[(.*)\]", text)[1].split(", ")]
    with harness.api() as api:
        job = scratch("job.json")
        with open(job, "w", encoding="utf-8") as file:
            json.dump({"name": "job", "base": api.url, "vars": {"n": "[1-20]"},
                       "endpoints": [{"name": "posts", "url": "/posts/{n}"}]}, file)
        check_equal(arguments[-1], "/job/job.json", "last argument")
        for index in (0, shards - 1):
            harness.succeed(*arguments[:-1], job,
                            env=harness.environment(SCRAPETOP_SHARDS=str(shards), JOB_COMPLETION_INDEX=str(index)))
        for i in (1, shards):
            rows = harness.ledger(scratch(f"job-{i:03}-of-{shards:03}.run"), "SELECT id FROM request")
            check_equal([n for n, in rows], list(range(i, 21, shards)), f"ids of shard {i}")


if __name__ == "__main__":
    harness.main(globals())
