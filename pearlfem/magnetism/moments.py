"""Moments in the plane, and their energy for a given interaction tensor T.

    F(θ) = ½ Σ_ij m_i · T_ij · m_j,   m_i = (cos θ_i, sin θ_i),   h_i = Σ_j T_ij · m_j

The sum includes i = j: T_ii/2 is the self-energy matrix. On the infinite film it is isotropic and
only shifts F; near edges it is an anisotropy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.magnetism._checks import finite_angles, symmetric_matrix

_Array = NDArray[np.float64]


def moments(angles: ArrayLike) -> _Array:
    """Return unit vectors ``(..., n, 2)`` of angles ``(..., n)`` [rad]."""
    theta = finite_angles(angles)
    return np.stack([np.cos(theta), np.sin(theta)], axis=-1)


def energy(tensor: ArrayLike, angles: ArrayLike) -> _Array:
    """Energy of moments, F = ½ Σ_ij m_i · T_ij · m_j.

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy].
        angles: θ ``(..., n)`` [rad]; leading axes count states.

    Returns:
        F ``(...)`` in the tensor's unit.

    Raises:
        StudyError: The tensor is not symmetric or not ``(n, n, 2, 2)``, or the angles do not fit
            it.
    """
    matrix = symmetric_matrix(tensor)
    m = moments(finite_angles(angles, len(matrix) // 2))
    flat = m.reshape(*m.shape[:-2], -1)
    return np.asarray(0.5 * np.sum(flat * (flat @ matrix), axis=-1))


def energy_gradient(tensor: ArrayLike, angles: ArrayLike) -> _Array:
    """Gradient of the energy, ∂F/∂θ_i = t_i · h_i with t_i = (−sin θ_i, cos θ_i).

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy].
        angles: θ ``(n,)`` [rad].

    Returns:
        ``(n,)`` in the tensor's unit.

    Raises:
        StudyError: For the same reasons as `energy`.
    """
    matrix = symmetric_matrix(tensor)
    return value_and_gradient(finite_angles(angles, len(matrix) // 2), matrix)[1]


def energy_hessian(tensor: ArrayLike, angles: ArrayLike) -> _Array:
    """Second derivatives of the energy, ∂²F/∂θ_i∂θ_j = t_i · T_ij · t_j − δ_ij m_i · h_i.

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy].
        angles: θ ``(n,)`` [rad].

    Returns:
        ``(n, n)`` in the tensor's unit.

    Raises:
        StudyError: For the same reasons as `energy`.
    """
    matrix = symmetric_matrix(tensor)
    return hessian(finite_angles(angles, len(matrix) // 2), matrix)


def value_and_gradient(theta: _Array, matrix: _Array) -> tuple[float, _Array]:
    """Return F and its gradient at ``theta`` ``(n,)``; T as the matrix ``(2n, 2n)``."""
    m = np.stack([np.cos(theta), np.sin(theta)], axis=-1)
    h = (matrix @ m.ravel()).reshape(-1, 2)
    return 0.5 * float(np.vdot(m, h)), m[:, 0] * h[:, 1] - m[:, 1] * h[:, 0]


def hessian(theta: _Array, matrix: _Array) -> _Array:
    """Return the second derivatives ``(n, n)``; T as the matrix ``(2n, 2n)``."""
    m = np.stack([np.cos(theta), np.sin(theta)], axis=-1)
    tx, ty = -m[:, 1], m[:, 0]
    xx, xy = matrix[0::2, 0::2], matrix[0::2, 1::2]
    mixed = tx[:, None] * xy * ty
    second = tx[:, None] * xx * tx + mixed + mixed.T + ty[:, None] * matrix[1::2, 1::2] * ty
    h = (matrix @ m.ravel()).reshape(-1, 2)
    return np.asarray(second - np.diag(np.sum(m * h, axis=-1)))
