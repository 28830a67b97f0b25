trace sampled >app.perfetto-trace
marey report app.perfetto-trace
