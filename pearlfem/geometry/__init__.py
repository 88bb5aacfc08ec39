"""Shapes in a plane and drawings of them; no physics."""
