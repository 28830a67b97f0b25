# Calls have a table of their own; spans beside them stay.
trace shop >shop.perfetto-trace
marey report shop.perfetto-trace
marey report --sort total -n 2 shop.perfetto-trace
marey report --json shop.perfetto-trace | python3 -c "
import json, sys
report = json.load(sys.stdin)
print([(row['name'], row['calls'], row['exceptions']) for row in report['call_table']])
print([row['name'] for row in report['span_table']])"
marey report --thread nobody shop.perfetto-trace
