trace demo >demo.perfetto-trace
COLUMNS=60 marey info -s demo.perfetto-trace | sed -n "/^Processes/,$ p"
