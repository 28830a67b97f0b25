trace damaged >damaged.perfetto-trace
marey check --json damaged.perfetto-trace
