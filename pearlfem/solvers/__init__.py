"""Linear solvers: matrices in, vectors out; no word of physics."""
