trace shop >shop.perfetto-trace
marey tree --where checkout shop.perfetto-trace
marey tree --where checkout --where "!round" --where "!payment" shop.perfetto-trace
marey tree --where "!main" shop.perfetto-trace
marey tree --where price --where report --functions shop.perfetto-trace
marey tree --where nothing shop.perfetto-trace
