"""Point impurities: the exact fields and energies to add to those of the potentials."""
