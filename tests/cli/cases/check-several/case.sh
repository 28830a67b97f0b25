trace demo >good.perfetto-trace
trace cut >cut.perfetto-trace
marey check -q good.perfetto-trace
echo "status $?"
marey check -q good.perfetto-trace cut.perfetto-trace
echo "status $?"
marey check good.perfetto-trace nothing.perfetto-trace cut.perfetto-trace
