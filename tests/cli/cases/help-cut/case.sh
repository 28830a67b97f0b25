marey help cut
