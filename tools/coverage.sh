#!/usr/bin/env bash
# coverage.sh: runs the C tests and prints, for each source, the share of its lines that ran.
set -euo pipefail

tools/build.sh coverage
find build/coverage -name '*.gcda' -delete
ctest --preset coverage -j "${JOBS:-2}"
root=$PWD
cd build/coverage
find . -name '*.gcda' -path '*src*' -print0 | xargs -0 gcov -n -r -s "$root" 2>/dev/null |
    awk -F"'" '/^File/ {file = $2} /^Lines executed/ && file ~ /^src/ {sub("Lines executed:", ""); print file "  " $0; file = ""}' |
    sort -u
