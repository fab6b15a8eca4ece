"""Every format of `normalise` against the others: JSON Lines and JSON value by value beside CSV and the input, packed
files beside plain ones, several of one reading beside each alone, and none of them different for more workers.
"""

import csv
import gzip
import io
import json
import os
import random
import shutil
import subprocess
import zlib

import harness
from harness import check, check_equal, scratch
from jobs import Number, parse

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "tables")
PLAIN = ["csv", "tsv", "parquet", "jsonl", "json"]
PACKED = [f"{ending}.{packing}" for ending in ("csv", "tsv", "jsonl", "ndjson", "json") for packing in ("gz", "zst")]
SHAPES = [[], ["--max-depth", "0"], ["--meta"]]


def cell_of(value):
    """What CSV shows for a value of a JSON row; None is an empty cell."""
    if value is None or isinstance(value, (Number, str)):
        return value
    return "true" if value is True else "false" if value is False else value


def check_agrees(name, table, rows):
    """CSV tells the empty string from none by its quotes, which csv does not show: both are "" here."""
    lines = list(csv.reader(io.StringIO(table, newline="")))
    if not rows and not lines:
        return 0
    names = lines[0] if lines else []
    check_equal(len(rows), max(len(lines) - 1, len(rows) if not names else 0), f"rows of {name}")
    for row, line in zip(rows, lines[1:]):
        check_equal(list(row), names, f"columns of {name}")
        line = line or [""]  # a line without a cell in a table of one column
        for column, cell in zip(names, line):
            want = cell_of(row[column])
            if isinstance(want, (list, dict)):
                check(parse(cell.replace("\\ud800", "\\ufffd")) == want, f"{name}: {column}:", cell, want)
            else:
                check_equal(cell, want or "", f"{name}: {column}")
    return len(rows)


def goldens():
    for name in sorted(os.listdir(GOLDEN)):
        stem, ending = os.path.splitext(name)
        if ending in (".json", ".jsonl"):
            pointer = os.path.join(GOLDEN, stem + ".records")
            records = ["--records", harness.read(pointer).decode().strip()] if os.path.exists(pointer) else []
            yield os.path.join(GOLDEN, name), records


def outputs(name, endings):
    return [scratch(f"{name}.{ending}") for ending in endings]


def options(paths):
    return [word for path in paths for word in ("-o", path)]


def test_json__has_the_values_of_csv_and_of_the_input__in_every_shape():
    rows = 0
    for path, records in goldens():
        for shape in SHAPES:
            table, lines, array = outputs("g", ("csv", "jsonl", "json"))
            harness.succeed("normalise", *records, *shape, *options([table, lines, array]), path)
            text = harness.read(lines).decode("utf-8")
            got = [parse(line) for line in text.split("\n")[:-1]]
            check(not text or text.endswith("\n"), f"{path}: the last line is cut")
            check_equal(parse(harness.read(array)), got, f"{path}: array and lines")
            rows += check_agrees(path, harness.read(table).decode("utf-8"), got)
    check(rows > 50, "too few rows were compared:", rows)


ODD = [
    ('{"a":1e400,"b":-0,"c":12345678901234567890.10,"d":0.1e-7}', {"a": "1e400", "b": "-0", "c": "12345678901234567890.10",
                                                                 "d": "0.1e-7"}),
    ('{"a":"\\u0000\\u001f\\"\\\\\\/\\b\\f\\n\\r\\t","b":"\u2028\\ud83d\\ude00é"}',
     {"a": "\0\x1f\"\\/\b\f\n\r\t", "b": "\u2028\U0001f600é"}),
    ('{"a":"\\ud800","b":"x\\udc00\\ud800y","c":["\\uD83D",{"k":"\\uDE00\\\\ud800"}]}',
     {"a": "\ufffd", "b": "x\ufffd\ufffdy", "c": ["\ufffd", {"k": "\ufffd\\ud800"}]}),
    ('{"a":null,"b":[ ],"c":{ },"d":[ 1 , {"e" : null} ],"f":true}', {"a": None, "b": [], "d": ["1", {"e": None}],
                                                                      "f": True}),
    ('{"é\\"\\n":1,"":2,"a.b":3,"a":{"b":4}}', {"é\"\n": "1", "": "2", "a.b": "3", "a.b_2": "4"}),
    ('[1,"x",[2]]', [{"value": "1"}, {"value": "x"}, {"value": ["2"]}]),
    ("[{},{}]", [{}, {}]),
    ("[]", []),
]


