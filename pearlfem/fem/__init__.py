"""Function spaces and weak forms, in UFL."""
