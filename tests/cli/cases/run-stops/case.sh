# A program that stops stops marey, so that a shell sees it; continued, both go on.
state() { cut -d ' ' -f 3 "/proc/$1/stat"; }
marey run -q sh -c 'kill -STOP $$; echo went on' &
for try in $(seq 100); do
    [ "$(state $!)" = T ] && break
    sleep 0.05
done
state $!
kill -CONT $!
wait $!
echo "status $?"
