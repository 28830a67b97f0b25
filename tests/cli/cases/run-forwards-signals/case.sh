# A signal sent to marey alone reaches the program; what the program makes of it is its own affair.
cat >patient.sh <<'END'
trap 'echo got TERM' TERM
trap 'echo got USR1; exit 3' USR1
echo ready >ready
while :; do sleep 0.05; done
END
marey run -q sh patient.sh &
while ! [ -s ready ]; do sleep 0.02; done
kill -TERM $!
sleep 0.3
kill -USR1 $!
wait $!
echo "status $?"
