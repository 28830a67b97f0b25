marey help diff
