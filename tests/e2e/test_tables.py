"""`normalise` on files, through the command: each option, and every kind of input that is bad.

Options: a table of arguments, input, and the output byte for byte. Bad input: what is told, the exit
code, and which rows are there all the same.
"""

import ctypes
import gzip
import io
import json
import os
import resource
import stat
import subprocess
import zipfile

import harness
from harness import check, check_equal, scaled, scratch

LOTS = b"""{"id":1,"seller":{"name":"Ann"},"items":[{"n":1,"tag":"a"},{"n":2}],"bid":"12.50"}
{"id":2,"seller":{"name":"Bob","city":{"zip":"007"}},"items":[],"bid":null}
{"id":1,"seller":{"name":"Cy"},"items":[{"n":3}],"bid":"7"}
"""

OPTIONS = [
    # arguments, input, output, words on stderr
    ([], LOTS,
     b'id,seller.name,items,bid,seller.city.zip\n1,Ann,"[{""n"":1,""tag"":""a""},{""n"":2}]",12.50,\n'
     b'2,Bob,[],,007\n1,Cy,"[{""n"":3}]",7,\n', ""),
    (["--columns", "id,who=/seller/name"], LOTS, b"id,who\n1,Ann\n2,Bob\n1,Cy\n", ""),
    (["--columns", "bid,id"], LOTS, b"bid,id\n12.50,1\n,2\n7,1\n", ""),
    (["--explode", "/items", "--columns", "id,items.n"], LOTS, b"id,items.n\n1,1\n1,2\n2,\n1,3\n", ""),
    (["--records", "/items"], LOTS, b"n,tag\n1,a\n2,\n3,\n", ""),
    (["--columns", "id,bid", "--unique", "id"], LOTS, b"id,bid\n1,12.50\n2,\n", "1 row dropped"),
    (["--columns", "id,bid", "--unique", "id", "--keep", "last"], LOTS, b"id,bid\n2,\n1,7\n",
     "1 row dropped: not the last"),
    (["--columns", "id,bid", "--unique", "id", "--keep", "first"], LOTS, b"id,bid\n1,12.50\n2,\n", "1 row dropped: not the first"),
    (["--columns", "id,bid", "--unique", "id,bid"], LOTS, b"id,bid\n1,12.50\n2,\n1,7\n", ""),
    (["--columns", "id,bid", "--where-present", "bid"], LOTS, b"id,bid\n1,12.50\n1,7\n", "1 row dropped"),
    (["--sep", "/", "--columns", "seller/city/zip"], LOTS, b"seller/city/zip\n\n007\n\n", ""),
    (["--max-depth", "1", "--columns", "seller.name,seller.city"], LOTS,
     b'seller.name,seller.city\nAnn,\nBob,"{""zip"":""007""}"\nCy,\n', ""),
    (["--max-depth", "0", "--columns", "seller"], LOTS[:60].split(b',"items')[0] + b"}\n",
     b'seller\n"{""name"":""Ann""}"\n', ""),
    (["--delimiter", ";"], b'{"a":"x,y","b":"p;q"}\n', b'a;b\nx,y;"p;q"\n', ""),
    (["--delimiter", "tab"], b'{"a":1,"b":2}\n', b"a\tb\n1\t2\n", ""),
    (["--crlf"], b'{"a":"x\\ny"}\n', b'a\r\n"x\ny"\r\n', ""),
    (["--bom"], b'{"a":"\xc3\xbc"}\n', b"\xef\xbb\xbfa\n\xc3\xbc\n", ""),
    (["--csv-safe"], b'{"a":"=1+1","b":"-x","c":-1,"d":"plain"}\n', b"a,b,c,d\n'=1+1,'-x,-1,plain\n", ""),
    ([], b'{"a":"","b":null}\n', b'a,b\n"",\n', ""),
    ([], b'{"a":9007199254740993,"b":1.50,"c":1e400}\n', b"a,b,c\n9007199254740993,1.50,1e400\n", ""),
    ([], b'{"a.b":1,"a":{"b":2}}\n', b"a.b,a.b_2\n1,2\n", "1 column got a suffix"),
    ([], b'{"a":1,"a":2}\n', b"a\n2\n", "1 key stood twice"),
    (["--records", "/*"], b'{"x":{"n":1},"y":{"n":2}}', b"_key,n\nx,1\ny,2\n", ""),
    # Every star's name: the record's own is _key, those around it are numbered.
    (["--records", "/*/*"], b'{"x":{"a":{"n":1},"b":{"n":2}},"y":{"a":{"n":3}}}',
     b"_key_1,_key,n\nx,a,1\nx,b,2\ny,a,3\n", ""),
    (["--records", "/*/*/*"], b'{"x":{"a":{"p":{"n":1}}},"y":{"b":{"q":{"n":2}}}}',
     b"_key_1,_key_2,_key,n\nx,a,p,1\ny,b,q,2\n", ""),
    (["--records", "/*/*"], b'{"x":[{"n":1},{"n":2}],"y":[{"n":3}]}', b"_key,n\nx,1\nx,2\ny,3\n", ""),
    (["--records", "/*/*"], b'[{"x":{"n":1}},{"y":{"n":2}}]', b"_key,n\nx,1\ny,2\n", ""),
    (["--records", "/*/v/*"], b'{"x":{"v":{"a":{"n":1}}},"y":{"v":[{"n":2}]}}', b"_key_1,_key,n\nx,a,1\n,y,2\n", ""),
    (["--records", "/r/*/*"], b'{"r":1,"r":{"x":{"a":{"n":1},"b":{"n":2}}}}', b"_key_1,_key,n\nx,a,1\nx,b,2\n", ""),
]

