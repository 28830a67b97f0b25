# Nothing of a trace takes over the terminal.
trace strange >strange.perfetto-trace
marey tree -lm strange.perfetto-trace
for how in "tree" "tree --json" "tree --functions" "tree --functions --json"; do
    marey $how strange.perfetto-trace | LC_ALL=C grep -c "[[:cntrl:]]"
done
marey tree --json strange.perfetto-trace | python3 -m json.tool >/dev/null && echo "valid JSON"
