# A function and a query became slower, calls are more, a span is new; the folder is another one.
trace before >before.perfetto-trace
trace after >after.perfetto-trace
marey diff before.perfetto-trace after.perfetto-trace
echo
marey diff --all --rows 3 --by line before.perfetto-trace after.perfetto-trace
echo
COLUMNS=80 marey diff --by file --filter "q*" --filter "*parser*" --from 1s --to 3s after.perfetto-trace before.perfetto-trace