def test_json__keeps_what_is_odd__as_it_was():
    for text, want in ODD:
        path = scratch("odd.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        lines, array = outputs("o", ("jsonl", "json"))
        harness.succeed("normalise", *options([lines, array]), path)
        want = want if isinstance(want, list) else [want]
        check_equal([parse(line) for line in harness.read(lines).decode().split("\n")[:-1]], want, text)
        check_equal(parse(harness.read(array)), want, text)
    name = 'a"b\\c\n\u00e9.json'
    with open(scratch(name), "w", encoding="utf-8") as file:
        file.write('{"x":1}')
    got = parse(harness.succeed("normalise", "--meta", "--format", "jsonl", scratch(name)).out)
    check_equal(got["_source_file"], scratch(name), "a file's name that JSON must escape")
    table = harness.succeed("normalise", "--meta", scratch(name)).out.decode()
    check_equal(list(csv.DictReader(io.StringIO(table, newline="")))[0]["_source_file"], scratch(name), "in CSV")


def records_file(name, count, seed):
    """Records of many kinds, of some megabytes: enough for several chunks and blocks."""
    random.seed(seed)
    path = scratch(name)
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            record = {"id": i, "name": f"n{random.randrange(500)}\u00e9\"\n", "price": random.random() * 1e6,
                      "tags": ["a", i % 7], "when": f"2026-0{1 + i % 9}-11T10:00:00Z", "o": {"deep": i % 3 == 0},
                      "maybe": None if i % 5 else "x" * (i % 97)}
            if i % 1000 == 999:
                record["late"] = i
            file.write(json.dumps(record, ensure_ascii=i % 2 == 0) + "\n")
    return path


def unpack(path):
    if path.endswith(".gz"):
        packed = harness.read(path)
        one = zlib.decompressobj(31)
        text = one.decompress(packed) + one.flush()
        check(one.eof and not one.unused_data, f"{path} is more than one gzip member")
        check_equal(gzip.decompress(packed), text, path)
        return text
    return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout


def test_files__are_the_same__whoever_wrote_them_and_however_many_at_once():
    source = records_file("many.jsonl", harness.scaled(20000, 8000), 1)
    packed = [e for e in PACKED if e.endswith("gz") or shutil.which("zstd")]
    check(len(packed) == len(PACKED), "zstd is not installed: apt install zstd")
    want = {}
    for ending in PLAIN:
        (path,) = outputs("alone", (ending,))
        harness.succeed("normalise", "-o", path, source)
        want[ending] = harness.read(path)
    check_equal(len(want["jsonl"].splitlines()), len(parse(want["json"])), "rows")
    for workers in ("1", "3", "6"):  # of them two are for lookups and files
        for options_of in ([], ["--memory", "32M"]):
            paths = outputs(f"w{workers}", PLAIN)
            harness.succeed("normalise", *options_of, *options(paths), source,
                            env=harness.environment(UV_THREADPOOL_SIZE=workers))
            for ending, path in zip(PLAIN, paths):
                if ending != "parquet" or not options_of:
                    check(harness.read(path) == want[ending], f"{path} differs with {workers} workers {options_of}")
    bytes_of = {}
    for workers in ("1", "6"):
        for first in range(0, len(packed), 8):
            paths = outputs(f"p{workers}", packed[first:first + 8])
            harness.succeed("normalise", *options(paths), source, env=harness.environment(UV_THREADPOOL_SIZE=workers))
            for ending, path in zip(packed[first:first + 8], paths):
                check(unpack(path) == want[ending.split(".")[0].replace("ndjson", "jsonl")], f"{path} says something else")
                check(bytes_of.setdefault(ending, harness.read(path)) == harness.read(path), f"{path} differs by workers")
                check(os.path.getsize(path) * 2 < len(want[ending.split(".")[0].replace("ndjson", "jsonl")]), f"{path} is hardly packed")


def test_explode__repeats_the_record__in_json_as_in_csv():
    path = scratch("x.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"a": f"r{i}\ud800" if i % 3 == 0 else f"r{i}", "b": i, "items": [{"n": n} for n in range(i % 5)]}
                   for i in range(200)], file)
    table, lines = outputs("x", ("csv", "jsonl"))
    harness.succeed("normalise", "--explode", "/items", *options([table, lines]), path)
    got = [parse(line) for line in harness.read(lines).decode().split("\n")[:-1]]
    check_equal(len(got), sum(max(1, i % 5) for i in range(200)), "rows")
    check_agrees("explode", harness.read(table).decode(), got)


