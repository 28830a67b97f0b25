# Of many calls those that took longest.
trace many >many.perfetto-trace
marey tree --rows 12 many.perfetto-trace
marey tree -n 0 many.perfetto-trace | wc -l
marey tree -n 0 --fold 0 many.perfetto-trace | wc -l
marey tree --functions -n 4 many.perfetto-trace
