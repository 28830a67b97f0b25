# Chunks before and behind the damage are whole.
trace damaged >damaged.perfetto-trace
marey info -s damaged.perfetto-trace | sed -n "/^Spans/,$ p"
