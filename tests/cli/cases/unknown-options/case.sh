for words in "info --jsno x" "info -x x" "check --quit" "run --output" "run -n" "run --rows=many x" "run --ring 64X x" \
    "run --ring 1K x" "run --json=yes x" "run" "info" "check" "info a b"; do
    marey $words
    echo "status $?" >&2
done
