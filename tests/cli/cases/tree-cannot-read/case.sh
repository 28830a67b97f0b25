echo "no trace" >text
for words in "" "one two" "missing.perfetto-trace" "." "--depth x f" "--fold x f" "--rows x f" "--min-time 5x f" \
    "--min-time -1s f" "--min-time 1e30s f" "--filer x f" "--filter"; do
    marey tree $words
    echo "status $?"
done
marey tree text
