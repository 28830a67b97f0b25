trace demo >demo.perfetto-trace
for time in soon -x 1.5 "" 1d -- 5e; do
    marey report --from "$time" demo.perfetto-trace >/dev/null
    echo $?
done
marey report --from 2s --to 1s demo.perfetto-trace
echo $?
marey tree --from 1h demo.perfetto-trace
echo $?
marey report --from 1s --to -2s demo.perfetto-trace
echo $?
