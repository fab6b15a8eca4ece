#!/usr/bin/env bash
# Reads our Parquet files with DuckDB and hyparquet, which npm installs into the build directory.
#
#   parquet_reads.sh PROGRAM BUILD_DIR
#
# Exit code 77 (skipped) when there is no node or the registry cannot be reached: said loudly, as
# nothing else shows that others can read what we write.
set -euo pipefail

program=$1
build=$2/parquet_readers
script=$(dirname "$0")/parquet_reads.mjs
packages=(@duckdb/node-api hyparquet hyparquet-compressors)

skip() {
    echo "SKIPPED: $1: Parquet files were read back by nobody" >&2
    exit 77
}

command -v node >/dev/null && command -v npm >/dev/null || skip "node or npm is not installed"
mkdir -p "$build"
if [ ! -e "$build/installed" ]; then
    echo '{ "private": true }' >"$build/package.json"
    timeout 240 npm install --prefix "$build" --no-audit --no-fund --loglevel error "${packages[@]}" >&2 ||
        skip "npm could not install ${packages[*]}"
    touch "$build/installed"
fi
# Modules are looked for from where the script lies.
cp "$script" "$build/parquet_reads.mjs"
folder=$(mktemp -d "${TMPDIR:-/tmp}/scrapetop-parquet-XXXXXX")
trap 'rm -rf "$folder"' EXIT
node "$build/parquet_reads.mjs" "$program" "$folder"
