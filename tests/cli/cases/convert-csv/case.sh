trace shop >shop.perfetto-trace
marey convert shop.perfetto-trace -o shop.csv && head -6 shop.csv
stat -c %a shop.csv
trace sampled | marey convert - --to csv --of samples --thread reader
trace hostile | marey convert --to csv - | head -7
