marey
