trace shop >shop.perfetto-trace
marey tree shop.perfetto-trace
marey tree --from 50us --to 1ms shop.perfetto-trace
marey tree --from -20us --functions shop.perfetto-trace
trace coroutines >coroutines.perfetto-trace
marey tree coroutines.perfetto-trace
marey tree --to 150us coroutines.perfetto-trace
marey tree --thread 12345 coroutines.perfetto-trace
