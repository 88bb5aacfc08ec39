"""Space that repeats itself along two vectors, and sources that are repeated with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass as plain_dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Plane
from pearlfem.model.film import Film
from pearlfem.model.layouts import are_parallel
from pearlfem.model.sources.base import Core, Impurity, Source, numbered, refuse_points
from pearlfem.quantities.annotated import FORBID_EXTRA, Point

_Array = npt.NDArray[np.float64]
_Vectors = tuple[Point, Point]

_WHERE = "with boundary.kind = 'periodic'"
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
    def vectors(self) -> _Array:
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


def lattice_points(vectors: _Array, reach: float) -> _Array:
    """Return all i a + j b of length up to ``reach``, and a few longer ones, ``(m, 2)``."""
    heights = abs(np.linalg.det(vectors)) / np.linalg.norm(vectors, axis=1)[::-1]
    i, j = (np.arange(-n, n + 1) for n in np.floor(reach / heights).astype(int))
    steps = np.stack(np.meshgrid(i, j, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(steps @ vectors)


@plain_dataclass(frozen=True)
class Repeated:
    """An impurity and all its images; see ``Source``.

    Args:
        impurity: One of them.
        vectors: Those along which it is repeated, compact ones as of ``Periodic`` [length].
    """

    impurity: Impurity
    vectors: _Vectors

    @property
    def cores(self) -> Sequence[Core]:
        """Where it varies fast: at one of the images, which stands for all."""
        return self.impurity.cores

    @property
    def reach(self) -> float:
        """Distance [length] beyond which a is zero: none."""
        return math.inf

    def vector_potential(self, film: Film, points: _Array, superfluid_weight: _Array) -> _Array:
        """Return the sum of all images' a."""
        vectors, center = np.array(self.vectors), np.array(self.impurity.position)
        steps = np.round((points - center) @ np.linalg.inv(vectors))
        near = points - steps @ vectors  # in the cell around the impurity
        farthest = np.linalg.norm(vectors, axis=1).sum() / 2
        total = np.zeros_like(points)
        for shift in lattice_points(vectors, self.impurity.reach + farthest):
            total += self.impurity.vector_potential(film, near - shift, superfluid_weight)
        return total


def repeated(source: Source, vectors: _Vectors) -> Repeated:
    """Return ``source``, see ``check_repeatable``, with its images along ``vectors``."""
    assert isinstance(source, Impurity)
    return Repeated(source, vectors)


def check_periodic(film: Film, sources: Sequence[Source]) -> None:
    """Refuse what does not repeat itself.

    Raises:
        StudyError: A film other than a uniform plane, a source other than impurities, or a point.
    """
    where = f"not allowed {_WHERE}"
    if not isinstance(film.shape, Plane):
        raise StudyError(f"film.shape = {film.shape}: {where}; allowed: 'plane'")
    if film.openings:
        raise StudyError(f"film.hole {film.openings[0].name!r}: {where}; allowed: no holes")
    if not film.uniform:
        raise StudyError(
            f"film.pearl_length: one that varies is {where}; allowed: one number, and no regions"
        )
    check_repeatable(sources)


def check_repeatable(sources: Sequence[Source]) -> None:
    """Refuse sources that cannot be repeated: all but impurities with a size.

    Raises:
        StudyError: There is one; says which.
    """
    for name, source in numbered(sources):
        if not isinstance(source, Impurity):
            raise StudyError(f"{name}: not allowed {_WHERE}; allowed: impurities")
    refuse_points(sources, _WHERE)