HUGE = 100_000

BAD = [
    # input, rows, records skipped, words on stderr
    (b'{"a":1}\n{"a":2,,}\n{"a":3}\n', b"1\n3\n", 1, 'in.jsonl:2: expected a quoted member name at byte 7'),
    (b'{"a":1}\n{"a":2', b"1\n", 1, "in.jsonl:2: JSON ends at byte 6 inside object"),
    (b'{"a":1}\n{"a":"x\x00\\y"}\n{"a":3}\n', b"1\n3\n", 1, "in.jsonl:2: control character \\x00 in string at byte 7"),
    (b'{"a":1}\n\x00\x00\n{"a":3}\n', b"1\n3\n", 1, "in.jsonl:2: "),
    (b'{"a":1}\n{"a":"\xff"}\n{"a":3}\n', b"1\n3\n", 1, "in.jsonl:2: invalid UTF-8 at byte 6 (0xff)"),
    (b'{"a":1}\n{"a":' + b"[" * HUGE + b"]" * HUGE + b'}\n{"a":3}\n', b"1\n3\n", 1,
     "in.jsonl:2: nesting deeper than 1024 at byte 1028"),
    (b'{"a":1}\n' + b'{"a":' * HUGE + b"1" + b"}" * HUGE + b'\n{"a":3}\n', b"1\n3\n", 1,
     "in.jsonl:2: nesting deeper than 1024"),
    (b'{"a":1}\n\n{"a":nano}\n{"a":01}\n{\'a\':1}\nnull x\n', b"1\n", 4, "in.jsonl:3: "),
]


