trace before >before.perfetto-trace
trace after >after.perfetto-trace
marey diff -o diff.svg before.perfetto-trace after.perfetto-trace | tail -n 1
grep -c "parse" diff.svg
python3 -c "import xml.dom.minidom as d; print(d.parse('diff.svg').documentElement.tagName)"
marey diff -o - before.perfetto-trace after.perfetto-trace | head -c 5
trace demo >demo.perfetto-trace
marey diff -o spans.svg demo.perfetto-trace demo.perfetto-trace >/dev/null
grep -o "compute" spans.svg | head -n 1
