mkdir package
echo 'import sys; print("module", sys.argv[1:])' >package/__main__.py
marey run -q -m package -x --ring
marey run -q -mpackage y
marey run -q -c 'import sys; print("code", sys.argv)' -q -- z
ls
