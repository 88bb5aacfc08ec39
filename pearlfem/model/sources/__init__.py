"""Sources of currents in the film, one module for each kind."""
