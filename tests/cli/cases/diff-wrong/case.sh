trace before >before.perfetto-trace
echo "no trace at all" >foreign
for bad in "" "before.perfetto-trace" "- -" "a b c" "--fail-above x a b" "--fail-above -1 a b" "--by thread a b" "--json --csv a b" "--rows x a b" "--from soon a b" "-o before.perfetto-trace before.perfetto-trace foreign" "--nothing" "--al a b"; do
    marey diff $bad
    echo $?
done
marey diff before.perfetto-trace foreign
echo $?
marey diff missing before.perfetto-trace
echo $?
marey diff --from 1h before.perfetto-trace before.perfetto-trace
echo $?
marey diff -o missing/diff.svg before.perfetto-trace before.perfetto-trace >/dev/null
echo $?
