# A trace without calls gives trees of spans; each thread of each process has its own.
trace demo >demo.perfetto-trace
marey tree demo.perfetto-trace
marey tree --functions -n 2 demo.perfetto-trace
marey tree --filter parse demo.perfetto-trace
