# Single spans, with what they were given; and pauses of the garbage collector.
trace slow >slow.perfetto-trace
COLUMNS=80 marey report slow.perfetto-trace
marey report --slowest 2 --filter query --json slow.perfetto-trace | tail -n 50
marey report --from 150ms --to 200ms slow.perfetto-trace
