"""The stream formulation: the unknown is the scalar potential ψ; energies are lower bounds."""
