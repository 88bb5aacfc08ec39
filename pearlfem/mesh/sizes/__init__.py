"""How large the cells of a mesh are, place by place."""
