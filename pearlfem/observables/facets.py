"""Sheet currents on the facets of films, and the largest of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import ufl

from pearlfem.formulation.film import FilmMesh
from pearlfem.model.sources.impurity import has_points
from pearlfem.observables.fields import has_stream_function, london_current, rotated_gradient
from pearlfem.quantities.arrays import Array, Int32Array
from pearlfem.runtime.jit import compiled_expression
from pearlfem.solution import Solution

# Corners and middles of the sides of the reference triangle.
_NODES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 0.5], [0.5, 0.0]])
_SAME = 1e-6  # relative: currents that differ by less are equally large


class FacetCurrents(NamedTuple):
    """K at points of the facets of a film that this rank owns.

    Args:
        points: (x, y) [length], shape ``(facets, points, 2)``.
        K: The sheet current there [Γ/length² in reduced units], shape ``(facets, points, 2)``.
    """

    points: Array
    K: Array


class LargestCurrent(NamedTuple):
    """The largest |K| on a film, and where it is; None if K is infinite at a point impurity.

    In units of Γ/length² and of length (reduced units).
    """

    name: str
    value: float | None
    x: float | None
    y: float | None


def largest_sheet_current(solution: Solution) -> list[LargestCurrent]:
    """Return the largest |K| on each film, at the corners and the middles of sides of its facets.

    At a corner of the film or of a hole that points into the film, |K| is infinite in theory: there
    the value grows with the resolution of the mesh. Of several places with the same |K|, the one
    with the smallest x counts, and then the smallest y.

    Note:
        Collective; the result is the same on every rank.
    """
    return [_largest(solution, film) for film in solution.films]


def facet_currents(solution: Solution, film: FilmMesh, reference: Array) -> FacetCurrents:
    """Return K at the same points of each facet of a film, seen from above.

    Args:
        solution: A solution without point impurities.
        film: One of its films.
        reference: Points on the reference triangle, shape ``(points, 2)``.

    Note:
        Not collective, except for the compilation of the first call.
    """
    x = ufl.SpatialCoordinate(film.mesh.domain)
    if has_stream_function(solution):
        K = rotated_gradient(solution.stream_function(film))
        values = on_facets(ufl.as_vector([x[0], x[1], K[0], K[1]]), film, film.sides, reference)
        return FacetCurrents(values[..., :2], values[..., 2:])
    A = solution.potential
    values = on_facets(ufl.as_vector([x[0], x[1], A[0], A[1]]), film, film.sides, reference)
    points = values[..., :2]
    regions = np.broadcast_to(film.regions[:, None], points.shape[:-1])
    return FacetCurrents(points, london_current(solution, film, values[..., 2:], points, regions))


def on_facets(vector: Any, film: FilmMesh, sides: Int32Array, reference: Array) -> Array:
    """Return a UFL vector at the same points of each facet in the plane of a film.

    DOLFINx may renumber the corners of a facet before it maps ``reference`` to it, so only values
    of one call, or of two calls with the same ``sides`` and ``reference``, are at the same points.

    Args:
        vector: A UFL expression with k components.
        film: The film.
        sides: Facets as ``TaggedMesh.sides`` returns them.
        reference: Points on the reference triangle, shape ``(points, 2)``.

    Returns:
        Array of shape ``(facets, points, k)``.

    Note:
        Not collective, except for the compilation of the first call.
    """
    values = compiled_expression(vector, reference, film.comm).eval(film.mesh.domain, sides)
    shape = len(sides), len(reference), *vector.ufl_shape  # there may be no facets
    return np.asarray(values, dtype=float).reshape(shape)


def _largest(solution: Solution, film: FilmMesh) -> LargestCurrent:
    name = film.layer.name or "film"
    if has_points([drive.source for drive in solution.drives]):
        return LargestCurrent(name, None, None, None)
    currents = facet_currents(solution, film, _NODES)
    sizes = np.linalg.norm(currents.K, axis=-1).ravel()
    largest = max(film.comm.allgather(float(sizes.max(initial=0.0))))
    places = currents.points.reshape(-1, 2)[sizes >= (1 - _SAME) * largest]
    x, y = min(place for some in film.comm.allgather(places.tolist()) for place in some)
    return LargestCurrent(name, largest, x, y)
