trace hostile >hostile.perfetto-trace
COLUMNS=80 marey info -s hostile.perfetto-trace
# No control character but the ends of lines comes out, in text or in JSON.
for how in "info -s" "info --json" "check --json"; do
    marey $how hostile.perfetto-trace | LC_ALL=C grep -c "[[:cntrl:]]"
done
marey info --json hostile.perfetto-trace | python3 -c "
import json, sys
for row in json.load(sys.stdin)['span_table']:
    print(ascii(row['name']))"
