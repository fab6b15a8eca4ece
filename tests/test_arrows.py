#!/usr/bin/env python3
"""Fails when an #include runs against the arrows between the parts of the program.

A part may include itself, libc, and what stands in its row; nobody includes by "../". When this says
no, the question is which noun the two parts should hand each other, not how to widen the row.

And when one writes a sentence to stderr but by base/say.h, which alone makes it safe for a terminal.

usage: test_arrows.py SOURCE_ROOT      checks the tree
       test_arrows.py --self-test      checks this script
"""

import pathlib
import re
import sys
import tempfile

WRITES = re.compile(r"\b(v?fprintf|dprintf)\s*\(\s*(stderr|STDERR)|\b(fputs|fputc|putc|fwrite)\s*\([^;]*\bstderr\b|"
                    r"\bwrite\s*\(\s*STDERR")
# What a signal's handler writes is a constant, and so is progress in one line, but for its numbers.
WRITERS = {"crash.c", "table_run.c"}

# folder: what it may include. "plan/" is the whole part, "plan/request.h" one header of it.
MAY_INCLUDE = {
    "base": [],
    "job": ["base/", "cjson/"],
    "plan": ["base/", "job/"],
    "fetch": ["base/", "plan/request.h", "curl/", "uv.h"],
    "store": ["base/", "plan/request.h", "plan/found.h", "plan/place.h", "plan/rounds.h",
              "plan/failure.h", "fetch/response.h", "sqlite3.h", "uv.h"],
    "normalise": ["base/", "job/job.h"],
    "work": ["base/", "uv.h"],
    "table": ["base/", "job/job.h", "store/", "normalise/", "work/", "uv.h", "zstd.h"],
    "engine": ["base/", "job/", "plan/", "fetch/", "store/", "normalise/", "work/", "table/", "uv.h", "cjson/"],
    "demo": ["base/", "microhttpd.h", "zlib.h", "cjson/"],
    "ui": ["base/", "engine/snapshot.h", "engine/control.h", "curses.h"],
    "cmd": ["base/", "job/", "plan/", "fetch/", "store/", "normalise/", "work/", "table/", "engine/", "demo/",
            "ui/", "cjson/", "curl/", "uv.h", "curses.h", "sqlite3.h", "microhttpd.h"],
    "main.c": ["base/", "cmd/"],
}

# A library that one file alone may see, within a part that may include it.
ONLY_IN = {
    "sqlite3.h": {"store": r"ledger.*"},
}

# What is not libc: everything that the table above names, and every library somebody may think of.
FOREIGN = re.compile(r"(curl|cjson|uv)(/|\.h)|(sqlite3|microhttpd|zlib|zstd|curses|ncurses\w*|cmocka)\.h")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
# Both on one screen would tie the loop to the network library in more than one place.
NEVER_TOGETHER = ({"curl/curl.h", "uv.h"}, {("fetch", "multi_uv.c"), ("fetch", "multi_uv.h"), ("cmd", "version.c")})


def part_of(path, root):
    """The part a file belongs to: its folder below src, "ui", or "main.c"."""
    names = path.relative_to(root).parts
    return "ui" if names[0] == "ui" else names[1]


def faults_of(path, root):
    part = part_of(path, root)
    seen = set()
    for quote, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        seen.add(name)
        if ".." in name.split("/"):
            yield f'"{name}" goes up; write it from the root of the sources'
        elif part not in MAY_INCLUDE:
            yield f"{part} is no part of the program that this test knows"
        elif quote == "<" and not FOREIGN.match(name):
            continue
        elif quote == '"' and name.startswith(part + "/"):
            continue
        elif not any(name == may or (may.endswith("/") and name.startswith(may)) for may in MAY_INCLUDE[part]):
            yield f"{part} may not include {name}"
        elif part in ONLY_IN.get(name, {}) and not re.fullmatch(ONLY_IN[name][part], path.stem):
            yield f"within {part}, {path.name} may not include {name}"
    together, allowed = NEVER_TOGETHER
    if together <= seen and (part, path.name) not in allowed:
        yield f"{' and '.join(sorted(together))} meet in multi_uv only"
    if WRITES.search(path.read_text(encoding="utf-8")) and path.name not in WRITERS:
        yield "sentences go to stderr by base/say.h"


def check(root):
    files = sorted(p for top in ("src", "ui") for p in (root / top).rglob("*.[ch]"))
    faults = [f"{p.relative_to(root)}: {fault}" for p in files for fault in faults_of(p, root)]
    print("\n".join(faults) or f"{len(files)} files, every arrow in its direction")
    return 0 if files and not faults else 1


def self_test():
    cases = [
        ("src/base/x.c", '#include "base/str.h"\n#include <stdio.h>\n', 0),
        ("src/base/x.c", '#include "job/job.h"\n', 1),
        ("src/base/x.c", "#include <curl/curl.h>\n", 1),
        ("src/base/x.c", '  #  include "../job/job.h"\n', 1),
        ("src/fetch/x.c", '#include "plan/request.h"\n', 0),
        ("src/fetch/x.c", '#include "plan/host.h"\n', 1),
        ("src/fetch/x.c", "#include <curl/curl.h>\n#include <uv.h>\n", 1),
        ("src/fetch/multi_uv.c", "#include <curl/curl.h>\n#include <uv.h>\n", 0),
        ("src/store/ledger_sql.c", "#include <sqlite3.h>\n", 0),
        ("src/store/segment.c", "#include <sqlite3.h>\n", 1),
        ("src/normalise/x.c", "#include <uv.h>\n", 1),
        ("src/engine/x.c", '#include "ui/dashboard.h"\n', 1),
        ("ui/x.c", '#include "engine/snapshot.h"\n#include <curses.h>\n', 0),
        ("ui/x.c", '#include "engine/engine.h"\n', 1),
        ("src/utils/x.c", '#include "base/str.h"\n', 1),
        ("src/main.c", '#include "cmd/cmd.h"\n', 0),
        ("src/main.c", '#include "engine/engine.h"\n', 1),
        ("src/cmd/x.c", 'say(stderr, "%s", path);\n', 0),
        ("src/cmd/x.c", 'fprintf(stderr, "%s", path);\n', 1),
        ("src/engine/x.c", "fputs(path, stderr);\n", 1),
    ]
    for name, text, want in cases:
        with tempfile.TemporaryDirectory() as root:
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            got = len(list(faults_of(path, pathlib.Path(root))))
            assert min(got, 1) == want, (name, text, got)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(self_test() if sys.argv[1] == "--self-test" else check(pathlib.Path(sys.argv[1])))
