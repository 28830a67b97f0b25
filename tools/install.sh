#!/usr/bin/env bash
# install.sh VENV STAMP: builds Marey as users get it, by pip, installs it into the environment and touches the stamp.
# The build folder is kept, so that the next time only what changed is compiled.
set -euo pipefail

echo "Building Marey and installing it into $1"
"$1/bin/python" -m pip install -q --disable-pip-version-check --no-input --no-build-isolation --no-deps --force-reinstall \
    --config-settings=build-dir='build/wheel/{wheel_tag}' .
mkdir -p "$(dirname "$2")"
touch "$2"
