trace demo >demo.perfetto-trace
marey info demo.perfetto-trace
