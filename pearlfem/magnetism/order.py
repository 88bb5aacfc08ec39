"""Order parameters of moments in the plane; each is 1 in the state that it is named after.

Angles have the shape ``(..., n)``; leading axes count states and are kept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.errors import StudyError
from pearlfem.magnetism._checks import finite_angles, finite_vectors
from pearlfem.magnetism.moments import moments

_PARALLEL = 1e-9  # sine of the angle between cell vectors below which they are parallel

_Array = NDArray[np.float64]


def mean_moment(angles: ArrayLike) -> _Array:
    """Mean of the moments' unit vectors, Σ m_i / n; its length is `net_moment`.

    Args:
        angles: θ ``(..., n)`` [rad].

    Returns:
        ``(..., 2)``.

    Raises:
        StudyError: There are no angles, or one is not finite.
    """
    return np.asarray(moments(angles).mean(axis=-2))


def net_moment(angles: ArrayLike) -> _Array:
    """Ferromagnetic order |Σ m_i| / n, from 0 to 1 (all moments parallel).

    For n random moments it is about √(π/4n).

    Args:
        angles: θ ``(..., n)`` [rad].

    Returns:
        ``(...)``.

    Raises:
        StudyError: There are no angles, or one is not finite.
    """
    return np.asarray(np.linalg.norm(mean_moment(angles), axis=-1))


def layered_order(angles: ArrayLike, positions: ArrayLike, wavevectors: ArrayLike) -> _Array:
    """Staggered order |Σ m_i e^{i k·r_i}| / n, from 0 to 1.

    It is 1 if all moments are parallel to one line and their signs alternate like cos k·(r − r_0),
    as in layers of alternating moments. At k = 0 it is `net_moment`. If two layered states mix, as
    in the four-site vortices of a square lattice, the squares of their orders add up to 1. A spiral
    m = (cos k·r, sin k·r) has the order 1/√2.

    Args:
        angles: θ ``(..., n)`` [rad].
        positions: r ``(n, 2)`` [length].
        wavevectors: k ``(2,)`` or ``(q, 2)`` [1/length].

    Returns:
        ``(...)``, or ``(..., q)`` for several wavevectors; the largest entry along the last axis
        shows which order there is.

    Raises:
        StudyError: The shapes do not fit, or a number is not finite.
    """
    theta = finite_angles(angles)
    r = finite_vectors("positions", positions, theta.shape[-1])
    k = finite_vectors("wavevectors", wavevectors)
    wave = np.exp(1j * (r @ k.T))  # (n,) or (n, q)
    x, y = (component @ wave / len(r) for component in (np.cos(theta), np.sin(theta)))
    return np.asarray(np.hypot(np.abs(x), np.abs(y)))


def layer_wavevectors(cell: ArrayLike) -> _Array:
    """Wavevectors of the layered states of a Bravais lattice: b1/2, b2/2 and (b1 + b2)/2.

    b_i · a_j = 2π δ_ij: in the first state the moments alternate along a1 and are parallel along
    a2, in the second they alternate along a2 only, and in the third along both.

    Args:
        cell: a1, a2 ``(2, 2)`` [length].

    Returns:
        ``(3, 2)`` [1/length].

    Raises:
        StudyError: The cell vectors are parallel, or are not two finite vectors.
    """
    a = finite_vectors("cell", cell, 2)
    lengths = np.linalg.norm(a, axis=1)
    if abs(np.linalg.det(a)) <= _PARALLEL * lengths.prod():
        raise StudyError(f"cell = {a.tolist()}: the two vectors must not be parallel")
    half = np.pi * np.linalg.inv(a).T
    return np.stack([half[0], half[1], half[0] + half[1]])


def vorticity(angles: ArrayLike, positions: ArrayLike, center: ArrayLike | None = None) -> _Array:
    """Toroidal order Σ (r_i − c) × m_i / Σ |r_i − c|, from −1 to 1.

    It is 1 if all moments point anticlockwise around c, and −1 if clockwise; a moment at c does not
    count. If c is the mean of the positions, it is 0 for uniform moments.

    Args:
        angles: θ ``(..., n)`` [rad].
        positions: r ``(n, 2)`` [length].
        center: c ``(2,)`` [length]; None for the mean of the positions.

    Returns:
        ``(...)``.

    Raises:
        StudyError: The shapes do not fit, a number is not finite, or all positions are c.

    References:
        Spaldin, Fiebig, Mostovoy, J. Phys.: Condens. Matter 20, 434203 (2008), for the toroidal
        moment ½ Σ r × m.
    """
    theta = finite_angles(angles)
    r = finite_vectors("positions", positions, theta.shape[-1])
    c = r.mean(axis=0) if center is None else finite_vectors("center", np.atleast_2d(center), 1)[0]
    x, y = (r - c).T
    total = np.hypot(x, y).sum()
    if total == 0:
        raise StudyError(
            f"positions: all are at the center {c.tolist()}; at least one must be elsewhere"
        )
    return np.asarray((np.sin(theta) @ x - np.cos(theta) @ y) / total)
