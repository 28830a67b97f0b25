trace demo >demo.perfetto-trace
marey info --json demo.perfetto-trace
marey info --json demo.perfetto-trace | python3 -c "import json, sys; json.load(sys.stdin)"
