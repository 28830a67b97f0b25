echo no trace >text
python3 -c 'import marey; marey.record("ring", ring="256K").__enter__()'
try() {
    echo "== $*" >&2
    marey tail "$@"
    echo "status $?" >&2
}
try
try a b
try missing
try text
try .
try ring
try ring --min soon
try ring -n few
try ring --nme x
