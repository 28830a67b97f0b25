#!/usr/bin/env bash
# venv.sh FOLDER: a virtual environment of $PYTHON there, unless a working one is there.
set -euo pipefail

"$1/bin/python" -m pip --version >/dev/null 2>&1 && exit 0
echo "Making the virtual environment $1"
rm -rf "$1"
"${PYTHON:-python3}" -m venv "$1"
