marey help run
marey run --help | cmp - <(marey help run) && echo the same
