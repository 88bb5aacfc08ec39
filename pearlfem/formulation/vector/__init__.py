"""The vector formulation: the vector potential; energies are upper bounds."""
