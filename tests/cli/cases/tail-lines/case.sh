trace demo >demo.perfetto-trace
marey tail --once -n 4 demo.perfetto-trace
marey tail --once --from-start --name 'k*' --color demo.perfetto-trace
marey tail --once --from-start --name 'done' --json demo.perfetto-trace
marey tail --once --from-start --thread 'work*' --min 9ms demo.perfetto-trace | wc -l
marey tail --once --from-start --thread 101 demo.perfetto-trace | sort -u -k 7 | wc -l
trace strange >strange.perfetto-trace
marey tail --once -n 3 strange.perfetto-trace
