marey convert --help
