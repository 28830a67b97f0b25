trace demo >demo.perfetto-trace
for how in self total count mean max name; do
    marey report --sort $how --slowest 0 demo.perfetto-trace | tail -n +4
done
trace shop >shop.perfetto-trace
for how in self total count mean max name; do
    marey report --sort $how --rows 3 --slowest 0 shop.perfetto-trace | tail -n +3
done
trace sampled >app.perfetto-trace
marey report --sort name --filter "*o*" --filter "!load" app.perfetto-trace | tail -n 5
marey report --filter "Cart.*" --filter pay* shop.perfetto-trace | tail -n +3
marey report --filter nothing demo.perfetto-trace
