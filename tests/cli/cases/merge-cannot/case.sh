trace demo >demo.perfetto-trace
echo no trace >text
try() {
    echo "== $*" >&2
    marey merge "$@"
    echo "status $?" >&2
}
try
try demo.perfetto-trace
try demo.perfetto-trace - -o out
try demo.perfetto-trace demo.perfetto-trace -o demo.perfetto-trace
try demo.perfetto-trace -o out --label web
try demo.perfetto-trace -o out --label other=web
try demo.perfetto-trace -o out --label demo.perfetto-trace=a --label demo.perfetto-trace=b
try demo.perfetto-trace missing -o out
try demo.perfetto-trace text -o out
try demo.perfetto-trace -o /dev/full
try demo.perfetto-trace -o missing/out --tar
ls
