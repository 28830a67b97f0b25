trace deep >deep.perfetto-trace
COLUMNS=80 marey tree deep.perfetto-trace | sed -n "10,16p"
marey tree --depth 3 deep.perfetto-trace
marey tree -n 0 deep.perfetto-trace | tail -n 1
marey tree --json deep.perfetto-trace | python3 -c "
import json, json.scanner, sys
sys.setrecursionlimit(10000)
decoder = json.JSONDecoder()  # the scanner that is written in C has a limit of its own
decoder.scan_once = json.scanner.py_make_scanner(decoder)
calls, depth = decoder.decode(sys.stdin.read())['calls'], 0
while calls:
    assert calls[0]['args'] == {'n': depth} and len(calls) == 1
    calls, depth = calls[0].get('children'), depth + 1
print(depth)"
