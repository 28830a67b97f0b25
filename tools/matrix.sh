#!/usr/bin/env bash
# matrix.sh: builds the wheel and runs the Python tests with every CPython from 3.9 on that is found: on PATH, below
# ~/.pyenv/versions, and in $PYTHONS (a list of paths). Each has an environment of its own in .venv-matrix/. With
# UNSTABLE=DIR also those of a Debian unstable, which is made in DIR if it is not there (tools/unstable.sh, as root).
set -uo pipefail

find_pythons() {
    local candidate
    for candidate in ${PYTHONS:-} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python $(compgen -c python3. | sort -u); do
        [[ $(basename "$candidate") =~ ^python[0-9.]*(t|-dbg)?$ ]] || continue
        "$candidate" -c '
import sys, sysconfig
assert sys.version_info >= (3, 9) and sys.implementation.name == "cpython"
free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
debug = "d" if hasattr(sys, "gettotalrefcount") else ""
print("%d.%d%s%s" % (*sys.version_info[:2], free, debug), sys.executable)' 2>/dev/null
    done | sort -V | awk '!seen[$1]++'
}

test_one() { # NAME PYTHON
    local venv=.venv-matrix/${VENVS:-}$1
    PYTHON=$2 tools/venv.sh "$venv" &&
        tools/packages.sh "$venv" tools/requirements-build.txt "$venv/done/build-packages" &&
        tools/packages.sh "$venv" tests/requirements.txt "$venv/done/test-packages" &&
        tools/install.sh "$venv" "$venv/done/install" &&
        tools/test.sh "$venv/bin" python
}

passed=() failed=()
while read -r name python; do
    echo "==== CPython $name ($python)"
    if test_one "$name" "$python" </dev/null; then passed+=("$name"); else failed+=("$name"); fi
done < <(find_pythons)
if [ -n "${UNSTABLE:-}" ]; then
    # A pyenv of ours is not theirs.
    if tools/unstable.sh "$UNSTABLE" env -u UNSTABLE -u PYTHONS PYENV_ROOT=/nonexistent VENVS=unstable- JOBS="${JOBS:-2}" \
        tools/matrix.sh; then passed+=(unstable); else failed+=(unstable); fi
fi
echo "make test-matrix: passed: ${passed[*]:-none}; failed: ${failed[*]:-none}"
[ ${#failed[@]} -eq 0 ] && [ ${#passed[@]} -gt 0 ]
