marey help pack
