trace demo >demo.perfetto-trace
marey info --spans demo.perfetto-trace | sed -n "/^Spans/,$ p"
