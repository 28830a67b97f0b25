# The first example of tracepatch's documentation.
trace handle >handle.perfetto-trace
marey tree handle.perfetto-trace
marey tree --modules --no-self handle.perfetto-trace
cat handle.perfetto-trace | marey tree --locations -
