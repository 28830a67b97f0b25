marey run -o missing/app.perfetto-trace sh -c 'echo not run'
echo "status $?"
marey run -o . sh -c 'echo not run'
echo "status $?"
