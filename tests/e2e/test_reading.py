"""Bodies and files of other formats than JSON: the rows that Python's own parsers give, value by value; what is no
good has its class, is asked for no more often than makes sense, and loses nothing."""

import csv
import gzip
import io
import json
import os
import random
import shutil
import urllib.parse
import xml.etree.ElementTree as ElementTree
import zipfile

import harness
from harness import check, check_equal, scratch
from test_bodies import Server, table


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def remove(path):
    shutil.rmtree(path, ignore_errors=True)


def packed(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def run(answer, *arguments, url="/t", code=0):
    """The rows of a run of one URL, its report, and how often it was asked."""
    server = Server(lambda _: answer)
    out, directory = scratch("o.csv"), scratch("o.run")
    remove(directory)
    if os.path.exists(out):
        os.remove(out)
    ended = harness.run("run", "--json", "--retries", "2", "--backoff", "1ms:2ms", "-o", directory, "--csv", out, *arguments,
                        server.url + url)
    check_equal(ended.code, code, f"{answer[1]}: {ended}")
    return table(out) if os.path.exists(out) else None, ended.report(), server.total(), directory


# --- CSV ----------------------------------------------------------------------------------------------------------


def random_cell(rng):
    return "".join(rng.choice('ab 1,;"\n\r\t|ü€\'\\') for _ in range(rng.randrange(6)))


def random_table(rng, delimiter, ending):
    width = rng.randrange(2, 6)
    rows = [[f"c{n}" for n in range(width)]] + [[random_cell(rng) for _ in range(width)] for _ in range(rng.randrange(2, 30))]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_MINIMAL if ending == "\r\n" else csv.QUOTE_ALL).writerows(rows)
    return rows, out.getvalue().encode()


def test_csv__is_what_python_reads():
    rng = random.Random(16)
    for turn in range(60):
        delimiter, ending = rng.choice(",;\t|"), rng.choice(("\n", "\r\n", "\r"))
        rows, data = random_table(rng, delimiter, ending)
        path = scratch("in.csv")
        write(path, rng.choice((b"", b"\xef\xbb\xbf")) + data)
        told = "tab" if delimiter == "\t" else delimiter
        ended = harness.succeed("normalise", "--in-delimiter", told, path, "-o", scratch("out.csv"))
        got = list(csv.reader(io.StringIO(harness.read(scratch("out.csv")).decode(), newline="")))
        check(got == rows, f"turn {turn}: {data!r} gave {got}, not {rows}: {ended}")


def test_csv__keeps_every_cell__whatever_its_rows_are():
    path = scratch("odd.csv")
    write(path, b'a,a,\n1,2,3,4,5\n"x\ny"\n\n,"",7\n')
    ended = harness.succeed("normalise", "--json", path, "-o", scratch("o.csv"))
    check_equal(harness.read(scratch("o.csv")), b'a,a_2,column_3,_more\n1,2,3,"[""4"",""5""]"\n"x\ny",,,\n,"",7,\n', "the cells")
    odd = ended.report()["odd_cells"]["rows"]
    check_equal((odd["count"], odd["first"]), (2, [f"{path}:2: 5 cells, the header has 3", f"{path}:3: 1 cell, the header has 3"]),
                "what is odd")
    write(path, b"a;b\nZ\xfcrich;1\n")
    check_equal(harness.run("normalise", path).code, 3, "no UTF-8")
    check_equal(harness.succeed("normalise", "--charset", "windows-1252", path).out.decode(), "a,b\nZürich,1\n", "windows-1252")


def test_csv__has_types__only_where_all_values_are_of_one():
    path = scratch("t.csv")
    write(path, b"n,zip,d,x\n1,01234,2026-01-31,1.5\n22,10001,2026-02-01,\n")
    report = harness.succeed("normalise", "--json", path, "-o", scratch("t.parquet")).report()
    check_equal([(c["name"], c["type"]) for c in report["schema"]],
                [("n", "int64"), ("zip", "text"), ("d", "date"), ("x", "double")], "types")


# --- XML ----------------------------------------------------------------------------------------------------------


