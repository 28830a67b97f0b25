# What is long is cut, so that names and times stay.
trace strange >strange.perfetto-trace
trace shop >shop.perfetto-trace
for columns in 100 60 40; do
    COLUMNS=$columns marey tree strange.perfetto-trace
    COLUMNS=$columns marey tree --locations shop.perfetto-trace
done
