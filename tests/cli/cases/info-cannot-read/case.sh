marey info nothing.perfetto-trace
echo "status $?"
marey info .
echo "status $?"
