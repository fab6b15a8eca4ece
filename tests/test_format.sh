#!/bin/sh
# Fails when a source file is not laid out as .clang-format says. Exit code 77 (skipped) without the
# tool: its layout differs between versions, so only the one that the project uses counts.
set -eu
root=$1
tool=$(command -v clang-format-14) || exit 77
find "$root/src" "$root/ui" "$root/tests" -name '*.[ch]' -print0 | sort -z |
    xargs -0 "$tool" --dry-run --Werror --style=file
