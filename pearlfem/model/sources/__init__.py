"""What drives currents in the film, one module for each kind of source."""
