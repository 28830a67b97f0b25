trace demo >demo.perfetto-trace
trace cut >cut.perfetto-trace
say() { "$@"; echo "status $?"; }
echo old >kept.csv
say marey convert nothing.perfetto-trace -o kept.csv
echo "no trace at all, but a text" >text
say marey convert text -o kept.csv
say marey convert demo.perfetto-trace --to csv -o /dev/full
marey convert demo.perfetto-trace --to csv >/dev/full
echo "status $?"
say marey convert demo.perfetto-trace -o no-such-folder/a.csv
mkdir folder.csv
say marey convert demo.perfetto-trace -o folder.csv
cat kept.csv
say marey convert cut.perfetto-trace -o cut.csv
wc -l <cut.csv
marey convert demo.perfetto-trace --to csv | head -1
ln -s kept.csv link.csv
say marey convert demo.perfetto-trace -o link.csv
readlink link.csv
wc -l <kept.csv
marey convert demo.perfetto-trace --to csv -o /dev/null
ls -A
