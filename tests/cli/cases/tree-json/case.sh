trace coroutines >coroutines.perfetto-trace
marey tree --json coroutines.perfetto-trace | python3 -m json.tool
trace handle >handle.perfetto-trace
marey tree --functions --json handle.perfetto-trace | python3 -m json.tool
