trace before >before.perfetto-trace
trace after >after.perfetto-trace
marey diff --csv --all before.perfetto-trace after.perfetto-trace
trace formulas >formulas.perfetto-trace
marey diff --csv --all formulas.perfetto-trace formulas.perfetto-trace | cut -d, -f 1-5
