#!/usr/bin/env bash
# sanitize.sh [PRESET...]: builds and runs the C tests under each sanitizer, and under valgrind.
set -uo pipefail

[ $# -gt 0 ] || set -- asan ubsan tsan valgrind
status=0
for preset in "$@"; do
    echo "== C tests, $preset"
    tools/build.sh "$preset" && ctest --preset "$preset" -j "${JOBS:-2}" || status=1
done
exit $status
