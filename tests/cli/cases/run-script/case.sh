# The program has its standard streams; the report comes after it.
cat >app.py <<'END'
import sys
print("out", sys.argv[1:], sys.stdin.read())
print("err", file=sys.stderr)
END
echo input | marey run app.py --flag -o x 2>errors
head -n 1 errors
grep -c '^marey: app.perfetto-trace: .* span.* process.* KiB$' errors
grep -c '^app.py ' errors
marey check -q app.perfetto-trace