def put(data, name="in.jsonl"):
    path = scratch(name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def test_option__shapes_the_table__when_given():
    wrong = 0
    for number, (arguments, data, want, words) in enumerate(OPTIONS):
        ended = harness.run("normalise", *arguments, "-", stdin=data)
        table = scratch(f"{number}.csv")
        kept = harness.run("normalise", *arguments, "-o", table, put(data))
        if (ended.code, ended.out, kept.code, harness.read(table)) != (0, want, 0, want) or \
                words not in ended.err.decode():
            wrong += 1
            print(f"{arguments}: wanted {want!r} and {words!r}:", ended)
    check(wrong == 0, wrong, "rows of the table are wrong")


def test_stdin__is_given_once__though_it_was_packed():
    packed = gzip.compress(b'{"id":1}\n')
    ended = harness.run("normalise", "-", "-", "-o", scratch("twice.csv"), stdin=packed)
    check(ended.code == 2 and b'"-" is given twice' in ended.err, ended)
    check(not os.path.exists(scratch("twice.csv")), "a table was made")


def test_types__are_found_by_looking_at_all__when_asked():
    records = b'{"n":1,"d":0.5,"t":"2026-11-21T04:15:00Z","q":"12.50","created_at":1700000000,"m":1}\n' * 3000
    data = records + b'{"n":2,"d":1,"t":null,"q":"3","created_at":1700000001,"m":"x"}\n'
    want = {"n": "int64", "d": "double", "t": "timestamp", "q": "text", "created_at": "int64", "m": "text"}
    path = put(data)
    run = os.path.join(scratch("table.csv"))
    coerced = harness.succeed("normalise", "--json", "--types", "-o", run, path).report()
    found = {column["name"]: column["type"] for column in coerced["schema"]}
    check_equal(found, want | {"q": "double", "created_at": "timestamp"}, "types with --types")
    told = harness.succeed("normalise", "--types", "-o", run, path).err.decode()
    check('column m is text: 1 of 3,001 values is not a number, first: record 3,001, "x"' in told, told)


def test_meta__says_where_a_row_came_from__when_of_a_run_or_a_file():
    path = put(b'{"a":1}\n')
    out = harness.succeed("normalise", "--meta", path).out.decode().splitlines()
    check_equal(out, ["_source_file,a", f"{path},1"], "a file's table")
    with harness.api() as server:
        harness.succeed("run", "-o", scratch("m.run"), f"{server.url}/posts/[1-2]")
        out = harness.succeed("normalise", "--meta", "-o", "-", "--columns",
                              "_request_key,_url,_status,id", scratch("m.run")).out.decode().splitlines()
        check_equal(out, ["_request_key,_url,_status,id", f"1,{server.url}/posts/1,200,1",
                          f"2,{server.url}/posts/2,200,2"], "a run's table")


def test_record__is_skipped_and_named__when_bad():
    for data, rows, skipped, words in BAD:
        path, table = put(data), scratch("bad.csv")
        for arguments, code in (([], 0), (["--strict"], 9)):
            ended = harness.run("normalise", "--json", *arguments, "-o", table, path)
            check(ended.code == code, f"want exit code {code} of {data[:60]}:", ended)
            check(words in ended.err.decode(), f"want {words!r}:", ended)
            check_equal(ended.report()["skipped"]["invalid"]["count"], skipped, "skipped")
            check_equal(harness.read(table), b"a\n" + rows, "the other records")
            check_equal(ended.report()["schema"], [{"name": "a", "type": "int64", "values": rows.count(b"\n")}],
                        "columns and types")


def test_values__count_for_nothing__when_their_record_is_bad():
    good = b"".join(b'{"a":%d,"b":"%s"}\n' % (n, b"lorem ipsum " * 8) for n in range(30000))
    path = put(good + b'{"a":"x","b":1,"c":[2],,}\n' + good)
    for name in ("t.csv", "t.parquet"):
        report = harness.succeed("normalise", "--json", "-o", scratch(name), path).report()
        check_equal((report["rows"], report["skipped"]["invalid"]["count"]), (60000, 1), "rows, skipped")
        check_equal(report["schema"], [{"name": "a", "type": "int64", "values": 60000},
                                       {"name": "b", "type": "text", "values": 60000}], "columns and types")
        check(f"{path}:30001: " in report["skipped"]["invalid"]["first"][0], "line:", report["skipped"])


def test_document__is_skipped_with_its_byte__when_bad():
    ended = harness.run("normalise", "-o", scratch("t.csv"), put(b'{"a":[1,\n 2,\n x]}', "doc.json"))
    check(b"doc.json: expected a value at byte 14" in ended.err, "not told:", ended)
    ended = harness.run("normalise", "-o", scratch("t.csv"), put(b"[" * HUGE + b"]" * HUGE, "deep.json"))
    check(b"deep.json: nesting deeper than 1024 at byte 1024" in ended.err, "not told:", ended)


# --- large input -------------------------------------------------------------------------------------

DOCUMENT_MIB = scaled(100, 20)
MEMORY_MIB = 32


def test_large_document__stays_within_memory__when_that_is_less():
    piece = b",".join(b'{"id":%d,"name":{"first":"%s"},"tags":["a","b"]}' % (n, b"x" * (n % 100)) for n in range(7000))
    count = (DOCUMENT_MIB << 20) // len(piece) + 1
    path = scratch("large.json")
    with open(path, "wb") as file:
        file.write(b'{"meta":{"n":1},"items":[')
        for n in range(count):  # not all at once: a child's peak begins with what its parent has
            file.write(b"," * (n > 0) + piece)
        file.write(b"]}")
    for name in ("large.csv", "large.parquet"):
        child = harness.scrapetop("normalise", "--json", "--memory", f"{MEMORY_MIB}M", "--records", "/items", "-o",
                                  scratch(name), path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        report = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        check_equal((child.returncode, json.loads(report)["rows"]), (0, 7000 * count), "exit code, rows")
        print(f"{name}: peak RSS {usage.ru_maxrss >> 10} MiB of a document of {DOCUMENT_MIB} MiB")
        # Sanitizers keep shadow memory and freed blocks.
        check(harness.SMALL or usage.ru_maxrss >> 10 < 2 * MEMORY_MIB, "peak RSS", usage.ru_maxrss, "KiB")


def test_columns__are_all_there__when_10_000():
    rows, columns = scaled(100, 10), 10_000
    path = put(b"".join(b"{" + b",".join(b'"c%d":%d' % (c, r * c) for c in range(columns)) + b"}\n" for r in range(rows)))
    lines = harness.succeed("normalise", path).out.decode().splitlines()
    check_equal(lines[0].split(","), [f"c{c}" for c in range(columns)], "header")
    for r in range(rows):
        check_equal(lines[r + 1].split(","), [str(r * c) for c in range(columns)], f"row {r}")


# --- bad input ---------------------------------------------------------------------------------------


def refuse(code, error_code, words, *arguments, **options):
    """The command fails so, and the table that was there before stays."""
    with open(scratch("old.csv"), "wb") as file:
        file.write(b"old\n")
    ended = harness.run("normalise", *arguments, **options)
    check(ended.code == code, f"want exit code {code}:", ended)
    check(f"error[{error_code}]" in ended.err.decode(), f"want {error_code}:", ended)
    check(words in ended.err.decode(), f"want {words!r}:", ended)
    check_equal(harness.read(scratch("old.csv")), b"old\n", "the old table")
    check_equal([name for name in os.listdir(scratch("")) if ".tmp" in name or name.startswith("old.csv.")],
                [], "left behind")


def test_input__is_refused__when_a_directory_or_missing():
    good = put(b'{"a":1}\n')
    os.mkdir(scratch("folder"))
    refuse(2, "E-DIR2", "no ledger.db", "-o", scratch("old.csv"), scratch("folder"))
    refuse(2, "E-ARG1", "is a directory", "-o", scratch("old.csv"), good, scratch("folder"))
    refuse(2, "E-IN2", "No such file", "-o", scratch("old.csv"), good, scratch("missing.json"))
    refuse(2, "E-IN2", "device or pipe", "-o", scratch("old.csv"), good, "/dev/null")
    refuse(2, "E-IN2", "File name too long", "-o", scratch("old.csv"), good, "a" * 300)
    refuse(2, "E-IN2", "Is a directory", "-o", scratch("old.csv"), "-",
           preexec_fn=lambda: os.dup2(os.open(scratch("folder"), os.O_RDONLY), 0))


def test_input__is_refused__when_unreadable():
    path = put(b'{"a":1}\n')
    os.chmod(path, 0)
    drop = None
    if os.geteuid() == 0:  # who may read everything
        libc = ctypes.CDLL(None)
        os.chmod(scratch(""), 0o777)
        try:
            subprocess.run([harness.BINARY, "--version"], preexec_fn=lambda: libc.setuid(65534),
                           capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            raise harness.Skipped("another user cannot run the binary, and root may read every file") from None

        def drop():
            libc.setuid(65534)
    refuse(2, "E-IN2", "Permission denied", "-o", scratch("old.csv"), path, preexec_fn=drop)


def test_input__is_storages_fault__when_the_disk_fails_within_it():
    """The third read of a file of 5 MB answers EIO, after records that were good."""
    try:
        works = subprocess.run(["strace", "-f", "-e", "trace=none", "true"], capture_output=True, check=False)
    except FileNotFoundError:
        raise harness.Skipped("strace is missing: scripts/deps --test") from None
    if works.returncode != 0:
        raise harness.Skipped("strace may not trace here")
    path = put(b"".join(b'{"a":%d}\n' % n for n in range(400_000)))
    with open(scratch("old.csv"), "wb") as file:
        file.write(b"old\n")
    ended = harness.finish(harness.start(
        # LeakSanitizer cannot work in a traced process.
        ["env", "ASAN_OPTIONS=detect_leaks=0", "strace", "-f", "-o", scratch("trace"), "-P", path, "-e", "trace=pread64",
         "-e", "inject=pread64:error=EIO:when=3+", harness.BINARY, "normalise", "-o", scratch("old.csv"), path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    check(b"(INJECTED)" in harness.read(scratch("trace")), "no read was made to fail")
    check(ended.code == 8 and b"error[E-IN2]" in ended.err and b"Input/output error" in ended.err, ended)
    check_equal(harness.read(scratch("old.csv")), b"old\n", "the old table")


def test_pointer__is_answered_with_those_that_exist__when_it_finds_nothing():
    path = put(b'{"data":{"rows":[{"x":1},{"x":2}]},"meta":{}}\n')
    refuse(3, "E-TAB1", "there are: /data/rows (2 elements), /data, /meta", "--records", "/rows", "-o",
           scratch("old.csv"), path)
    refuse(3, "E-TAB1", "there are: /data/rows (2 elements)", "--explode", "/rows", "-o", scratch("old.csv"),
           path)
    refuse(2, "E-ARG1", "rows", "--records", "rows", "-o", scratch("old.csv"), path)
    many = b"{" + b",".join(b'"%d":[]' % n for n in range(500)) + b"}\n"
    ended = harness.run("normalise", "--records", "/rows", put(many))
    check(ended.code == 3 and len(ended.err) < 2000, "500 pointers are not bounded:", ended)


# What a newcomer hands in, and a word of the sentence that says what it is or what to do.
def packed(files):
    """A ZIP file of these."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


UNREADABLE = (
    (b"", "nothing in it"), (b" \n\t\n", "nothing in it"), (b"\xef\xbb\xbf", "nothing in it"),
    (b"<!DOCTYPE html>\n<html></html>", "it is HTML"), (b"\n <HTML>", "it is HTML"), (b"<r/>", "--as xml"),
    (b"<?xml version='1.0'?><r>", "a fault in line 1"), (b"<?xml version='1.0'?><Error/>", "it is XML"),
    (b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY x 'y'>]><r/>", "declares entities"),
    ("[1,,]".encode("utf-16"), "iconv -f UTF-16 -t"), ("\ufeff[1,,]".encode("utf-16-be"), "iconv -f UTF-16 -t"),
    ("[1,,]".encode("utf-16-le"), "iconv -f UTF-16LE"), ("[1,,]".encode("utf-16-be"), "iconv -f UTF-16BE"),
    ('["Z\xfcrich"]'.encode("latin-1"), "iconv -f WINDOWS-1252"),
    (gzip.compress(b'[{"a":1}]')[:-9], "a gzip file cut off"), (gzip.compress(gzip.compress(b"[1]")), "another packed file"),
    (gzip.compress(b" " * 9000000), "expands over 100:1"), (packed({"[Content_Types].xml": "<x/>"}), "save it as CSV"),
    (packed({}), "holds no file"), (packed({"a.zip": packed({"b": "[1]"})}), "another packed file"),
    (bytes.fromhex("28b52ffd0400"), "Zstandard file"), (b"BZh91AY&SY", "bunzip2 -c"),
    (b"\xfd7zXZ\0", "xz -dc"), (b"PK\3\4\x14\0", "damaged or cut off"), (b"PAR1....PAR1", "Parquet, a table already"),
    (b"SQLite format 3\0", "sqlite3 -json"), (b"%PDF-1.4\n", "it is a PDF"),
    (b"1;2\n3;4\n", "--no-header"),
    (b'{"a":1}{"a":2}', "jq -c ."), (b'{\n "a":1\n}\n{\n "a":2\n}\n', "jq -c ."), (b"1 2 3", "jq -c ."),
    (b'{"a":1},\n{"a":2}\n', "put a [ before them"), (b'{"a":1}' + b"\0" * 8 + b"x", "tr -d"),
    (b'[{"a":1},{"a":2', "cut off"), (b'"abc', "cut off"), (b'[{"a":1},] x', "take it out"), (b'{"a":1,} x', "take it out"),
    (b"{'a':1}", "json.dumps"), (b'{"a":None}', "json.dumps"), (b'{"a":True}', "json.dumps"),
    (b"// c\n[1]", "no comments"), (b'[1, /* c */ 2]', "no comments"), (b'cb({"a":1});', "JSONP"),
    (b')]}\'\n{"a":1}', "tail -n +2"), (b'\x1e{"a":\n1}\n', "goes on in the next line"), (b"a: 1\nb: 2\n", "or JSON Lines"),
    (bytes(range(256)), "or JSON Lines"))
# And what is right as it is, with its rows.
READABLE = (
    (b"a,b\n1,2\n3,4\n", b"a,b\n1,2\n3,4\n"), (b"a\tb\n1\t\n", b"a,b\n1,\n"), (b"<?xml version='1.0'?><r><b>1</b></r>", b"r.b\n1\n"),
    (gzip.compress(b'[{"a":1}]'), b"a\n1\n"), (gzip.compress(b"a;b\n1;2\n"), b"a,b\n1,2\n"),
    (packed({"x/a.json": '{"a":1}', "x/b.csv": "a,b\n2,3\n", "__MACOSX/a": "?"}), b"a,b\n1,\n2,3\n"),
    ("a;b\nZ\u00fcrich;1\n".encode("utf-16"), "a,b\nZ\u00fcrich,1\n".encode()),
    (b"[]", b""), (b"{}", b"\n"), (b"null", b""), (b"[null,null]", b"value\n\n\n"), (b"42", b"value\n42\n"), (b'"x"', b"value\nx\n"),
    (b'[{"a":NaN,"b":-Infinity},{"a":1,"b":"NaN"}]', b"a,b\n,\n1,NaN\n"), (b'{"a":1}\n{"a":NaN}\n', b'a\n1\n\n'),
    ('[{"a":"\u20ac"}]'.encode("utf-16"), "a\n\u20ac\n".encode()), ('{"a":1}\n{"a":2}\n'.encode("utf-16-be"), b"a\n1\n2\n"),
    (b'[{"a":1},]', b"a\n1\n"), (b'{"a":"x\ty",}' + b"\0" * 8, b"a\nx\ty\n"), (b"[1,2]", b"value\n1\n2\n"), (b"[[1,2],[3]]", b'value\n"[1,2]"\n[3]\n'), (b'\xef\xbb\xbf[{"a":1}]', b"a\n1\n"),
    (b'{"a":1}\r\n{"a":2}\r\n', b"a\n1\n2\n"), (b'[{"a":1}]\n[{"a":2}]\n', b"a\n1\n2\n"),
    (b'\x1e{"a":1}\n\x1e{"a":2}\n', b"a\n1\n2\n"), (b'{"a":1}\n{"a":\n{"a":3}\n', b"a\n1\n3\n"))


def test_file__gives_its_rows_or_a_way_out__whatever_a_newcomer_hands_in():
    path = scratch("given")
    for data, words in UNREADABLE:
        with open(path, "wb") as file:
            file.write(data)
        with open(scratch("old.csv"), "wb") as file:
            file.write(b"old\n")
        for arguments in ([path], ["-o", scratch("old.csv"), path]):
            ended = harness.run("normalise", *arguments)
            told = ended.err.decode(errors="replace")
            check((ended.code, ended.out) == (3, b"") and "error[E-TAB7]" in told.splitlines()[-1], repr(data), ended)
            check(words in told, f"{data!r}: no {words} in {told}")
        check_equal(harness.read(scratch("old.csv")), b"old\n", f"the old table beside {data!r}")
    for data, rows in READABLE:
        with open(path, "wb") as file:
            file.write(data)
        ended = harness.run("normalise", path)
        check_equal((ended.code, ended.out), (0, rows), f"{data!r}, {ended}")
    os.unlink(path)
    # One good file among others is a table, and the others are named with their way out.
    ended = harness.run("normalise", put(b'{"a":1}\n'), put(b"<html>", "page.html"))
    check(ended.code == 0 and ended.out == b"a\n1\n" and b"it is HTML" in ended.err, "one bad file of two:", ended)
    check_equal(harness.run("normalise", "--strict", put(b'{"a":1}\n'), put(b"<html>", "page.html")).code, 9, "with --strict")


def test_keys__are_all_there__when_the_document_is_cut_up():
    outer = ("x", "y", "z")
    text = "{" + ",".join('"%s":{%s}' % (o, ",".join('"%s %d":{"n":%d}' % (o, n, n) for n in range(80000))) for o in outer) + "}"
    check(len(text) > 9 << 19, "too short to be cut up")
    harness.succeed("normalise", "--records", "/*/*", "-o", scratch("t.csv"), put(text.encode(), "large.json"))
    want = "_key_1,_key,n\n" + "".join(f"{o},{o} {n},{n}\n" for o in outer for n in range(80000))
    check(harness.read(scratch("t.csv")).decode() == want, "keys of a large document are wrong")


def test_nan__is_an_empty_cell__in_every_pass_and_piece():
    count, odd = 60000, 60
    records = [(n, "NaN" if n % 1000 == 7 else f"{n}.5", f'"{n % 50000}"') for n in range(count)]
    texts = ['{"id":%d,"v":%s,"u":%s}' % record for record in records]
    rows = "".join(f"{n},{'' if v == 'NaN' else v},{json.loads(u)}\n" for n, v, u in records)
    lines = put("\n".join(texts).encode(), "nan.jsonl")
    array = put(b"[" + b",\n".join(text.encode() + b" " * 60 for text in texts) + b"]", "nan.json")
    check(os.path.getsize(array) > 5 << 20, "too short to be cut up")
    for path, documents in ((lines, odd), (array, 1)):
        for ending, arguments in (("csv", []), ("csv", ["--types"]), ("parquet", [])):
            ended = harness.succeed("normalise", "--json", *arguments, "-o", scratch(f"t.{ending}"), path)
            report = ended.report()
            check_equal((report["rows"], report["read_as"]), (count, {"nan": documents}), f"rows of {path} {arguments}")
            if ending == "csv":
                check(harness.read(scratch("t.csv")).decode() == "id,v,u\n" + rows, f"cells of {path} {arguments}")
            else:
                check_equal([(c["type"], c["values"]) for c in report["schema"]],
                            [("int64", count), ("double", count - odd), ("text", count)], "columns")
        harness.succeed("normalise", "--unique", "u", "-o", scratch("t.csv"), path)
        check(harness.read(scratch("t.csv")).decode() == "id,v,u\n" + "".join(rows.splitlines(True)[:50000]), f"unique of {path}")


def test_null__is_counted__where_a_record_should_be():
    path = put(b'{"items":null}\n{"items":[{"a":1}]}\n{"items":null}\n')
    ended = harness.run("normalise", "--json", "--records", "/items", "-o", scratch("t.csv"), path)
    check(ended.code == 0 and b"2 nulls where a record should be: no row" in ended.err, "nulls are not told:", ended)
    check_equal((ended.report()["nulls"], ended.report()["rows"]), (2, 1), "nulls and rows")


def test_output__is_refused__when_no_format_ends_so():
    path = put(b'{"a":1,"b":"x,y"}\n')
    for ending in ("xml", "avro", "xlsx", "txt", "gz", "parquet.gz", "XLS"):
        ended = harness.run("normalise", "-o", scratch(f"new.{ending}"), path)
        check(ended.code == 2 and b"error[E-ARG1]" in ended.err, f"-o new.{ending}:", ended)
        check(not os.path.exists(scratch(f"new.{ending}")), f"new.{ending} was written")
        for option in ("--csv", "--parquet"):
            ended = harness.run("run", option, scratch(f"new.{ending}"), "http://127.0.0.1:9/")
            check(ended.code == 2 and b"error[E-ARG1]" in ended.err, f"{option} new.{ending}:", ended)
        ended = harness.run("demo", "--plain", "--csv", scratch(f"new.{ending}"))
        check(ended.code == 2 and b"error[E-ARG1]" in ended.err, f"demo --csv new.{ending}:", ended)
    check_equal(harness.run("run", "--parquet", scratch("new.csv"), "http://127.0.0.1:9/").code, 2, "--parquet new.csv")
    for name, want in (("t.csv", b'a,b\n1,"x,y"\n'), ("t.CSV", b'a,b\n1,"x,y"\n'), ("t.tsv", b"a\tb\n1\tx,y\n"),
                       ("t", b'a,b\n1,"x,y"\n'), ("t.2026-11-21", b'a,b\n1,"x,y"\n')):
        harness.succeed("normalise", "-o", scratch(name), path)
        check_equal(harness.read(scratch(name)), want, name)
    harness.succeed("normalise", "-o", scratch("t2.tsv"), "--delimiter", ";", path)
    check_equal(harness.read(scratch("t2.tsv")), b"a;b\n1;x,y\n", "a delimiter that was asked for")


def test_table__ends_quietly__when_its_reader_has_had_enough():
    path = put(b'{"a":"a text of some length"}\n' * 200000)
    for arguments in (["normalise", path], ["normalise", "-o", "-", path]):
        child = harness.scrapetop(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check_equal(child.stdout.readline(), b"a\n", "the header")
        child.stdout.close()
        told = child.stderr.read()
        child.stderr.close()
        check_equal((child.wait(60), told), (0, b""), f"exit code and words of {arguments}")


def test_columns__beyond_count__are_told_with_the_way_to_their_records():
    keyed = ",".join('"id %d":{"n":%d}' % (n, n) for n in range(70000))
    for json_text, given, way in ((f"{{{keyed}}}", None, "'/*'"), (f'{{"a/b":{{{keyed}}}}}', None, "'/a~1b/*'"),
                                  (f'{{"x":{{"by id":{{{keyed}}}}}}}', "/x", "'/x/by id/*'"),
                                  (f'{{"x":{{{keyed}}}}}', "/*", "'/*/*'"), (f'[{{"x":{{{keyed}}}}}]', None, "'/*/x/*'")):
        options = ["--records", given] if given else []
        ended = harness.run("normalise", *options, "-o", scratch("t.csv"), put(json_text.encode(), "wide.json"))
        told = ended.err.decode().splitlines()[-1]
        check(ended.code == 3 and "error[E-COL1]" in told and told.endswith(f"; try --records {way}"), given, way, told)
        ended = harness.succeed("normalise", "--records", way.strip("'"), "-o", scratch("t.csv"), put(json_text.encode(), "wide.json"))
        check(b"70000 rows" in ended.err, "the way leads elsewhere:", ended)


def test_column__is_refused_with_the_near_ones__when_missing():
    path = put(LOTS)
    for option in ("--columns", "--unique", "--where-present"):
        refuse(3, "E-TAB5", 'did you mean "seller.name"?', option, "seler.name", "-o", scratch("old.csv"), path)


def test_output__is_refused__when_it_cannot_be_written():
    path = put(b'{"a":1}\n')
    os.mkdir(scratch("place"))
    refuse(8, "E-OUT1", "Not a directory", "-o", path + "/t.csv", path)
    refuse(8, "E-OUT1", "not a regular file", "-o", scratch("place"), path)
    check(stat.S_ISDIR(os.stat(scratch("place")).st_mode), "the directory is gone")
    ended = harness.run("normalise", "-o", "-", path,
                        preexec_fn=lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), 1))
    check(ended.code == 8 and b"No space left" in ended.err, "a full stdout is not told:", ended)


def test_old_table__stays__when_the_disk_is_full():
    path = put(b"".join(b'{"n":%d,"text":"%s"}\n' % (n, b"%x" % (n * n * 7919) * 8) for n in range(50000)))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, resource.RLIM_INFINITY))

    refuse(8, "E-OUT2", "File too large", "-o", scratch("old.csv"), path, preexec_fn=limit)
    os.rename(scratch("old.csv"), scratch("old.parquet"))
    ended = harness.run("normalise", "-o", scratch("old.parquet"), path, preexec_fn=limit)
    check(ended.code == 8 and harness.read(scratch("old.parquet")) == b"old\n", "the old table is gone:", ended)
    os.mkdir(scratch("small"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", scratch("small")],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        raise harness.Skipped("no tmpfs may be mounted here; only a file-size limit was tried")
    try:
        with open(scratch("small/t.csv"), "wb") as file:
            file.write(b"old\n")
        ended = harness.run("normalise", "-o", scratch("small/t.csv"), path)
        check(ended.code == 8 and b"No space left" in ended.err, "a full disk is not told:", ended)
        check_equal((os.listdir(scratch("small")), harness.read(scratch("small/t.csv"))), (["t.csv"], b"old\n"),
                    "what is on the full disk")
    finally:
        subprocess.run(["umount", scratch("small")], check=False)


if __name__ == "__main__":
    harness.main(globals())
