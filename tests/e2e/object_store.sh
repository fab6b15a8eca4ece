#!/usr/bin/env bash
# Tables as objects: s3rver keeps them, and AWS's own signer (@smithy/signature-v4) judges each signature.
#
#   object_store.sh PYTHON SCRIPT BUILD_DIR
#
# npm installs both into the build directory, once. Without npm, node or the registry the tests are skipped, loudly.
set -euo pipefail

python=$1
script=$2
build=$3/object_store
packages=(s3rver@3.7.1 @smithy/signature-v4@5.7.5 @smithy/protocol-http@5.6.2 @aws-crypto/sha256-js@5.2.0)

install() {
    command -v node >/dev/null && command -v npm >/dev/null || {
        echo "node or npm is not installed: no object store is asked" >&2
        return
    }
    [ -e "$build/installed" ] && return
    mkdir -p "$build"
    echo '{ "private": true }' >"$build/package.json"
    if timeout 200 npm install --prefix "$build" --no-audit --no-fund --loglevel error "${packages[@]}" >&2; then
        touch "$build/installed"
    else
        echo "npm could not install s3rver: no object store is asked" >&2
    fi
}

install
OBJECT_STORE_MODULES= # none
if [ -e "$build/installed" ]; then
    OBJECT_STORE_MODULES=$build/node_modules
fi
export OBJECT_STORE_MODULES
exec "$python" -B "$script"
