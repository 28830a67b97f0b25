for words in "rnu app.py" "app.py" "--hlp" "xyzzy" "help inof"; do
    marey $words
    echo "status $?" >&2
done
