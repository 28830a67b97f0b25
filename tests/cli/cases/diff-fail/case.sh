# For continuous integration: what grew, how much, and an exit status.
trace before >before.perfetto-trace
trace after >after.perfetto-trace
for limit in 5% 15% 60 "1.5 %"; do
    marey diff --fail-above "$limit" before.perfetto-trace after.perfetto-trace >/dev/null
    echo "$limit: $?"
    marey diff --fail-above "$limit" after.perfetto-trace before.perfetto-trace >/dev/null
    echo "back, $limit: $?"
done
