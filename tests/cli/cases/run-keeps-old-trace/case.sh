# A wrong word does not cost the last recording.
marey run -q -o app.perfetto-trace true
marey run -o app.perfetto-trace flase 2>/dev/null
marey check -q app.perfetto-trace && echo kept
