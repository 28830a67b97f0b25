marey tree --help
