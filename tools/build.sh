#!/usr/bin/env bash
# build.sh PRESET: configures where needed and builds build/PRESET. Says little unless it fails.
set -euo pipefail

log=build/$1.log
mkdir -p build
run() {
    "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        echo "build.sh: '$*' failed" >&2
        exit 1
    }
}
[ -f "build/$1/build.ninja" ] || { echo "Configuring build/$1" && run cmake --preset "$1"; }
echo "Building build/$1"
run cmake --build --preset "$1" -j "${JOBS:-2}"
