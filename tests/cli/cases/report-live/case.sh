trace sampled | head -c 5000 >cut.perfetto-trace
marey report --rows 2 cut.perfetto-trace
