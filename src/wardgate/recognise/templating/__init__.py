"""Templates learned from the company that path segments keep; pure functions of sets of observations."""
