#!/usr/bin/env python3
"""Fails when a member of the snapshot's structs has no row in control/snapshot_fields.c: it would not be in frames.

usage: test_snapshot_fields.py SOURCE_ROOT
"""

import pathlib
import re
import sys

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STRUCT = re.compile(r"\bstruct (\w+) \{(.*?)\n\};", re.DOTALL)
HEADERS = ("engine/snapshot.h", "engine/limit_words.h", "plan/due.h")
# How many a list has: a list's row says it.
COUNTS = re.compile(r"(?:second|core|flight|wait|host|failure|failed_one|event|on|rule|rung|endpoint|attempt|worker)_count|"
                    r"body_shown")


def members(body):
    body = re.sub(r"struct \{(.*?)\}", "unsigned", body, flags=re.DOTALL)
    for statement in body.split(";"):
        words = re.sub(r"\[[^\]]*\]", "", statement).replace("*", " ").strip()
        if words:
            first, *more = words.split(",")
            yield first.split()[-1]
            yield from (name.strip() for name in more)


def main(root):
    rows = (root / "src/control/snapshot_fields.c").read_text(encoding="utf-8")
    rows = re.sub(r"\s+", " ", rows)
    missing, seen = [], 0
    for header in HEADERS:
        text = COMMENT.sub(" ", (root / "src" / header).read_text(encoding="utf-8"))
        for struct, body in STRUCT.findall(text):
            for member in members(body):
                seen += 1
                if not COUNTS.fullmatch(member) and not re.search(rf"\({struct}, {member}\b", rows):
                    missing.append(f"{header}: struct {struct}: {member}")
    print("\n".join(missing) or f"{seen} members, each with a row")
    return 1 if missing or seen < 150 else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
