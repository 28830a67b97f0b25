#!/usr/bin/env bash
# fuzz.sh SECONDS: runs each fuzz target so long. What it finds stays in build/fuzz/corpus; a crash is a failure.
set -uo pipefail

tools/build.sh fuzz || exit 1
status=0
for target in build/fuzz/fuzz/fuzz_*; do
    name=$(basename "$target")
    corpus=build/fuzz/corpus/$name
    seeds=tests/fuzz/${name#fuzz_}
    mkdir -p "$corpus"
    echo "== $name, $1 s"
    "$target" -max_total_time="$1" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$corpus/../$name-" "$corpus" $([ -d "$seeds" ] && echo "$seeds") || status=1
done
exit $status