def as_json(element):
    """What read/xml_json.h says of an element, by Python's parser."""
    members = {f"@{name}": value for name, value in element.attrib.items()}
    for child in element:
        value = as_json(child)
        if child.tag in members:
            if not isinstance(members[child.tag], Several):
                members[child.tag] = Several([members[child.tag]])
            members[child.tag].append(value)
        else:
            members[child.tag] = value
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    if not members:
        return text or None
    if text.strip(" \t\r\n"):
        members["#text"] = text.strip(" \t\r\n")
    return members


class Several(list):
    pass


def random_element(rng, depth):
    element = ElementTree.Element(rng.choice("abc"))
    for name in rng.sample("xyz", rng.randrange(3)):
        element.set(name, rng.choice(("", "1", "ü & <>\"'")))
    element.text = rng.choice((None, "", " ", "t", " 1.50 ", "<&>"))
    for _ in range(rng.randrange(4) if depth else 0):
        child = random_element(rng, depth - 1)
        child.tail = rng.choice((None, "\n  ", "tail"))
        element.append(child)
    return element


def test_xml__is_what_python_reads():
    rng = random.Random(16)
    for turn in range(40):
        root = random_element(rng, 3)
        root.set("k", "1")  # an element without any would be an empty line
        encoding = rng.choice(("utf-8", "iso-8859-1", "utf-16"))
        data = ElementTree.tostring(root, encoding=encoding, xml_declaration=True)
        write(scratch("in.xml"), data)
        harness.succeed("normalise", "--max-depth", "0", scratch("in.xml"), "-o", scratch("out.csv"))
        rows = table(scratch("out.csv"))
        want, value = as_json(ElementTree.fromstring(data)), rows[0][root.tag]
        got = json.loads(value) if isinstance(want, (dict, list)) else value or None
        check(got == want and len(rows) == 1, f"turn {turn}: {data!r} gave {got}, not {want}")


# --- in a run -------------------------------------------------------------------------------------------------------

FEED = b'<?xml version="1.0" encoding="ISO-8859-1"?><feed><e id="1"><t>Z\xfcrich</t></e><e id="2"><t>Bern</t></e></feed>'
TABLE = b'id,t\r\n1,"Z\xc3\xbcrich"\r\n2,Bern\r\n'
ROWS = [{"id": "1", "t": "Zürich"}, {"id": "2", "t": "Bern"}]


