"""From films and mesh to an operator, its solver and the loads, for each of two formulations."""
