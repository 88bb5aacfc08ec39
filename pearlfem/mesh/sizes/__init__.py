"""The sizes of cells: how fine a mesh must be at each point."""
