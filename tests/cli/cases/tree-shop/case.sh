# An exception that is caught, a C function, a span between calls, calls that are alike.
trace shop >shop.perfetto-trace
marey tree shop.perfetto-trace
marey tree --fold 0 shop.perfetto-trace
marey tree --depth 2 shop.perfetto-trace
marey tree --min-time 1ms shop.perfetto-trace
marey tree --no-args --no-results --no-self shop.perfetto-trace
