#!/usr/bin/env bash
# demo.sh BIN: records examples/index_stdlib.py at its work (it indexes the standard library of BIN/python, in processes,
# threads and tasks), shows the report of `marey run`, then what the file holds.
set -euo pipefail

bin=$(cd "$1" && pwd)
trace=build/demo.perfetto-trace
mkdir -p build
PATH=$bin:$PATH
marey run -o "$trace" examples/index_stdlib.py
echo
marey info -n 8 "$trace"
marey check "$trace"
echo
echo "See it in the browser: marey view $trace; or open it in https://ui.perfetto.dev."