def test_run__has_the_same_rows__of_each_format():
    latin = TABLE.decode().encode("latin-1")
    for content_type, body, arguments in (
            ("text/csv", TABLE, ()), ("text/plain", TABLE, ()), ("application/json", TABLE, ("--as", "csv")),
            ("text/csv; charset=iso-8859-1", latin, ()), ("text/tab-separated-values", TABLE.replace(b",", b"\t"), ()),
            ("text/csv", "\ufeff".encode("utf-16-le") + TABLE.decode().encode("utf-16-le"), ()),
            ("application/gzip", gzip.compress(TABLE), ()), ("application/zip", packed({"x.csv": TABLE}), ()),
            ("application/zip", packed({"1.csv": TABLE.splitlines(True)[0] + TABLE.splitlines(True)[1],
                                        "2.json": '[{"id":"2","t":"Bern"}]'}), ()),
            ("application/json", b'[["id","t"],["1","Z\\u00fcrich"],[2,"Bern"]]', ("--shape", "header")),
            ("application/json", '{"h":{"id":[1,2],"t":["Zürich","Bern"]}}'.encode(), ("--shape", "parallel", "--records", "/h"))):
        rows, _, asked, directory = run((200, content_type, body), *arguments)
        check_equal((rows, asked), (ROWS, 1), f"{content_type} {body!r}")
        harness.succeed("normalise", directory, "-o", scratch("again.csv"))
        check_equal(table(scratch("again.csv")), ROWS, "the table made again")
        (line,) = harness.raw_lines(directory)
        check(b'"sent":"' in line or body.startswith((b"[", b"{")), f"the bytes as sent: {line}")
        check(harness.succeed("raw", directory).out.rstrip(b"\n") == body.rstrip(b"\n"), f"{content_type}: raw gives other bytes")
    plain = FEED.split(b"?>")[1].decode("latin-1")
    for feed in (FEED, b"\xef\xbb\xbf" + plain.encode(), ('<?xml version="1.0" encoding="UTF-16"?>' + plain).encode("utf-16"),
                 b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>' + plain.encode()):
        rows, _, asked, _ = run((200, "application/xml", feed), "--records", "/feed/e")
        check_equal((rows, asked), ([{"@id": row["id"], "t": row["t"]} for row in ROWS], 1), f"XML {feed[:50]}")


def test_kept__as_it_is__text_pages_and_bytes():
    for name, content_type, body in (("html", "text/html", b"<html><title>x</title></html>"), ("text", "text/plain", b"a,b\n1,2\n"),
                                     ("bytes", "image/png", bytes(range(256))), ("bytes", "application/gzip", gzip.compress(b"x"))):
        rows, report, asked, directory = run((200, content_type, body), "--as", name)
        check_equal(rows, None, "a table of what has no rows")
        check_equal((report["ok"], report["failed"], asked), (1, 0, 1), name)
        remove(scratch("bodies"))
        harness.succeed("raw", "--dir", scratch("bodies"), directory)
        (file,) = os.listdir(scratch("bodies"))
        check_equal(harness.read(os.path.join(scratch("bodies"), file)).rstrip(b"\n"), body.rstrip(b"\n"), f"{name}: the file")


BAD = (  # body, class, how often it is asked for
    (b'a,b\n1,"2', "text/csv", "bad-body", 3), (b"a\n\xff\n", "text/csv", "unsafe-body", 1),
    (b"<a><b></a>", "application/xml", "bad-body", 3), (b"<a>" * 300, "application/xml", "too-big", 1),
    (b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a>&z;</a>', "application/xml", "unsafe-body", 1),
    (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "application/xml", "unsafe-body", 1),
    (gzip.compress(b"0" * 20000000), "application/gzip", "too-big", 1), (gzip.compress(TABLE)[:-12], "application/gzip", "bad-body", 3),
    (packed({"a.zip": packed({"b": "[1]"})}), "application/zip", "unsafe-body", 1),
    (packed({"a.csv": b"0" * 20000000}), "application/zip", "too-big", 1))


def test_bad_body__has_its_class__and_is_kept():
    for body, content_type, word, tries in BAD:
        _, report, asked, directory = run((200, content_type, body), code=3)
        failed = [json.loads(line) for line in harness.read(os.path.join(directory, "failed.jsonl")).splitlines()]
        check_equal(([f["class"] for f in failed], asked), ([word], tries), f"{body[:40]!r} {report}")
        if word != "too-big":
            check(harness.succeed("raw", directory, "t").out.rstrip(b"\n") == body.rstrip(b"\n"), f"{body[:40]!r} is lost")


def test_bad_body__says_what_is_wrong():
    lol = b'<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><l><i>&b;</i></l>'
    for body, content_type, words in ((packed({"a.csv": b"0" * 20000000}), "application/zip", b"the body expands over 100:1 when unpacked"),
                                      (packed({"a.zip": packed({"b": "[1]"})}), "application/zip", b"holds another packed file"),
                                      (packed({"a.json": "[1]", "readme.txt": "hello"}), "application/zip",
                                       b"the body holds readme.txt, which is no JSON, CSV or XML"),
                                      (b'{"a":1}\n{"a"\n', "application/x-ndjson", b"line 2 of the JSON Lines: JSON ends at byte 4"),
                                      (b'[{"a":"\xe9"}]', "application/json", b"no charset is named"),
                                      (b'<?xml version="1.0"?>' + lol, "application/xml", b"the body is XML that declares entities"),
                                      (b'[{"a":"\xe9"}]', "application/json; charset=klingon", b'its charset "klingon" is not known here'),
                                      ("\u00e9,b\n".encode("latin-1") + "\u00e9,b\n".encode(), "text/csv", b"not UTF-8 in line 1")):
        directory = run((200, content_type, body), code=3)[3]
        failed = harness.read(os.path.join(directory, "failed.jsonl")).replace(b'\\"', b'"')
        check(words in failed, words, failed)


# --- listings ---------------------------------------------------------------------------------------------------------


def listing(answer, pages):
    server = Server(answer)
    job = {"name": "o", "base": server.url, "output": ["csv"],
           "endpoints": [{"name": "t", "url": "/l", "records": "/items", "pages": pages}]}
    write(scratch("job.json"), json.dumps(job).encode())
    remove(scratch("l.run"))
    ended = harness.run("run", "--plain", "-o", scratch("l.run"), scratch("job.json"))
    return [row["id"] for row in table(os.path.join(scratch("l.run"), "t.csv"))], server.total(), ended


def number(path, name, otherwise):
    pairs = dict(pair.split("=", 1) for pair in path.partition("?")[2].split("&") if "=" in pair)
    return int(pairs.get(name, otherwise))


def page(n, *headers, **more):
    return (200, "application/json", json.dumps({"items": [{"id": n, "d": f"2026-01-{28 - n:02}T00:00:00Z"}], **more}).encode(), *headers)


def test_listing__goes_on__as_servers_say_it():
    def in_header(path):
        n = number(path, "cursor", 0)
        return page(n, *([("X-Next-Cursor", str(n + 1))] if n < 3 else []))

    def url_in_header(path):
        n = number(path, "p", 0)
        return page(n, *([("X-Next", f"/l?p={n + 1}")] if n < 3 else []))

    def members(path):
        n = number(path, "gcm", 0)
        return page(n, **({"continue": {"gcm": str(n + 1), "continue": "gcm||"}} if n < 3 else {}))

    def endless(path):
        return page(number(path, "page", 1), total=1000)

    four = ["0", "1", "2", "3"]
    for answer, pages, want in ((in_header, {"cursor": "header:X-Next-Cursor", "param": "cursor"}, four), (in_header, "auto", four),
                                (url_in_header, {"next": "header:X-Next"}, four), (members, {"copy": "/continue/*"}, four),
                                (endless, {"param": "page", "until": "/d", "older_than": "2026-01-25"}, four[1:] + ["4"]),
                                (endless, {"param": "page", "until": "/d", "older_than": "2026-01-25", "total": "/total", "size": 1},
                                 four[1:] + ["4"])):
        got, asked, ended = listing(answer, pages)
        check_equal((got, asked, ended.code), (want, len(want), 0), f"{pages}: {ended}")


def test_values__come_in_chunks__and_in_the_letters_that_are_told():
    server = Server(lambda path: page(0))
    write(scratch("ids.csv"), "id,ort\n1,Zürich\n2,Bern\n3,Genf\n".encode("latin-1"))
    for variable, template, want in (
            ({"values": "[1-7]", "chunk": 3}, "{v}", ["1,2,3", "4,5,6", "7"]),
            ({"values": ["a b", 2, True], "chunk": 2}, "{v}", ["a b,2", "true"]),
            ({"file": "ids.csv", "encoding": "windows-1252", "chunk": 2}, "{v.ort}", ["Zürich,Bern", "Genf"]),
            ({"file": "ids.csv", "encoding": "windows-1252"}, "{v.ort}", ["Zürich", "Bern", "Genf"])):
        server.asks.clear()
        job = {"name": "o", "base": server.url, "vars": {"v": variable}, "endpoints": [{"name": "t", "url": f"/l?ids={template}"}]}
        write(scratch("job.json"), json.dumps(job).encode())
        remove(scratch("v.run"))
        harness.succeed("run", "--plain", "-c", "1", "-o", scratch("v.run"), scratch("job.json"))
        check_equal([urllib.parse.unquote(path.partition("=")[2]) for path in server.paths()], want, f"{variable}")
        harness.succeed("run", "--plain", "-o", scratch("v.run"))  # the job as it was kept
    job["vars"] = {"v": {"file": "ids.csv"}}
    write(scratch("job.json"), json.dumps(job).encode())
    ended = harness.run("run", "--plain", "--fresh", "-o", scratch("w.run"), scratch("job.json"))
    check(ended.code == 2 and b"ids.csv:2" in ended.err and b"encoding" in ended.err, f"no UTF-8: {ended}")


def test_column__is_what_it_is_declared_to_be__or_says_so():
    records = [{"id": n, "p": {7: "n/a", 9: None, 11: "3.5"}.get(n, n / 2), "d": "soon" if n == 5 else "2026-01-02"} for n in range(500)]
    server = Server(lambda _: (200, "application/json", json.dumps(records).encode()))
    for on_error, rows, price, type_ in (("null", 500, "", "double"), ("text", 500, "n/a", "text"), ("drop", 499, None, "double")):
        columns = {"id": "/id", "price": {"at": "/p", "type": "double", "on_error": on_error}, "d": {"type": "date"}}
        job = {"name": "o", "base": server.url, "endpoints": [{"name": "t", "url": "/l"}], "tables": {"t": {"columns": columns}},
               "output": ["csv", "parquet"]}
        write(scratch("job.json"), json.dumps(job).encode())
        remove(scratch("c.run"))
        ended = harness.succeed("run", "--plain", "-o", scratch("c.run"), scratch("job.json"))
        check(b"2 rows have values of another type than declared" in ended.err, f"{on_error}: not told: {ended}")
        events = harness.read(os.path.join(scratch("c.run"), "events.jsonl")).decode()
        check("l: price is no double" in events and "l: d is no date" in events, f"{on_error}: not named: {events}")
        got = table(os.path.join(scratch("c.run"), "t.csv"))
        check_equal((len(got), [row["price"] for row in got if row["id"] in "7"], [row["d"] for row in got if row["id"] == "5"]),
                    (rows, [price] if price is not None else [], [""]), on_error)
        check_equal([row["price"] for row in got if row["id"] in ("9", "11", "12")], ["", "3.5", "6.0"], on_error)
        report = harness.succeed("normalise", "--json", scratch("c.run"), "-o", scratch("t.parquet")).report()
        check_equal(([c["type"] for c in report["schema"]], report["bad_cells"]["rows"]["count"]), (["int64", type_, "date"], 2), on_error)
    columns["price"]["on_error"] = "fail"
    write(scratch("job.json"), json.dumps(job).encode())
    remove(scratch("c.run"))
    ended = harness.run("run", "--plain", "-o", scratch("c.run"), scratch("job.json"))
    check(b"price is no double" in ended.err and not os.path.exists(os.path.join(scratch("c.run"), "t.csv")), f"fail: {ended}")


def test_details__are_asked_for__where_the_job_wants_them():
    items = [{"id": 1, "s": "a", "ok": True}, {"id": 2, "s": "b", "ok": False}, {"id": 3, "s": "\u00fc", "ok": None}, {"id": 4}]
    server = Server(lambda path: (200, "application/json", json.dumps(items if path == "/l" else {"p": path}).encode()))
    for where, want in (({"at": "/s", "is": "a"}, "1"), ({"at": "/s", "is": ["b", "ü"]}, "23"), ({"at": "/ok"}, "1"),
                        ({"at": "/id", "is": [4, 1]}, "14"), ({"at": "/ok", "is": None}, "3"), ({"at": "/id", "is": "4"}, "")):
        server.asks.clear()
        job = {"name": "o", "base": server.url, "endpoints": [{"name": "t", "url": "/l"}, {"name": "d", "url": "/d/{t.id}", "where": where}]}
        write(scratch("job.json"), json.dumps(job).encode())
        remove(scratch("d.run"))
        harness.succeed("run", "--plain", "-o", scratch("d.run"), scratch("job.json"))
        harness.succeed("run", "--plain", "-o", scratch("d.run"))
        check_equal(sorted(server.paths()), ["/d/" + n for n in want] + ["/l"], f"{where}")
    job["endpoints"] = [{"name": "t", "url": "/l", "where": {"at": "/s"}}]
    write(scratch("job.json"), json.dumps(job).encode())
    ended = harness.run("run", "--plain", scratch("job.json"))
    check(ended.code == 2 and b"E-CFG4" in ended.err and b"where" in ended.err, f"without a parent: {ended}")


if __name__ == "__main__":
    harness.main(globals())
