"""How large the cells may be: as fine as the sources and edges need, growing with the distance.

At the distance d from an impurity of width ξ the edge length is h(d) = √((a ξ)² + (b d)²), from a
film edge it is h(d) = h_e + c d. Each shell between d and 2d then has the same number of cells, so
space out to hundreds of device sizes costs little, and every scale in between (r, r0) is resolved.

The constants were measured (degree 3, resolution 1): see the accuracy table of the README.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pearlfem.model.boundary import Boundary, Walls
from pearlfem.model.film import Disc, Film
from pearlfem.model.sources import Impurity

_CELLS_PER_SIZE = 0.4  # a: edge length at an impurity, in units of its ξ
_GROWTH = 0.23  # b: edge length per distance from the nearest impurity
_EDGE_GROWTH = 0.5  # c: the same for the distance from the film's edge
_FLATTEST = 4.0  # edge length on the film in units of the distance to the nearest wall, at most
_STEEPEST = 0.7  # neither grows faster at any resolution: the cells would be too flat
_EDGE_PER_RADIUS = 0.01  # h_e, at most this part of the radius (polygon against circle) …
_EDGE_PER_PEARL_LENGTH = 0.2  # … and of r0, over which the current rises from the edge

# Of the cells that gmsh makes, in units of the cube of the edge length that it was asked for.
MEAN_VOLUME = 0.144

_Array = npt.NDArray[np.float64]


class Extent(NamedTuple):
    """The device: its centre (x, y) [length] and its size [length], in which ``far`` counts."""

    center: tuple[float, float]
    size: float


def device_extent(
    film: Film, impurities: Sequence[Impurity], boundary: Boundary | None = None
) -> Extent:
    """Return where the device lies and how large it is.

    A disc is its own extent. On the plane it is the circle around all impurities, but at least one
    Pearl length, beyond which the field of an impurity falls off like that of a dipole in space;
    walls at a smaller distance from each other have taken over before.
    """
    if isinstance(film.shape, Disc):
        return Extent(film.shape.center, film.shape.radius)
    xs, ys = zip(*(impurity.position for impurity in impurities), strict=True)
    center = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
    reach = max(math.dist(center, i.position) + i.size for i in impurities)
    least = film.pearl_length
    if isinstance(boundary, Walls):
        least = min(least, boundary.box[2])
    return Extent(center, max(reach, least))


class Growth(NamedTuple):
    """A size of cells that grows with a distance d.

    h(d) = ``finest`` + ``rate`` d, or √(``finest``² + (``rate`` d)²) if ``rounded``.
    """

    finest: float
    rate: float
    rounded: bool = False

    def at(self, distance: _Array) -> _Array:
        """Return h [length] at distances d [length]."""
        grown = self.rate * distance
        return np.hypot(self.finest, grown) if self.rounded else self.finest + grown

    def formula(self, distance: str) -> str:
        """Return h as a formula of gmsh in the variable ``distance``."""
        grown = f"{self.rate:.17g} * {distance}"
        if self.rounded:
            return f"sqrt(({self.finest:.17g})^2 + ({grown})^2)"
        return f"{self.finest:.17g} + {grown}"


def impurity_growth(size: float, resolution: float) -> Growth:
    """Return how cells grow with the distance from impurities of width ``size``."""
    rate = min(_GROWTH / resolution, _STEEPEST)
    return Growth(_CELLS_PER_SIZE * size / resolution, rate, rounded=True)


def edge_growth(radius: float, pearl_length: float, resolution: float) -> Growth:
    """Return how cells grow with the distance from the edge of a disc."""
    finest = min(_EDGE_PER_RADIUS * radius, _EDGE_PER_PEARL_LENGTH * pearl_length)
    return Growth(finest / resolution, min(_EDGE_GROWTH / resolution, _STEEPEST))


def wall_growth(gap: float, resolution: float) -> Growth:
    """Return how the largest cells between walls grow with the height |z| above the film.

    ``gap`` is the distance of the film from the nearer of the walls above and below.

    Far from all sources accuracy would allow for cells as flat as space is, at any resolution, but
    not the solvers: with 8 in place of 4 gaps they take twice as many iterations.
    """
    return Growth(_FLATTEST * gap, min(_GROWTH / resolution, _STEEPEST))
