trace sampled >app.perfetto-trace
marey report --by module app.perfetto-trace
marey report --by process app.perfetto-trace
marey report --by module --json --rows 1 app.perfetto-trace | tail -n 25
