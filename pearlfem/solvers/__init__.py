"""Linear solvers: matrices in, vectors out; no physics."""
