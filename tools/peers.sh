#!/usr/bin/env bash
# peers.sh VENV REQUIREMENTS STAMP: as packages.sh; but where the list cannot be installed as a whole, each of its packages
# is tried alone, and what cannot be installed is left out and said. A stamp is only made where all are there.
set -euo pipefail

[ "$3" -nt "$2" ] && exit 0
tools/packages.sh "$@" 2>/dev/null && exit 0

grep -v '^ *\(#\|$\)' "$2" | while read -r package; do
    "$1/bin/python" -m pip install -q --disable-pip-version-check --no-input "$package" >/dev/null 2>&1 ||
        echo "bench: left out of $1, it cannot be installed: $package" >&2
done
