trace gzip | marey info - | grep -v "^  size"
