#!/bin/sh
# Fails when a source file does not compile against musl's headers (Alpine). The libraries' headers are this machine's.
# Exit code 77 (skipped) without musl-gcc, which Debian has in musl-tools.
set -eu
root=$1
command -v musl-gcc >/dev/null || {
    echo "no musl-gcc: musl's headers are not tried" >&2
    exit 77
}
cd "$root"
flags="-std=c17 -D_GNU_SOURCE -DSCRAPETOP_VERSION=\"0\" -DSCRAPETOP_HAS_DEMO=1 -DSCRAPETOP_HAS_FLEET=1 -DSCRAPETOP_HAS_POSTGRES=1 -Isrc -I. $(pkg-config --cflags ncursesw)"
system="$(pkg-config --cflags libpq | sed "s/-I/-idirafter /g") -idirafter /usr/include -idirafter /usr/include/$(gcc -dumpmachine)"
# json_kernel_avx2.c and _avx512.c need their processor's flags, and have nothing of a system.
find src ui -name '*.c' ! -path src/base/os/bsd.c ! -name "json_kernel_avx*.c" -print0 | sort -z |
    xargs -0 -n 8 -P "$(nproc)" musl-gcc -fsyntax-only $flags $system
