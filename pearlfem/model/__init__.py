"""What the user describes: film, sources and the study file; no mesh and no DOLFINx."""
