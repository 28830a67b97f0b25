# A program that is killed takes its signal to whoever called, and is reported.
for signal in TERM KILL SEGV INT; do
    (marey run sh -c "kill -$signal \$\$" 2>errors)
    echo "$signal: status $?"
    sed -n 's/.*; killed/killed/p' errors
done 2>/dev/null
marey info --json sh.perfetto-trace | grep -c '"errors": 1'
