marey help report
