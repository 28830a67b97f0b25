cat >script <<'END'
echo "no interpreter line: $1"
END
chmod +x script
marey run -q ./script works
marey run -q -- sh -c 'echo "$0 $@"' a -o b
ls
