trace demo >demo.perfetto-trace
marey info -s -n 1 demo.perfetto-trace | sed -n "/^Processes/,$ p"
