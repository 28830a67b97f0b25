# Also where the output is no terminal.
trace shop >shop.perfetto-trace
marey tree --color --locations shop.perfetto-trace | sed "s/\x1b/ESC/g"
