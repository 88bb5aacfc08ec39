"""Space that repeats itself along two vectors, and sources that are repeated with it."""

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

_DECAY = 14.0  # e^{−2 × 14} = 7e-13: what the lid adds to the energy, relatively
_TIE = 1e-9  # what is as short but for round-off is not replaced


def _spanning(cell: _Vectors) -> _Vectors:
    if are_parallel(cell):
        raise ValueError("input should be two vectors that are not parallel and not zero")
    return cell


Cell = Annotated[_Vectors, AfterValidator(_spanning)]


@dataclass(frozen=True, config=FORBID_EXTRA)
class Periodic:
    """Space that repeats itself along two vectors in the film's plane, open above and below.

    The film is the whole plane, and impurities are those of one cell. They may be written in any
    cell. Of all cells of the lattice the most compact one around them is meshed.

    All that is left of their field at the height h decays at least as e^{−Gh}, G the shortest
    reciprocal vector: the vorticity of a cell is zero. Space ends at such an h that e^{−2Gh} is
    7e-13 with a lid on which n × H = 0. This can only lower the energy, by that part of it: the
    lower bound stays one, and the upper bound is one up to round-off.

    Args:
        cell: The vectors a and b [length].

    Raises:
        pydantic.ValidationError: Parallel vectors, or one that is zero (a ``ValueError``).
    """

    cell: Cell

    @property
    def kind(self) -> str:
        """What study files call it."""
        return "periodic"

    @property
    def mirrored(self) -> bool:
        """Whether space is the mirror image of itself in the film's plane z = 0: always."""
        return True

    @cached_property
    def vectors(self) -> Array:
        """The shortest vectors of the same lattice as rows [length], right-handed, ``(2, 2)``."""
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
        """Where space ends: z [length]."""
        reciprocal = 2 * np.pi * np.linalg.inv(self.vectors)  # in columns, compact as well
        return _DECAY / float(np.linalg.norm(reciprocal, axis=0).min())

    def distance(self, offset: npt.ArrayLike) -> float:
        """Return the length of ``offset`` (x, y) [length], or of the shortest one equal to it."""
        given = np.asarray(offset, dtype=float)
        steps = np.round(given @ np.linalg.inv(self.vectors))
        within = given - steps @ self.vectors
        reach = 2 * float(np.linalg.norm(within))  # of lattice vectors that can make it shorter
        return float(np.linalg.norm(within + lattice_points(self.vectors, reach), axis=1).min())


def lattice_points(vectors: Array, reach: float) -> Array:
    """Return all i a + j b of length up to ``reach``, and a few longer ones, ``(m, 2)``."""
    heights = abs(np.linalg.det(vectors)) / np.linalg.norm(vectors, axis=1)[::-1]
    i, j = (np.arange(-n, n + 1) for n in np.floor(reach / heights).astype(int))
    steps = np.stack(np.meshgrid(i, j, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(steps @ vectors)
