"""The interaction of n moments with c components each: a tensor, or a matrix of (n c)² numbers."""

from __future__ import annotations

from pearlfem.quantities.arrays import Array


def as_tensor(matrix: Array, components: int) -> Array:
    """Return a matrix as a tensor.

    Args:
        matrix: Rows and columns in the order of the moments, then of their components,
            ``(n c, n c)``.
        components: c.

    Returns:
        Array of shape ``(n, n, c, c)``.
    """
    n = len(matrix) // components
    return matrix.reshape(n, components, n, components).transpose(0, 2, 1, 3)


def as_matrix(tensor: Array) -> Array:
    """Return a tensor, ``(n, n, c, c)``, as a matrix, ``(n c, n c)``; undoes ``as_tensor``."""
    n, _, components, _ = tensor.shape
    return tensor.transpose(0, 2, 1, 3).reshape(n * components, n * components)
