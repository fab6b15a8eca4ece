"""Two hundred random documents of each format, asked for in one run each: the rows are those that were written down by
Python's own libraries, cell by cell. The seed is fixed."""

import csv
import gzip
import io
import json
import random
import shutil
import subprocess

import harness
from harness import check, check_equal, scratch
from jobs import read_table
from test_bodies import Server
from test_reading import packed

DOCUMENTS = 200
NAMES = ["id", "a", "b c", "größe", "d"]
LETTERS = ['a', 'Z', '0', '7', ' ', '  ', ',', ';', '"', "'", '\\', '\n', '\r\n', '\t', '|', '/', '<b>', '&amp;', '{', ']', 'ü', 'é']
BEYOND = ['€', '漢', '😀', '\u2028', '\u00a0', 'ﬁ', '\ufeff', '\u202e']


def text_of(rng, letters):
    return "".join(rng.choice(letters) for _ in range(rng.randrange(7)))


def number_of(rng):
    return rng.choice([0, -1, 7, 2 ** 53 + 1, -2 ** 63, 1.5, -0.25, 1e300, 12345678901234567890, rng.randrange(10 ** 9)])


def value_of(rng, letters):
    return rng.choice([None, True, False, number_of(rng), text_of(rng, letters), text_of(rng, letters)])


def records_of(rng, number, letters, value=value_of):
    return [{name: f"{number}-{i}" if name == "id" else value(rng, letters) for name in NAMES}
            for i in range(rng.randrange(1, 6))]


