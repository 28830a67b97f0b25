#!/usr/bin/env bash
# test.sh BIN unit|page|python|stack...: runs the C tests (ctest, build/dev), those of the page's modules (vitest), the Python,
# command and crash tests (pytest, with what is installed beside BIN/python). All that was asked for runs, also where the first fails.
set -uo pipefail

bin=$(cd "$1" 2>/dev/null && pwd)
shift
status=0
for kind in "$@"; do
    case $kind in
    unit)
        echo "== C tests"
        ctest --preset dev -j "${JOBS:-2}" || status=1
        ;;
    page)
        echo "== The page's modules"
        npm --prefix web test --silent -- --reporter=dot || status=1
        ;;
    python)
        echo "== Python, command and crash tests"
        PATH=$bin:$PATH MAREY_BUILD=$PWD/build/dev "$bin/python" -m pytest -q || status=1
        ;;
    stack)
        echo "== Stacks of every CPython that is found"
        PATH=$bin:$PATH MAREY_BUILD=$PWD/build/dev "$bin/python" -m pytest -q tests/stack || status=1
        ;;
    esac
done
exit $status
