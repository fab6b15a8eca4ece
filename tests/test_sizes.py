#!/usr/bin/env python3
"""Fails when a source file has more than 600 lines, or a function more than 70.

A file that is too long holds two subjects: the second one becomes a module with a header that says what it is for.
TABLES names what is long because it is a table.

usage: test_sizes.py SOURCE_ROOT    checks the tree
       test_sizes.py --self-test    checks this script
"""

import pathlib
import sys
import tempfile

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

# "file" or "file: function", and why its length is no sign of two subjects.
TABLES = {
    "tests/ui_scenes.c: ui_scene_fill": "a case for each scene",
}


def functions(lines):
    """(name, length without braces) of each function that is defined; clang-format puts both braces in column 1."""
    begin = None
    for number, line in enumerate(lines):
        if line == "{":
            begin = number
        elif line.startswith("}") and begin is not None:
            head = begin - 1
            while head > 0 and lines[head].startswith(" "):  # the rest of its parameters
                head -= 1
            yield lines[head].split("(")[0].split()[-1].lstrip("*"), number - begin - 1
            begin = None


def faults_of(name, text):
    lines = text.split("\n")
    count = text.count("\n")
    if count > FILE_LINES_MAX and name not in TABLES:
        yield f"{name}: {count} lines, want {FILE_LINES_MAX} at most: what second subject is there?"
    for function, length in functions(lines):
        if length > FUNCTION_LINES_MAX and f"{name}: {function}" not in TABLES:
            yield f"{name}: {function} has {length} lines, want {FUNCTION_LINES_MAX} at most"


def faults_in(root):
    files = sorted(p for top in ("src", "ui", "tests") for p in (root / top).rglob("*.[ch]"))
    names = {str(p.relative_to(root)): p for p in files}
    faults = [f for name, p in names.items() for f in faults_of(name, p.read_text(encoding="utf-8"))]
    faults += [f"{name} is not there: take it off the list"
               for name in sorted({t.split(":")[0] for t in TABLES}) if name not in names]
    return faults if files else [f"{root} has no sources"]


def check(root):
    faults = faults_in(root)
    print("\n".join(faults) or "short enough")
    return 1 if faults else 0


def self_test():
    body = "    x();\n"
    cases = [
        ("a.c", "int a(void)\n{\n" + body * 70 + "}\n", 0),
        ("a.c", "int a(void)\n{\n" + body * 71 + "}\n", 1),
        ("a.c", "int a(int b,\n      int c)\n{\n" + body * 71 + "}\n", 1),
        ("a.c", "static const int a[] = {\n" + "    1,\n" * 90 + "};\n", 0),
        ("a.c", "\n" * 600, 0),
        ("a.c", "\n" * 601, 1),
    ]
    for name, text, want in cases:
        got = list(faults_of(name, text))
        assert len(got) == want, (text[:40], got)
    assert any(": a has 71 lines" in fault for fault in faults_of("a.c", cases[2][1]))
    TABLES["long.c"] = "a table for this test"
    assert not list(faults_of("long.c", "\n" * 601))
    with tempfile.TemporaryDirectory() as root:
        (pathlib.Path(root) / "src").mkdir()
        (pathlib.Path(root) / "src/a.c").write_text("\n", encoding="utf-8")
        assert "long.c is not there: take it off the list" in faults_in(pathlib.Path(root))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(self_test() if sys.argv[1] == "--self-test" else check(pathlib.Path(sys.argv[1])))
