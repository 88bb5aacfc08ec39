"""The stream formulation: a scalar potential; energies are lower bounds."""
