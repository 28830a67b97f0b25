# Of spans that are partly within, the part inside counts; samples by their moment.
trace demo >demo.perfetto-trace
marey report --from 5ms --to 1s demo.perfetto-trace
marey report --from -1600ms demo.perfetto-trace
trace sampled >app.perfetto-trace
marey report --from 500ms --rows 3 app.perfetto-trace
marey report --from=-500ms --to 750ms --rows 3 --thread reader app.perfetto-trace
