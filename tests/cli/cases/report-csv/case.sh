# One heading for all tables; no name is a formula, or a command of the terminal.
trace sampled >app.perfetto-trace
marey report --csv --rows 3 app.perfetto-trace
trace demo >demo.perfetto-trace
marey report --csv --by process demo.perfetto-trace
trace shop >shop.perfetto-trace
marey report --csv shop.perfetto-trace | cut -d, -f 1-5,11
trace formulas >formulas.perfetto-trace
marey report --csv --slowest 1 formulas.perfetto-trace | cut -d, -f 1-3
marey report --csv --slowest 1 formulas.perfetto-trace | LC_ALL=C grep -c "[[:cntrl:]]"
marey report formulas.perfetto-trace
