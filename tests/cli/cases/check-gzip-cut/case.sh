trace gzip_cut >cut.perfetto-trace
marey check cut.perfetto-trace
