"""Fields in open space as sums over the sheet currents of films: right at any distance."""