def cell_of(value):
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def check_all(documents, kind, endpoint=None, columns=None):
    """`documents`: of each the body and its records, dicts of cells; rows come in the order that was asked."""
    server = Server(lambda path: (200, kind, documents[int(path.rsplit("/", 1)[1]) - 1][0]))
    job = {"name": "j", "base": server.url, "vars": {"n": f"[1-{len(documents)}]"}, "output": ["csv"],
           "endpoints": [{"name": "t", "url": "/{n}", **(endpoint or {})}], "retry": {"attempts": 1}}
    run, path = scratch("r.run"), scratch("j.json")
    shutil.rmtree(run, ignore_errors=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(job, file)
    ended = harness.run("run", "--plain", "-o", run, path)
    if ended.code != 0:
        failed = json.loads(harness.read(run + "/failed.jsonl").splitlines()[0])
        check(False, kind, failed.get("reason"), "of", documents[failed["id"] - 1][0], ended)
    got, want = read_table(run + "/t.csv"), [row for _, rows in documents for row in rows]
    names = columns or NAMES
    for number, (a, b) in enumerate(zip(got, want)):
        a, b = {n: a.get(n) or "" for n in names}, {n: b.get(n) or "" for n in names}
        check(a == b, f"{kind} {endpoint}: row {number}: got {a}, want {b}")
    check_equal(len(got), len(want), f"rows of {kind} {endpoint}")
    harness.succeed("verify", run)


def cells(records):
    return [{name: cell_of(value) for name, value in record.items()} for record in records]


def documents_of(seed, write, letters=None, value=value_of):
    rng = random.Random(seed)
    made = []
    for number in range(DOCUMENTS):
        records = records_of(rng, number, letters or LETTERS + BEYOND, value)
        made.append((write(rng, records), cells(records)))
    return made


def json_text(rng, records):
    body = records if rng.random() < 0.5 else {"meta": {"count": len(records)}, "items": records}
    return json.dumps(body, ensure_ascii=rng.random() < 0.3, indent=rng.choice([None, None, 1]),
                      separators=rng.choice([None, (",", ":")]))


def items_text(rng, records):
    return json.dumps(records, ensure_ascii=rng.random() < 0.3)


# --- JSON ---------------------------------------------------------------------------------------------------


def test_json__in_every_encoding():
    for kind, encode in (
            ("application/json", "utf-8"), ("application/json", "utf-8-sig"), ("application/json", "utf-16"),
            ("application/json; charset=utf-16", "utf-16-le"), ("application/json", "utf-16-be")):
        check_all(documents_of(1, lambda rng, r, e=encode: items_text(rng, r).encode(e)), kind)
    latin = [c for c in LETTERS]
    check_all(documents_of(2, lambda rng, r: json.dumps(r, ensure_ascii=False).encode("latin-1"), latin),
              "application/json; charset=iso-8859-1")
    check_all(documents_of(3, lambda rng, r: json.dumps(r, ensure_ascii=False).encode("cp1252"), latin + ["€", "“", "š"]),
              "application/json; charset=windows-1252")


def test_lines__and_text_sequences():
    def lines(rng, records):
        end = rng.choice(["\n", "\r\n", "\n\n"])
        return (end.join(json.dumps(r, ensure_ascii=False) for r in records) + rng.choice(["", end])).encode()

    def sequence(rng, records):
        return "".join("\x1e" + json.dumps(r, indent=rng.choice([None, 1])) + "\n" for r in records).encode()

    check_all(documents_of(4, lines), "application/x-ndjson")
    check_all(documents_of(5, sequence), "application/json-seq")


def test_prefixes__jsonp_and_nan():
    check_all(documents_of(6, lambda rng, r: (")]}'" + rng.choice(["\n", "\r\n", ""]) + items_text(rng, r)).encode()),
              "application/json", {"strip": ")]}'"})
    check_all(documents_of(7, lambda rng, r: (rng.choice(["cb(", "/**/a.b_1(", "jQuery17_2 (",
                                                          "/**/ typeof cb === 'function' && cb("]) + items_text(rng, r) +
                                              rng.choice([")", ");", ");\n"])).encode()), "application/javascript", {"strip": "jsonp"})

    def odd(rng, letters):
        return rng.choice([float("nan"), float("inf"), float("-inf"), 1.5, "NaN", text_of(rng, letters)])

    documents = documents_of(8, lambda rng, r: json.dumps(r).encode(), value=odd)
    wanted = []
    rng = random.Random(8)
    for number, (body, _) in enumerate(documents):
        records = records_of(rng, number, LETTERS + BEYOND, odd)
        wanted.append((body, [{n: "" if isinstance(v, float) and v - v != 0 else cell_of(v) for n, v in r.items()} for r in records]))
    check_all(wanted, "application/json", {"lenient": True})


# --- tables of other shapes ----------------------------------------------------------------------------------


def test_shapes__of_census_and_open_meteo__and_objects_by_id():
    def header(rng, records):
        return json.dumps([NAMES, *([r[n] for n in NAMES] for r in records)]).encode()

    def parallel(rng, records):
        return json.dumps({"h": {n: [r[n] for r in records] for n in NAMES}}).encode()

    def keyed(rng, records):
        return json.dumps({"by": {r["id"]: {n: r[n] for n in NAMES[1:]} for r in records}}).encode()

    check_all(documents_of(9, header), "application/json", {"shape": "header"})
    check_all(documents_of(10, parallel), "application/json", {"shape": "parallel", "records": "/h"})
    made = [(body, [{"_key": row.pop("id"), **row} for row in rows]) for body, rows in documents_of(11, keyed)]
    check_all(made, "application/json", {"records": "/by/*"}, ["_key", *NAMES[1:]])


def test_scalars__and_null_records():
    rng, documents, nulls = random.Random(12), [], 0
    for _ in range(DOCUMENTS):
        records = [rng.choice([None, text_of(rng, LETTERS) or "x", rng.randrange(1000), True]) for _ in range(rng.randrange(1, 6))]
        documents.append((json.dumps({"items": records}).encode(), [{"value": cell_of(r)} for r in records if r is not None]))
        nulls += records.count(None)
    check(nulls > 20, "nulls", nulls)
    check_all(documents, "application/json", {"records": "/items"}, ["value"])


# --- CSV, XML, packed ------------------------------------------------------------------------------------------


def as_csv(rng, records, delimiter):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=rng.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
                        lineterminator=rng.choice(["\n", "\r\n"]))
    writer.writerow(NAMES)
    writer.writerows([cell_of(r[n]) for n in NAMES] for r in records)
    return out.getvalue()


