# The program, and only it, has MAREY_TRACE; within a recording another one is its own.
marey run -q -o outer.perfetto-trace sh -c '
    basename "$MAREY_TRACE"
    marey run -q -o inner.perfetto-trace sh -c "basename \$MAREY_TRACE"
    basename "$MAREY_TRACE"'
echo "after: ${MAREY_TRACE-not set}"
marey info --json inner.perfetto-trace | grep -c '"name": "sh"'
