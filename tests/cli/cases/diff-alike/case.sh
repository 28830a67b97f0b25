trace before >before.perfetto-trace
trace again >again.perfetto-trace
marey diff before.perfetto-trace again.perfetto-trace
marey diff --fail-above 0% before.perfetto-trace again.perfetto-trace >/dev/null
echo "status $?"
trace demo >demo.perfetto-trace
trace sampled >sampled.perfetto-trace
marey diff demo.perfetto-trace demo.perfetto-trace
marey diff sampled.perfetto-trace demo.perfetto-trace
marey diff sampled.perfetto-trace sampled.perfetto-trace
marey diff --to 10ms sampled.perfetto-trace sampled.perfetto-trace