def test_report__names_each_file__of_several():
    path = scratch("r.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"a":1}')
    table, lines = outputs("r", ("csv", "jsonl"))
    report = harness.succeed("normalise", "--json", *options([table, lines]), path).report()
    check_equal(report["files"], [{"path": table, "format": "csv", "bytes": 4},
                                  {"path": lines, "format": "jsonl", "bytes": 8}], "files")
    check_equal((report["output"], report["bytes_out"]), (table, 12), "output")
    for arguments, words in ((["-o", table, "-o", table], b"written twice"), (["-o", scratch("a.csv"), "--format", "json"],
                                                                              b"the name says csv, not json"),
                             (["--format", "xml"], b"there is no format"), (["-o", scratch("a.parquet.gz")], b"leave out .gz"),
                             (["-o", scratch("a.gz")], b".jsonl, .ndjson")):
        ended = harness.run("normalise", *arguments, path)
        check(ended.code == 2 and b"E-ARG1" in ended.err and words in ended.err, arguments, ended)
    # One of several that cannot be made is told, and nothing is left half made.
    os.makedirs(scratch("taken.csv"), exist_ok=True)
    ended = harness.run("normalise", "-o", scratch("fine.jsonl"), "-o", scratch("taken.csv/"), path)
    check(ended.code != 0 and not os.path.exists(scratch("fine.jsonl")), "half of the files:", ended)


def test_run__writes_every_format__of_option_and_job():
    with harness.api() as api:
        paths = outputs("run", ("jsonl", "csv.gz", "parquet"))
        ended = harness.succeed("run", "--plain", "--json", "-o", scratch("to.run"), "--csv", scratch("run.csv"),
                                *[w for p in paths for w in ("--to", p)], f"{api.url}/posts/[1-20]")
        report = ended.report()
        check_equal((report["csv"], report["jsonl"], report["parquet"], report["json"]),
                    (scratch("run.csv"), paths[0], paths[2], None), "paths in the report")
        rows = [parse(line) for line in harness.read(paths[0]).decode().splitlines()]
        check_agrees("run", harness.read(scratch("run.csv")).decode(), rows)
        check_equal(gzip.decompress(harness.read(paths[1])), harness.read(scratch("run.csv")), "csv.gz")
        job = scratch("job.json")
        with open(job, "w", encoding="utf-8") as file:
            json.dump({"name": "j", "base": api.url, "vars": {"i": "[1-5]"}, "output": ["jsonl.gz", "json", "csv"],
                       "endpoints": [{"name": "a", "url": "/posts/{i}"}, {"name": "b", "url": "/posts/{i}?b"}]}, file)
        harness.succeed("run", "--plain", "-o", scratch("j.run"), job)
        for name in "ab":
            rows = parse(harness.read(scratch(f"j.run/{name}.json")))
            lines = gzip.decompress(harness.read(scratch(f"j.run/{name}.jsonl.gz"))).decode().splitlines()
            check_equal([parse(line) for line in lines], rows, name)
            check_equal(check_agrees(name, harness.read(scratch(f"j.run/{name}.csv")).decode(), rows), 5, name)
        ended = harness.run("run", "--dry-run", "--show-config", job)
        check(ended.code == 0 and b"jsonl.gz" in ended.out, "--show-config:", ended)


if __name__ == "__main__":
    harness.main(globals())
