"""`normalise` on files, through the command: each option, and every kind of input that is bad.

Options: a table of arguments, input, and the output byte for byte. Bad input: what is told, the exit
code, and which rows are there all the same.
"""

import ctypes
import json
import os
import resource
import stat
import subprocess

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
    (["--columns", "id,bid", "--unique", "id"], LOTS, b"id,bid\n1,12.50\n2,\n", "1 rows dropped"),
    (["--columns", "id,bid", "--unique", "id,bid"], LOTS, b"id,bid\n1,12.50\n2,\n1,7\n", ""),
    (["--columns", "id,bid", "--where-present", "bid"], LOTS, b"id,bid\n1,12.50\n1,7\n", "1 rows dropped"),
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
    ([], b'{"a.b":1,"a":{"b":2}}\n', b"a.b,a.b_2\n1,2\n", "1 columns got a suffix"),
    ([], b'{"a":1,"a":2}\n', b"a\n2\n", "1 keys stood twice"),
    (["--records", "/*"], b'{"x":{"n":1},"y":{"n":2}}', b"_key,n\nx,1\ny,2\n", ""),
]

HUGE = 100_000

BAD = [
    # input, rows, records skipped, words on stderr
    (b'{"a":1}\n{"a":2,}\n{"a":3}\n', b"1\n3\n", 1, 'in.jsonl:2: expected a quoted member name at byte 7'),
    (b'{"a":1}\n{"a":2', b"1\n", 1, "in.jsonl:2: JSON ends at byte 6 inside object"),
    (b'{"a":1}\n{"a":"x\x00y"}\n{"a":3}\n', b"1\n3\n", 1, "in.jsonl:2: control character \\x00 in string at byte 7"),
    (b'{"a":1}\n\x00\x00\n{"a":3}\n', b"1\n3\n", 1, "in.jsonl:2: "),
    (b'{"a":1}\n{"a":"\xff"}\n{"a":3}\n', b"1\n3\n", 1, "in.jsonl:2: invalid UTF-8 at byte 6 (0xff)"),
    (b'{"a":1}\n{"a":' + b"[" * HUGE + b"]" * HUGE + b'}\n{"a":3}\n', b"1\n3\n", 1,
     "in.jsonl:2: nesting deeper than 1024 at byte 1028"),
    (b'{"a":1}\n' + b'{"a":' * HUGE + b"1" + b"}" * HUGE + b'\n{"a":3}\n', b"1\n3\n", 1,
     "in.jsonl:2: nesting deeper than 1024"),
    (b'{"a":1}\n\n{"a":NaN}\n{"a":01}\n{\'a\':1}\nnull x\n', b"1\n", 4, "in.jsonl:3: "),
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
    path = put(good + b'{"a":"x","b":1,"c":[2],}\n' + good)
    for name in ("t.csv", "t.parquet"):
        report = harness.succeed("normalise", "--json", "-o", scratch(name), path).report()
        check_equal((report["rows"], report["skipped"]["invalid"]["count"]), (60000, 1), "rows, skipped")
        check_equal(report["schema"], [{"name": "a", "type": "int64", "values": 60000},
                                       {"name": "b", "type": "text", "values": 60000}], "columns and types")
        check(f"{path}:30001: " in report["skipped"]["invalid"]["first"][0], "line:", report["skipped"])


def test_document__is_skipped_with_its_byte__when_bad():
    ended = harness.succeed("normalise", "-o", scratch("t.csv"), put(b'{"a":[1,\n 2,\n x]}', "doc.json"))
    check(b"doc.json: expected a value at byte 14" in ended.err, "not told:", ended)
    ended = harness.succeed("normalise", "-o", scratch("t.csv"), put(b"[" * HUGE + b"]" * HUGE, "deep.json"))
    check(b"deep.json: nesting deeper than 1024 at byte 1024" in ended.err, "not told:", ended)


# --- large input -------------------------------------------------------------------------------------

DOCUMENT_MIB = scaled(200, 20)
MEMORY_MIB = scaled(64, 32)


def test_document_of_200_mib__stays_within_memory__when_that_is_less():
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


def test_column__is_refused_with_the_near_ones__when_missing():
    path = put(LOTS)
    for option in ("--columns", "--unique", "--where-present"):
        refuse(3, "E-TAB5", "did you mean seller.name?", option, "seler.name", "-o", scratch("old.csv"), path)


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
