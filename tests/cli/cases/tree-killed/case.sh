# Calls without an end.
trace killed >killed.perfetto-trace
marey tree killed.perfetto-trace
marey tree --functions killed.perfetto-trace
