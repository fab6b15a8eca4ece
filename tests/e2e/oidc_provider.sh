#!/usr/bin/env bash
# OAuth 2.0 against oidc-provider, a certified server that nobody here wrote.
#
#   oidc_provider.sh PYTHON SCRIPT BUILD_DIR
#
# npm installs it into the build directory, once. Without npm, node or the registry its tests are skipped, loudly.
set -euo pipefail

python=$1
script=$2
build=$3/oidc_provider
version=9.3.0

install() {
    command -v node >/dev/null && command -v npm >/dev/null || {
        echo "node or npm is not installed: oidc-provider is asked by nobody" >&2
        return
    }
    [ -e "$build/installed-$version" ] && return
    mkdir -p "$build"
    echo '{ "private": true }' >"$build/package.json"
    if timeout 200 npm install --prefix "$build" --no-audit --no-fund --loglevel error \
        "oidc-provider@$version" >&2; then
        touch "$build/installed-$version"
    else
        echo "npm could not install oidc-provider: it is asked by nobody" >&2
    fi
}

install
OIDC_MODULES= # none
if [ -e "$build/installed-$version" ]; then
    OIDC_MODULES=$build/node_modules
fi
export OIDC_MODULES
exec "$python" -B "$script"
