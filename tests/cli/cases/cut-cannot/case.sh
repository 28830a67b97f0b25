trace demo >demo.perfetto-trace
echo no trace >text
try() {
    echo "== $*" >&2
    marey cut "$@"
    echo "status $?" >&2
}
try
try demo.perfetto-trace
try a b -o out
try demo.perfetto-trace -o demo.perfetto-trace
try demo.perfetto-trace -o out --from soon
try demo.perfetto-trace -o out --from 2s --to 1s
try missing -o out
try text -o out
try demo.perfetto-trace -o /dev/full
ls
