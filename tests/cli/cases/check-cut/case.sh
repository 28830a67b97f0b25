trace cut >cut.perfetto-trace
marey check cut.perfetto-trace
