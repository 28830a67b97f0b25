# Nothing of a trace takes over the terminal.
trace hostile >hostile.perfetto-trace
trace formulas >formulas.perfetto-trace
marey diff hostile.perfetto-trace formulas.perfetto-trace
for how in --all --json --csv; do
    marey diff $how hostile.perfetto-trace formulas.perfetto-trace | sed "s,\r$,," | LC_ALL=C grep -c "[[:cntrl:]]"
done
marey diff --json hostile.perfetto-trace formulas.perfetto-trace | python3 -m json.tool >/dev/null && echo "valid JSON"
