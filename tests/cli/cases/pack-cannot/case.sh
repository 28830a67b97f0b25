trace demo >demo.perfetto-trace
echo no trace >text
ln -s demo.perfetto-trace link
try() {
    echo "== $*" >&2
    marey pack "$@"
    echo "status $?" >&2
}
try
try demo.perfetto-trace
try demo.perfetto-trace demo.perfetto-trace -o out
try demo.perfetto-trace -o out --level 0
try demo.perfetto-trace -o out --level ten
try demo.perfetto-trace -o out --lvel 3
try demo.perfetto-trace -o demo.perfetto-trace
try demo.perfetto-trace -o link
try missing -o out
try text -o out
try . -o out
try demo.perfetto-trace -o missing/out
try demo.perfetto-trace -o /dev/full
ls
