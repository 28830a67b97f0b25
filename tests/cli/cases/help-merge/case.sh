marey help merge
