trace demo >demo.perfetto-trace
marey report demo.perfetto-trace
marey report --thread 'worker*' demo.perfetto-trace
