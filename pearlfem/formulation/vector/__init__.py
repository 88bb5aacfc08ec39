"""The vector formulation: the unknown is the vector potential A; energies are upper bounds."""
