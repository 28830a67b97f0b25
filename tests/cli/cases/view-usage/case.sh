# What cannot be viewed, or not so: 1 for a file, 2 for the way it was asked.
for options in "" "a b" "--port 70000 a" "--port x a" "--prot 1 a" "nothing.perfetto-trace"; do
    # shellcheck disable=SC2086
    marey view $options
    echo "$options: $?"
done
