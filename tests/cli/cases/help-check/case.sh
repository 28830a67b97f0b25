marey check -h
