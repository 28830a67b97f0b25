trace before >before.perfetto-trace
trace after >after.perfetto-trace
marey diff --json --rows 1 before.perfetto-trace - <after.perfetto-trace | sed "s|\"chance\": [0-9.e-]*|\"chance\": ...|"
