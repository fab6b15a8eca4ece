#!/usr/bin/env python3
"""Fails when an #include runs against the arrows between the parts of the program, or round in a circle.

A part may include itself, libc, and what stands in its row; nobody includes by "../". When this says
no, the question is which noun the two parts should hand each other, not how to widen the row.

And when one writes a sentence to stderr but by base/say.h, which alone makes it safe for a terminal.

Within a part no files stand in a circle: not by what they include, nor by the functions and tables that they use of
each other's. What two files call of each other belongs in a third file below both, or one hands the other a callback.
HONEST names the files that call each other because what they walk is recursive.

usage: test_arrows.py SOURCE_ROOT      checks the tree
       test_arrows.py --circles SOURCE_ROOT [PART]   prints the circles there are, and what ties those of PART
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
    "read": ["base/", "brotli/", "expat.h", "zip.h", "zlib.h", "zstd.h"],
    "job": ["base/", "cjson/", "openssl/"],
    "plan": ["base/", "job/"],
    "fetch": ["base/", "job/job_network.h", "job/proxy_url.h", "read/coding.h", "plan/request.h", "curl/", "openssl/",
              "uv.h"],
    "store": ["base/", "read/packed_text.h", "plan/request.h", "plan/discovered.h", "plan/sort_key.h", "plan/rounds.h",
              "plan/failure.h", "fetch/response.h", "sqlite3.h", "uv.h"],
    "normalise": ["base/", "read/", "job/job.h"],
    "changes": ["base/", "store/", "normalise/", "sqlite3.h", "zstd.h"],
    "work": ["base/", "uv.h"],
    "s3": ["base/", "curl/", "openssl/"],
    "table": ["base/", "s3/", "job/job.h", "plan/sort_key.h", "read/", "store/", "normalise/", "work/", "uv.h", "sqlite3.h", "libpq-fe.h", "zlib.h", "zstd.h"],
    "fleet": ["base/", "hiredis/", "openssl/", "uv.h"],
    "engine": ["base/", "fleet/", "read/", "job/", "plan/", "fetch/", "store/", "normalise/", "work/", "table/", "uv.h", "cjson/"],
    "control": ["base/", "engine/snapshot.h", "engine/report.h", "store/run_dir.h", "plan/failure.h", "uv.h"],
    "demo": ["base/", "microhttpd.h", "zlib.h", "cjson/"],
    "ui": ["base/", "engine/snapshot.h", "engine/control.h", "curses.h"],
    "history": ["base/", "job/", "plan/", "store/", "engine/", "control/", "ui/", "uv.h"],
    "session": ["base/", "fleet/", "job/", "plan/", "fetch/", "store/", "work/", "table/", "engine/", "history/", "demo/",
                "control/", "ui/", "curl/", "uv.h"],
    "probe": ["base/", "read/", "job/", "plan/", "fetch/", "normalise/", "uv.h"],
    "cmd": ["base/", "fleet/", "job/", "plan/", "fetch/", "store/", "normalise/", "work/", "table/", "engine/", "demo/",
            "session/", "probe/", "history/", "control/", "ui/", "changes/", "cjson/", "curl/", "uv.h", "curses.h", "sqlite3.h",
            "microhttpd.h", "openssl/", "brotli/", "expat.h", "zip.h", "zlib.h", "zstd.h"],  # version.c asks all
    "main.c": ["base/", "cmd/"],
}

# A library that one file alone may see, within a part that may include it.
ONLY_IN = {
    "sqlite3.h": {"store": r"ledger.*", "table": r"sqlite_.*", "changes": r"state_sqlite.*"},
    "libpq-fe.h": {"table": r"postgres_link"},
}

# What systems do differently stands in base/os/ alone (base/os.h has a name for each).
OF_ONE_SYSTEM = re.compile(
    r"\b(fdatasync|fsync|F_FULLFSYNC|F_OFD_\w+|renameat2|RENAME_NOREPLACE|memfd_create|O_TMPFILE|p?fallocate|"
    r"posix_fallocate|sync_file_range|SCHED_IDLE|sched_setscheduler|CLOCK_BOOTTIME|getrandom|explicit_bzero|pipe2|dup3|"
    r"accept4|eventfd\w*|epoll_(?:create1?|ctl|wait)|kqueue|kevent|prctl|SO_PEERCRED|SOCK_CLOEXEC|SOCK_NONBLOCK|MSG_NOSIGNAL|ppoll|mallopt|"
    r"getauxval|memrchr|st_mtim|socketpair|copy_file_range|statfs|gettid|close_range)\b|\"/proc/(?!self/fd/\")|/proc/%|"
    r"<(?:asm|linux|mach)/\w+\.h>|<sys/(?:auxv|epoll|event|eventfd|prctl|syscall|sysctl|sysinfo)\.h>")

# What is not libc: everything that the table above names, and every library somebody may think of.
FOREIGN = re.compile(r"(curl|cjson|uv|openssl|hiredis)(/|\.h)|(sqlite3|libpq-fe|microhttpd|zlib|zstd|zip|expat|curses|ncurses\w*|cmocka)\.h")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
# Both on one screen would tie the loop to the network library in more than one place.
NEVER_TOGETHER = ({"curl/curl.h", "uv.h"}, {("fetch", "multi_uv.c"), ("fetch", "multi_uv.h"), ("cmd", "version.c")})

# Files that call each other because what they walk is recursive: "src/part/file.c". None does now.
HONEST = set()

NO_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
FUNCTION = re.compile(r"^(?!static\b|typedef\b|#)[A-Za-z_][\w *]*?[\s*]([a-z_]\w*)\([^;{}]*\)\s*\{", re.MULTILINE)
TABLE = re.compile(r"^const [\w *]*?\b(\w+)(?:\[[^\]]*\])* = ", re.MULTILINE)
WORD = re.compile(r"\b[a-z_]\w*\b")


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
    text = path.read_text(encoding="utf-8")
    if WRITES.search(text) and path.name not in WRITERS:
        yield "sentences go to stderr by base/say.h"
    if path.parent != root / "src/base/os" and (own := OF_ONE_SYSTEM.search(COMMENT.sub(" ", text))):
        yield f"{own[0]} is not on every system; base/os.h has a name for it"


def arrows_within(files, root):
    """{file: {file: what it takes of it}} for the files of one part, each by its path below the root."""
    text = {str(p.relative_to(root)): p.read_text(encoding="utf-8") for p in files}
    code = {name: NO_CODE.sub(" ", t) for name, t in text.items()}
    owner = {}
    for name in sorted(n for n in code if n.endswith(".c")):
        for found in FUNCTION.findall(code[name]) + TABLE.findall(code[name]):
            owner.setdefault(found, name)
    arrows = {name: {} for name in text}
    for name in text:
        for _, header in INCLUDE.findall(text[name]):
            to = header if header in text else f"src/{header}"
            if to in text and to != name:
                arrows[name].setdefault(to, set()).add("#include")
        for word in set(WORD.findall(code[name])) if name.endswith(".c") else ():
            if owner.get(word, name) != name:
                arrows[name].setdefault(owner[word], set()).add(word)
    return arrows


def circles_of(arrows):
    """Sets of files that reach each other, the largest first."""
    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for to in arrows[todo.pop()]:
                if to not in seen:
                    seen.add(to)
                    todo.append(to)
        return seen

    far = {name: reach(name) for name in arrows}
    circles = {frozenset(to for to in far[name] if name in far[to]) for name in arrows if name in far[name]}
    return sorted(circles, key=lambda c: (-len(c), sorted(c)))


def parts(files, root):
    by_part = {}
    for p in files:
        by_part.setdefault(part_of(p, root), []).append(p)
    return by_part


def circle_faults(files, root):
    for part, own in sorted(parts(files, root).items()):
        circles = [c for c in circles_of(arrows_within(own, root)) if not c <= HONEST]
        if circles:
            yield (f"{part}: {sum(map(len, circles))} files stand in circles; the largest: "
                   f"{', '.join(sorted(circles[0]))} (--circles SOURCE_ROOT {part} says what ties them)")


def print_circles(root, wanted):
    for part, own in sorted(parts(sources(root), root).items()):
        arrows = arrows_within(own, root)
        circles = circles_of(arrows)
        print(f"{part}: {len(own)} files, in circles {[len(c) for c in circles]}")
        for circle in circles if part == wanted else ():
            for name in sorted(circle):
                for to in sorted(circle & arrows[name].keys()):
                    print(f"  {name} -> {to}: {', '.join(sorted(arrows[name][to]))}")
    return 0


def sources(root):
    return sorted(p for top in ("src", "ui") for p in (root / top).rglob("*.[ch]"))


def check(root):
    files = sources(root)
    faults = [f"{p.relative_to(root)}: {fault}" for p in files for fault in faults_of(p, root)]
    faults += circle_faults(files, root)
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
        ("src/store/x.c", "/* as fdatasync does */\nreturn os_fdatasync(fd);\n", 0),
        ("src/store/x.c", "return fdatasync(fd);\n", 1),
        ("src/session/x.c", 'open("/proc/self/stat", O_RDONLY);\n', 1),
        ("src/base/x.c", "#include <sys/auxv.h>\n", 1),
        ("src/base/x.c", "#include <sys/stat.h>\n", 0),
        ("src/base/os/linux.c", "#include <sys/auxv.h>\n", 0),
        ("src/base/os/linux.c", "return fdatasync(fd);\n", 0),
    ]
    for name, text, want in cases:
        with tempfile.TemporaryDirectory() as root:
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            got = len(list(faults_of(path, pathlib.Path(root))))
            assert min(got, 1) == want, (name, text, got)
    self_test_circles()
    return 0


def self_test_circles():
    there = '#include "base/b.h"\nint a(void)\n{\n    return b();\n}\n'
    cases = [
        ({"a.c": there, "b.c": "int b(void)\n{\n    return 1;\n}\n"}, []),
        ({"a.c": there, "b.c": "int b(void)\n{\n    return a();\n}\n"}, [2]),
        ({"a.c": there, "b.c": 'int b(void)\n{\n    say("a"); /* a */\n}\n'}, []),
        ({"a.h": '#include "base/b.h"\n', "b.h": '#include "base/a.h"\n'}, [2]),
        ({"a.c": "const struct row a = {\n    b };\n", "b.c": "int b(void)\n{\n    return a.x;\n}\n"}, [2]),
        ({"a.c": "int a(void)\n{\n    return a();\n}\n"}, []),
    ]
    for texts, want in cases:
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "src/base").mkdir(parents=True)
            for file, text in texts.items():
                (root / "src/base" / file).write_text(text, encoding="utf-8")
            got = [len(c) for c in circles_of(arrows_within(sources(root), root))]
            assert got == want, (texts, got)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--circles"] and len(sys.argv) in (3, 4):
        sys.exit(print_circles(pathlib.Path(sys.argv[2]), (sys.argv + [""])[3]))
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(self_test() if sys.argv[1] == "--self-test" else check(pathlib.Path(sys.argv[1])))
