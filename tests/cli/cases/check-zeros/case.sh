trace zeros >zeros.perfetto-trace
marey check zeros.perfetto-trace
