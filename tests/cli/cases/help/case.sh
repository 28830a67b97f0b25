marey --help
