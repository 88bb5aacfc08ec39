"""Shapes in a plane, and drawings read from files; no physics."""
