"""Positions of many impurities: the sites of a lattice on a film, or random places on it."""

from __future__ import annotations

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.model.film import Film
from pearlfem.quantities.annotated import Point
from pearlfem.quantities.arrays import Array, BoolArray

MOST_SITES = 10_000  # the interaction tensor of more would need above 3 GB
_TRIES = 1000  # largest number of places drawn for each site
_MOST_DRAWN = 1_000_000  # largest number of places drawn for all sites
_PARALLEL = 1e-6  # sine of the angle below which two vectors are parallel


def are_parallel(vectors: tuple[Point, Point]) -> bool:
    """Return whether two vectors span no lattice: they are parallel, or one of them is zero."""
    return not abs(np.linalg.det(vectors)) > _PARALLEL * np.linalg.norm(vectors, axis=1).prod()


def lattice_sites(
    film: Film, vectors: tuple[Point, Point], origin: Point, margin: float = 0.0
) -> Array:
    """Return the sites ``origin`` + i a1 + j a2 on ``film``, row after row, ``(n, 2)`` [length].

    Args:
        film: A bounded film.
        vectors: a1 and a2 [length].
        origin: A site of the lattice [length]; it need not lie on the film.
        margin: Distance [length] that sites keep from all edges.

    Raises:
        StudyError: The film has no edge, the vectors are parallel, or no site lies on the film.
    """
    cell = np.array(vectors)
    if are_parallel(vectors):
        raise StudyError(
            f"impurities.lattice.vectors = {[list(v) for v in vectors]}: not allowed; allowed: two "
            "vectors that are not parallel"
        )
    room = _room(film, margin, "lattice")
    if room.is_empty:
        indices = np.empty((0, 2))
    else:
        corners = shapely.get_coordinates(room.envelope) - origin
        bounds = corners @ np.linalg.inv(cell)
        low, high = np.floor(bounds.min(axis=0)), np.ceil(bounds.max(axis=0))
        # A narrow, slanting film fills only a small part of the box of indices.
        if not np.prod(high - low + 1) <= 100 * MOST_SITES:
            raise _too_many(vectors)
        second, first = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1]
        indices = np.column_stack([first.ravel(), second.ravel()])
    sites = indices @ cell + origin
    sites = sites[shapely.contains_xy(room, *sites.T)]
    if len(sites) == 0:
        raise StudyError(
            f"impurities.lattice.vectors = {[list(v) for v in vectors]}: no site lies on "
            f"{film.shape}{_beyond(margin)}; allowed: shorter vectors, or another origin than "
            f"{list(origin)}"
        )
    if len(sites) > MOST_SITES:
        raise _too_many(vectors)
    return np.asarray(sites)


def random_sites(
    film: Film, number: int, seed: int, spacing: float = 0.0, margin: float = 0.0
) -> Array:
    """Return random places on ``film``, ``(number, 2)`` [length].

    They are drawn uniformly, one after the other; a place too near to an earlier one is drawn
    again. The same seed gives the same places on every machine.

    Args:
        film: A bounded film.
        number: Number of places.
        seed: Seed of NumPy's generator PCG64.
        spacing: Smallest distance between two places [length].
        margin: Distance [length] that places keep from all edges.

    Raises:
        StudyError: The film has no edge, or not enough room.
    """
    room = _room(film, margin, "random")
    rng = np.random.default_rng(seed)
    found, count = np.empty((number, 2)), 0
    if not room.is_empty:
        shapely.prepare(room)
        x0, y0, x1, y1 = room.bounds
        for _ in range(min(_TRIES, _MOST_DRAWN // number + 1)):
            drawn = rng.uniform((x0, y0), (x1, y1), (number, 2))
            drawn = drawn[shapely.contains_xy(room, *drawn.T)]
            for place in drawn[_are_apart(drawn, found[:count], spacing)]:
                if np.all(np.linalg.norm(found[:count] - place, axis=1) > spacing):
                    found[count], count = place, count + 1
                if count == number:
                    return found
    raise StudyError(
        f"impurities.random.number = {number}: only {count} found room on {film.shape} at "
        f"distances above spacing = {spacing:g}{_beyond(margin)}; allowed: fewer, or less spacing"
    )


def _are_apart(places: Array, others: Array, spacing: float) -> BoolArray:
    """Return which ``places`` are farther than ``spacing`` from all ``others``, ``(n,)``.

    A fast first search: places at this distance up to round-off count as farther.
    """
    near = (1 - 1e-9) * spacing
    pairs = shapely.STRtree(shapely.points(others)).query(
        shapely.points(places), predicate="dwithin", distance=near
    )
    apart = np.ones(len(places), dtype=bool)
    apart[pairs[0]] = False
    return apart


def _too_many(vectors: tuple[Point, Point]) -> StudyError:
    return StudyError(
        f"impurities.lattice.vectors = {[list(v) for v in vectors]}: more than {MOST_SITES} sites "
        "lie on the film; allowed: longer vectors"
    )


def _room(film: Film, margin: float, kind: str) -> shapely.Geometry:
    """Return the part of the film where impurities may be."""
    if not film.bounded:
        raise StudyError(
            f"impurities.{kind}: not allowed on {film.shape}, which has no edge; allowed: a film "
            "with an edge, or sites from a file"
        )
    return film.outline().buffer(-margin)


def _beyond(margin: float) -> str:
    return f", farther than margin = {margin:g} from its edges" if margin else ""
