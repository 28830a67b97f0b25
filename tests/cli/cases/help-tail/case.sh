marey help tail
