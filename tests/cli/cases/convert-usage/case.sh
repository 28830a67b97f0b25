trace demo >demo.perfetto-trace
cp demo.perfetto-trace before
ln -s demo.perfetto-trace link
ln demo.perfetto-trace other.csv
say() { "$@"; echo "status $?"; }
say marey convert demo.perfetto-trace
say marey convert demo.perfetto-trace -o demo.foo 2>&1 | cut -c -50
say marey convert demo.perfetto-trace --to csc
say marey convert demo.perfetto-trace --to nothing 2>&1 | cut -c -50
say marey convert demo.perfetto-trace -o demo.perfetto-trace --to csv
say marey convert demo.perfetto-trace -o link --to csv
say marey convert link -o other.csv
say marey convert --to csv - <demo.perfetto-trace -o demo.perfetto-trace
marey convert --to csv demo.perfetto-trace >>demo.perfetto-trace
echo "status $?"
say marey convert --of calls demo.perfetto-trace
say marey convert --weight gpu demo.perfetto-trace
say marey convert
say marey convert a b --to csv
cmp before demo.perfetto-trace
