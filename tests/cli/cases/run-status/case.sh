marey run -q sh -c 'exit 7'
echo "status $?"
marey run sh -c 'exit 7' 2>&1 | sed 's/process, .*;/process, ...;/' | head -n 1
