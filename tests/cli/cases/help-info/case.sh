marey info --help
