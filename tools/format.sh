#!/usr/bin/env bash
# format.sh BIN: formats all C and Python sources in place.
set -euo pipefail

find include src tests examples bench -name '*.[ch]' -print0 | xargs -0 -r clang-format-14 -i
"$1/ruff" check -q --fix --select I .
"$1/ruff" format -q .
