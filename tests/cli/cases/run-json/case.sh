marey run --json -o t.perfetto-trace sh -c 'echo unrelated >&2; exit 3' 2>errors
tail -n 1 errors | python3 -c "
import json, sys
report = json.load(sys.stdin)
print(report['file'], report['exit_status'], report['spans'], report['damage'], report['losses'])
print([(row['name'], row['count']) for row in report['span_table']])"
(marey run --json -o t.perfetto-trace sh -c 'kill -9 $$' 2>errors; true) 2>/dev/null
tail -n 1 errors | grep -o '"exit_status": 137, "signal": 9'
