# Which spans the threads were in when they were sampled.
trace slow >slow.perfetto-trace
marey report --by span --slowest 0 slow.perfetto-trace
marey report --by span --slowest 0 --json slow.perfetto-trace | sed -n '/sampled_spans/,/]/p'
marey report --by thread --slowest 0 slow.perfetto-trace
