#!/usr/bin/env bash
# page.sh: builds the pages of marey view and of programs that run, web/dist, where it is not newer than its sources.
# Packages come from npm, each as web/package-lock.json names it; none of their scripts run.
set -euo pipefail

cd web
log=../build/page.log
mkdir -p ../build
exec 9>../build/page.lock # several builds may want it at once
flock 9
run() {
    "$@" </dev/null >"$log" 2>&1 || {
        cat "$log" >&2
        echo "page.sh: '$*' failed" >&2
        exit 1
    }
}
newer() { # FILE THAN...: whether FILE is there and nothing of THAN was changed since
    [ -f "$1" ] && [ -z "$(find "${@:2}" -newer "$1" -print -quit)" ]
}
packages=node_modules/.package-lock.json
newer $packages package-lock.json || {
    echo "Installing the page's packages"
    run npm ci --ignore-scripts --no-audit --no-fund
    touch $packages
}
newer dist/single.html src ./*.html ./*.ts package.json $packages || {
    echo "Building the page"
    rm -rf dist
    run npm run build
}
