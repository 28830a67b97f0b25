trace sampled >app.perfetto-trace
echo "no trace at all" >foreign
: >empty
for bad in "--sort fast" "--by planet" "--rows x" "--slowest 5000" "--slowest -1" "--json --csv" "--filter"; do
    marey report app.perfetto-trace $bad
    echo $?
done
for file in missing foreign empty .; do
    marey report $file
    echo $?
    marey tree $file
    echo $?
done
marey report app.perfetto-trace app.perfetto-trace
echo $?
marey report
echo $?
