trace other_writer >other.perfetto-trace
marey info -s other.perfetto-trace
marey check -q other.perfetto-trace
