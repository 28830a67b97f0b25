trace demo >demo.perfetto-trace
marey pack demo.perfetto-trace -o small.perfetto-trace 2>&1 | sed 's/-> .*B (.* times/-> SIZE (N times/'
stat -c %a small.perfetto-trace
marey check small.perfetto-trace | sed 's/, [^,]*B$//'
marey pack -q --unpack - -o - <small.perfetto-trace >plain.perfetto-trace
marey info plain.perfetto-trace | grep -E 'events|spans|instants|counter'
trace damaged >damaged.perfetto-trace
marey pack -q damaged.perfetto-trace -o whole.perfetto-trace
echo $?
marey check -q whole.perfetto-trace
