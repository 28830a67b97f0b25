trace damaged >damaged.perfetto-trace
marey check damaged.perfetto-trace
