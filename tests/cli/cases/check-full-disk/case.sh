trace demo >demo.perfetto-trace
marey check demo.perfetto-trace >/dev/full
