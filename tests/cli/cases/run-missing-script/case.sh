marey run missing.py 2>errors
echo "status $?"
grep -o "can't open file" errors
