trace sampled >app.perfetto-trace
for what in line file thread; do
    marey report --by $what --sort total --rows 3 app.perfetto-trace
    echo
done