def test_csv_and_tsv__in_every_encoding_and_packed():
    for seed, (kind, encode) in enumerate((
            ("text/csv", "utf-8"), ("text/csv", "utf-8-sig"), ("text/csv", "utf-16"), ("text/csv; charset=windows-1252", "cp1252"))):
        letters = LETTERS if encode == "cp1252" else None
        check_all(documents_of(20 + seed, lambda rng, r, e=encode: as_csv(rng, r, ",").encode(e), letters), kind)
    check_all(documents_of(30, lambda rng, r: as_csv(rng, r, ";").encode()), "text/csv", {"delimiter": ";"})
    check_all(documents_of(31, lambda rng, r: as_csv(rng, r, "\t").encode()), "text/tab-separated-values")
    check_all(documents_of(32, lambda rng, r: gzip.compress(as_csv(rng, r, ",").encode())), "application/gzip", {"as": "csv"})
    check_all(documents_of(33, lambda rng, r: packed({"t.csv": as_csv(rng, r, ",").encode()})), "application/zip")
    check_all(documents_of(34, lambda rng, r: packed({"t.json": json.dumps(r).encode()})), "application/zip")
    if shutil.which("zstd"):
        check_all(documents_of(35, lambda rng, r: subprocess.run(["zstd", "-qc"], input=json.dumps(r).encode(), check=True,
                                                                 capture_output=True).stdout), "application/zstd")


def test_xml__elements_and_attributes():
    def escape(text):
        return (text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\r", "&#13;")
                .replace("\n", "&#10;").replace("\t", "&#9;"))

    rng, documents = random.Random(40), []
    letters = [c for c in LETTERS + BEYOND]
    for number in range(DOCUMENTS):
        rows, parts = [], []
        for i in range(rng.randrange(2, 6)):
            attribute, text = text_of(rng, letters), text_of(rng, letters)
            is_cdata = "]]>" not in text and "\r" not in text and rng.random() < 0.3
            inner = f"<![CDATA[{text}]]>" if is_cdata else escape(text)
            parts.append(f'<row id="{number}-{i}" k="{escape(attribute)}"><größe>{inner}</größe></row>')
            rows.append({"@id": f"{number}-{i}", "@k": attribute, "größe": text})
        name, encoding = rng.choice([("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("utf-16", "utf-16")])
        text = f'<?xml version="1.0" encoding="{name}"?>\n<rows>{"".join(parts)}</rows>'
        documents.append((text.encode(encoding), rows))
    check_all(documents, "application/xml", {"records": "/rows/row"}, ["@id", "@k", "größe"])


# --- declared columns --------------------------------------------------------------------------------------------


def test_declared_columns__keep_or_drop_what_python_keeps_or_drops():
    for on_error in ("null", "drop"):
        rng, documents, bad = random.Random(50), [], 0
        for number in range(DOCUMENTS):
            records, rows = [], []
            for i in range(rng.randrange(1, 6)):
                price = rng.choice([1, 2.5, "3.5", "007", "x", "", True, [1], None, "1e3", -4])
                records.append({"id": f"{number}-{i}", "price": price})
                is_good = price is None or (not isinstance(price, (bool, list)) and
                                            (not isinstance(price, str) or price in ("3.5", "1e3")))
                bad += not is_good
                if is_good or on_error == "null":
                    rows.append({"id": f"{number}-{i}", "price": cell_of(price) if is_good else ""})
            documents.append((json.dumps({"items": records}).encode(), rows))
        check(bad > 50, "bad cells", bad)
        job = {"records": "/items"}
        check_declared(documents, job, on_error)


def check_declared(documents, endpoint, on_error):
    server = Server(lambda path: (200, "application/json", documents[int(path.rsplit("/", 1)[1]) - 1][0]))
    job = {"name": "j", "base": server.url, "vars": {"n": f"[1-{len(documents)}]"}, "output": ["csv"],
           "endpoints": [{"name": "t", "url": "/{n}", **endpoint}],
           "tables": {"t": {"columns": {"id": "/id", "price": {"at": "/price", "type": "double", "on_error": on_error}}}}}
    run, path = scratch("d.run"), scratch("d.json")
    shutil.rmtree(run, ignore_errors=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(job, file)
    harness.succeed("run", "--plain", "-o", run, path)
    got = [{"id": r["id"], "price": r["price"]} for r in read_table(run + "/t.csv")]
    want = [row for _, rows in documents for row in rows]
    for a, b in zip(got, want):
        check(a == b, f"{on_error}: got {a}, want {b}")
    check_equal(len(got), len(want), "rows with " + on_error)


if __name__ == "__main__":
    harness.main(globals())
