trace shop >shop.perfetto-trace
LC_ALL=C marey tree shop.perfetto-trace | head -3
marey tree --ascii --locations --modules shop.perfetto-trace
