# Where there is nothing but samples they are merged.
trace sampled >app.perfetto-trace
marey tree app.perfetto-trace
marey tree --min 10% --depth 2 --thread MainThread app.perfetto-trace
marey tree --from 500ms --min 0% --json app.perfetto-trace
marey tree --filter load app.perfetto-trace
echo $?
marey tree --min soon app.perfetto-trace
echo $?
trace slow >slow.perfetto-trace
marey tree --samples slow.perfetto-trace
marey tree --task "Task-*" slow.perfetto-trace
