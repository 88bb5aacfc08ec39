"""A film and its mesh become an operator, a solver for it, and loads: once for each formulation."""
