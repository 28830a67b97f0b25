marey view --help
