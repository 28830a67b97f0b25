marey run no-such-program
echo "status $?"
echo text >text
marey run ./text
echo "status $?"
marey run /
echo "status $?"
ls
