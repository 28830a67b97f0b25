trace sampled >app.perfetto-trace
marey report --json --rows 2 app.perfetto-trace
