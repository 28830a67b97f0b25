trace old_kinds >old.perfetto-trace
marey check old.perfetto-trace
