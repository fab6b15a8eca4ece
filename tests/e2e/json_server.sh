#!/usr/bin/env bash
# Job files against json-server and httpbin, which nobody here wrote.
#
#   json_server.sh PYTHON SCRIPT BUILD_DIR
#
# npm installs json-server into the build directory, once. Without npm, node or the registry its tests
# are skipped, loudly; those against httpbin (Debian's python3-httpbin) run all the same.
set -euo pipefail

python=$1
script=$2
build=$3/json_server
version=0.17.4 # the last with _page, _limit, Link and X-Total-Count

install() {
    command -v node >/dev/null && command -v npm >/dev/null || {
        echo "node or npm is not installed: json-server is asked by nobody" >&2
        return
    }
    [ -e "$build/installed-$version" ] && return
    mkdir -p "$build"
    echo '{ "private": true }' >"$build/package.json"
    if timeout 200 npm install --prefix "$build" --no-audit --no-fund --loglevel error \
        "json-server@$version" >&2; then
        touch "$build/installed-$version"
    else
        echo "npm could not install json-server: it is asked by nobody" >&2
    fi
}

install
JSON_SERVER= # none
if [ -e "$build/installed-$version" ]; then
    JSON_SERVER=$build/node_modules/.bin/json-server
fi
export JSON_SERVER
exec "$python" -B "$script"
