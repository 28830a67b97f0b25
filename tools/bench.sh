#!/usr/bin/env bash
# bench.sh: measures in an environment of its own, .venv-bench, with Marey as users get it and the peers from the package
# index; writes bench/RESULTS.md.
set -euo pipefail

venv=.venv-bench
tools/venv.sh "$venv"
tools/packages.sh "$venv" tools/requirements-build.txt "$venv/done/build-packages"
tools/peers.sh "$venv" bench/requirements.txt "$venv/done/peers"
tools/install.sh "$venv" "$venv/done/install"
tools/build.sh bench
PATH=$PWD/$venv/bin:$PATH exec "$venv/bin/python" bench/run.py "$@"
