trace sampled >s.perfetto-trace
marey convert s.perfetto-trace -o s.folded && cat s.folded
echo "-- by time on a processor, of lines, of the first 500 ms"
marey convert --weight cpu --lines --to 500ms --to folded s.perfetto-trace
echo "-- one process's"
marey convert --to folded --process child s.perfetto-trace
echo "-- spans"
trace demo | marey convert --to folded -
