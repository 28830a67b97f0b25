# Limits, losses and damage stand at the top.
trace limited >limited.perfetto-trace
marey tree limited.perfetto-trace
trace many >many.perfetto-trace
head -c 30000 many.perfetto-trace >cut.perfetto-trace
marey tree -n 3 cut.perfetto-trace
