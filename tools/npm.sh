#!/usr/bin/env bash
# npm.sh FOLDER DONE: installs the packages that FOLDER/package-lock.json names, from npm; none of their scripts run. Then
# touches DONE.
set -euo pipefail

mkdir -p build
log=build/npm.log
echo "Installing $1/package-lock.json"
npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund </dev/null >"$log" 2>&1 || {
    cat "$log" >&2
    echo "npm.sh: npm ci in $1 failed" >&2
    exit 1
}
mkdir -p "$(dirname "$2")"
touch "$2"
