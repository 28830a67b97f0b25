#!/usr/bin/env bash
# check.sh BIN: formats, linters and types; all of them, also where the first complains.
set -uo pipefail

bin=$1
failed=()
step() { # NAME COMMAND...
    echo "== $1"
    "${@:2}" || failed+=("$1")
}

# A configuration of its own, with the Python extension, for the linters to know each file's flags.
configure() {
    cmake --preset dev -B build/check -DMAREY_PYTHON=ON -DPython_EXECUTABLE="$PWD/$bin/python" >build/check.log 2>&1 ||
        { cat build/check.log; return 1; }
}
mkdir -p build
configure || exit 1
mapfile -t c_files < <(find include src tests examples bench -name '*.[ch]' | sort)
mapfile -t sources < <(find src -name '*.c' | sort)

tidy() {
    printf '%s\0' "${sources[@]}" | xargs -0 -P "${JOBS:-2}" -n 4 clang-tidy-14 -p build/check --quiet 2>build/tidy.log ||
        { grep -v 'warnings generated' build/tidy.log; return 1; }
}

formatted() {
    local file status=0
    for file in "${c_files[@]}"; do
        clang-format-14 --dry-run --Werror "$file" 2>/dev/null || { echo "$file: not formatted (make format)"; status=1; }
    done
    return $status
}

page() {
    tools/page.sh && npm --prefix web run -s check
}

step clang-format formatted
step clang-tidy tidy
step cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j "${JOBS:-2}" \
    --enable=warning,performance,portability --suppressions-list=tools/cppcheck.txt -D__x86_64__ -D__GNUC__=12 \
    -I include -I src src
step ruff "$bin/ruff" check -q --output-format concise .
step ruff-format "$bin/ruff" format --check .
step mypy "$bin/mypy"
step page page

if [ ${#failed[@]} -gt 0 ]; then
    echo "make check: failed: ${failed[*]}"
    exit 1
fi
echo "make check: all passed (clang-format, clang-tidy, cppcheck, ruff, mypy, tsc, biome)"
