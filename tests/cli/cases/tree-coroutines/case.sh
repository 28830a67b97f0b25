# A coroutine is one call, on the track of its task; so is a generator.
trace coroutines >coroutines.perfetto-trace
marey tree coroutines.perfetto-trace
marey tree --fold 0 coroutines.perfetto-trace
marey tree --functions coroutines.perfetto-trace
