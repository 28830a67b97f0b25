# The file is private, is whole, holds the command line, and is a ring where that was asked for.
marey run -q -o t.perfetto-trace true with words
stat -c %a t.perfetto-trace
marey check t.perfetto-trace | sed 's/process, .*/process/'
marey info t.perfetto-trace | grep -o '^  command .*'
marey run -q --ring 1M -o ring.perfetto-trace true
marey check -q ring.perfetto-trace && echo whole
