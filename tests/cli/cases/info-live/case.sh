# A file that grows while it is read: what is there is shown.
trace chunks >growing.perfetto-trace
size=$(stat -c %s growing.perfetto-trace)
head -c $((size / 2)) growing.perfetto-trace >half.perfetto-trace
marey info -s half.perfetto-trace | sed -n "/^Spans/,$ p"
