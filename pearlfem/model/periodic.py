"""Periodic space: it repeats itself along two vectors in the film's plane."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from pearlfem.model.layouts import are_parallel
from pearlfem.quantities.annotated import FORBID_EXTRA, Point
from pearlfem.quantities.arrays import Array

_Vectors = tuple[Point, Point]

_DECAY = 14.0  # e^{−2 × 14} = 7e-13 is the relative change of the energy by the lid
_TIE = 1e-9  # vectors whose lengths differ by less are equally short


def _spanning(cell: _Vectors) -> _Vectors:
    if are_parallel(cell):
        raise ValueError("input should be two vectors that are not parallel and not zero")
    return cell


Cell = Annotated[_Vectors, AfterValidator(_spanning)]


@dataclass(frozen=True, config=FORBID_EXTRA)
class Periodic:
    """Space that repeats itself along two vectors in the film's plane, open above and below.

    The film is the whole plane. The impurities of one cell are given, at positions in any cells.
    The mesh is that of the most compact cell, centred on them.

    The vorticity of a cell is zero, so at the height h the field decays at least as e^{−Gh}, where
    G is the shortest reciprocal vector. Space ends at the height where e^{−2Gh} = 7e-13, with a lid
    on which n × H = 0. This can only lower the energy, by that fraction: the lower bound remains a
    bound, and the upper bound remains one up to round-off.

    Args:
        cell: The two vectors [length].

    Raises:
        pydantic.ValidationError: Parallel vectors, or one that is zero (a ``ValueError``).
    """

    cell: Cell

    @property
    def kind(self) -> str:
        """The name of this boundary in study files."""
        return "periodic"

    @property
    def mirrored(self) -> bool:
        """Whether space is mirror symmetric in the film's plane z = 0: always."""
        return True

    @cached_property
    def vectors(self) -> Array:
        """The two shortest vectors of the lattice as rows [length], right-handed, ``(2, 2)``."""
        a, b = np.array(self.cell)
        while True:
            if b @ b < a @ a * (1 - _TIE):
                a, b = b, a
            steps = round(float(a @ b / (a @ a)) * (1 - _TIE))
            if steps == 0:
                return np.array([a, b if np.linalg.det([a, b]) > 0 else -b])
            b = b - steps * a

    @property
    def width(self) -> float:
        """The smaller distance [length] between opposite sides of the cell."""
        return float(abs(np.linalg.det(self.vectors)) / np.linalg.norm(self.vectors, axis=1).max())

    @property
    def height(self) -> float:
        """Height [length] of the lid, where space ends."""
        reciprocal = 2 * np.pi * np.linalg.inv(self.vectors)  # in columns; the shortest ones too
        return _DECAY / float(np.linalg.norm(reciprocal, axis=0).min())

    def distance(self, offset: npt.ArrayLike) -> float:
        """Return the length of the shortest vector that equals ``offset`` (x, y) up to periods."""
        vector = np.asarray(offset, dtype=float)
        steps = np.round(vector @ np.linalg.inv(self.vectors))
        reduced = vector - steps @ self.vectors
        # Longer lattice vectors than this cannot make it shorter.
        reach = 2 * float(np.linalg.norm(reduced))
        return float(np.linalg.norm(reduced + lattice_points(self.vectors, reach), axis=1).min())


def lattice_points(vectors: Array, reach: float) -> Array:
    """Return all i a + j b of length up to ``reach``, and a few longer ones, ``(m, 2)``."""
    heights = abs(np.linalg.det(vectors)) / np.linalg.norm(vectors, axis=1)[::-1]
    i, j = (np.arange(-n, n + 1) for n in np.floor(reach / heights).astype(int))
    steps = np.stack(np.meshgrid(i, j, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(steps @ vectors)
