"""The study file: TOML in, a validated model out."""
