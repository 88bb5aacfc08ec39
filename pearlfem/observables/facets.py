"""Sheet currents on the facets of films, and the largest sheet current."""

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

# Corners and midpoints of the edges of the reference triangle.
FACET_NODES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 0.5], [0.5, 0.0]])
_SAME = 1e-6  # relative difference below which two currents are equally large


class FacetCurrents(NamedTuple):
    """K at q points on each of this rank's n facets of a film.

    Args:
        points: (x, y) [length], shape ``(n, q, 2)``.
        K: The sheet current at these points [Γ/length² in reduced units], shape ``(n, q, 2)``.
    """

    points: Array
    K: Array


class LargestCurrent(NamedTuple):
    """The largest |K| on a film, and its position.

    Args:
        name: Name of the film.
        value: |K| [Γ/length² in reduced units]; None if K is infinite at a point impurity.
        x: Position [length]; None with a point impurity.
        y: Position [length]; None with a point impurity.
    """

    name: str
    value: float | None
    x: float | None
    y: float | None


def largest_sheet_current(solution: Solution) -> list[LargestCurrent]:
    """Return the largest |K| on each film, of all corners and edge midpoints of its facets.

    At a corner of an edge that points into the film, the exact |K| is infinite: there the value
    grows as cells get smaller. Of several positions with the same |K|, the one with the smallest x
    is returned; if these are equal too, the one with the smallest y.

    Note:
        Collective; the result is the same on every rank.
    """
    return [_largest(solution, film) for film in solution.films]


def facet_currents(solution: Solution, film: FilmMesh, reference: Array) -> FacetCurrents:
    """Return K on the facets of a film, at the same points of each facet.

    Args:
        solution: A solution without point impurities.
        film: One of its films.
        reference: Points on the reference triangle, shape ``(q, 2)``.

    Returns:
        Points and K on the facets of this rank.

    Note:
        Collective in the first call, which compiles an expression; not collective later.
    """
    x = ufl.SpatialCoordinate(film.mesh.domain)
    if has_stream_function(solution):
        K = rotated_gradient(solution.stream_function(film))
        values = on_facets(ufl.as_vector([x[0], x[1], K[0], K[1]]), film, film.sides, reference)
        return FacetCurrents(values[..., :2], values[..., 2:])
    A = solution.film_potential()
    values = on_facets(ufl.as_vector([x[0], x[1], A[0], A[1]]), film, film.sides, reference)
    points = values[..., :2]
    regions = np.broadcast_to(film.regions[:, None], points.shape[:-1])
    return FacetCurrents(points, london_current(solution, film, values[..., 2:], points, regions))


def on_facets(vector: Any, film: FilmMesh, sides: Int32Array, reference: Array) -> Array:
    """Return the values of a UFL vector on facets, at the same points of each facet.

    DOLFINx may renumber the corners of a facet before it maps ``reference`` to it. So the points
    must come from the same call, or from another call with the same ``sides`` and ``reference``.

    Args:
        vector: A UFL expression with k components.
        film: The film in whose plane the facets lie.
        sides: n facets, as ``FilmMesh.sides_of`` returns them.
        reference: Points on the reference triangle, shape ``(q, 2)``.

    Returns:
        Array of shape ``(n, q, k)``.

    Note:
        Collective in the first call, which compiles an expression; not collective later.
    """
    values = compiled_expression(vector, reference, film.comm).eval(film.mesh.domain, sides)
    # With 0 facets, the shape cannot be derived from the number of values.
    shape = len(sides), len(reference), *vector.ufl_shape
    return np.asarray(values, dtype=float).reshape(shape)


def _largest(solution: Solution, film: FilmMesh) -> LargestCurrent:
    """Return the largest |K| on one film (collective)."""
    name = film.layer.name or "film"
    if has_points([drive.source for drive in solution.drives]):
        return LargestCurrent(name, None, None, None)
    currents = facet_currents(solution, film, FACET_NODES)
    norms = np.linalg.norm(currents.K, axis=-1).ravel()
    largest = max(film.comm.allgather(float(norms.max(initial=0.0))))
    local = currents.points.reshape(-1, 2)[norms >= (1 - _SAME) * largest]
    positions = [xy for on_rank in film.comm.allgather(local.tolist()) for xy in on_rank]
    x, y = min(positions)
    return LargestCurrent(name, largest, x, y)
