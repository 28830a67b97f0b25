#!/usr/bin/env bash
# packages.sh VENV REQUIREMENTS STAMP: installs a list of Python packages and touches the stamp; nothing to do where the
# stamp is younger than the list.
set -euo pipefail

[ "$3" -nt "$2" ] && exit 0

echo "Installing $2 into $1"
"$1/bin/python" -m pip install -q --disable-pip-version-check --no-input -r "$2"
mkdir -p "$(dirname "$3")"
touch "$3"
