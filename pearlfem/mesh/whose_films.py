"""Whose mesh it is: the films it was made for, or those that fit its facets.

A mesh of another film gives a number like any other, so ``MaxwellLondon`` asks here first. What
counts is what a mesh depends on: heights, outlines, islands, holes and regions of the films. Pearl
lengths do not count, so films that differ in them can share a mesh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import BoundedShape, Disc, Outline
from pearlfem.mesh.tagged import HOLE, TaggedMesh
from pearlfem.model.film import Film
from pearlfem.model.layers import Films, Layer, layers_of
from pearlfem.quantities.arrays import Array
from pearlfem.runtime.parallel import on_root

_NONE = np.empty((0, 3, 2))
_NEAR = 1e-5  # largest distance of edge vertices from the true edge, in units of the film's size
# If polygons have the areas of circles, vertices may be farther away, by _PER_SAGITTA side²/R. This
# is allowed for sides with both ends within _PER_SIDE times their length of the circle.
_PER_SAGITTA = 0.25
_PER_SIDE = 0.05
_INSET = 0.8  # facets are tested at this part of the way to their corners, where arcs do not matter
_SAME = 1e-9  # of their area, or of the largest height: outlines and heights that differ by less


def mesh_of(mesh: TaggedMesh, films: Films) -> TaggedMesh:
    """Return ``mesh``, which then knows its films, if it is a mesh of ``films``.

    Raises:
        StudyError: It is a mesh of other films; tells what differs.

    Note:
        Collective, with one result on all ranks.
    """
    layers = layers_of(films)
    if mesh.films is None:
        try:
            return fitted(mesh, layers, same_area=True)
        except StudyError as error:  # on all ranks
            raise StudyError(f"mesh: {error}") from None
    if _names(layers) != _names(mesh.films):
        names = [", ".join(map(_film, films)) for films in (mesh.films, layers)]
        raise StudyError("mesh: made for {}, not for {}".format(*names))
    top = max(abs(layer.height) for layer in mesh.films)
    for made, asked in zip(mesh.films, layers, strict=True):
        if abs(asked.height - made.height) > _SAME * top:
            raise StudyError(
                f"mesh: made for {_film(made)} at z = {made.height:g}, not at {asked.height:g}"
            )
        other = _difference(made.film, asked.film)
        if other is not None:
            raise StudyError(
                f"mesh: {_film(made)} differs: made for {other}; allowed: a film that differs "
                "in Pearl lengths only, or a mesh of this film"
            )
    return mesh


def _names(layers: Sequence[Layer]) -> list[str]:
    return [layer.name for layer in layers]


def _film(layer: Layer) -> str:
    return f"film {layer.name!r}" if layer.name else "the film"  # the only one


def _difference(made: Film, asked: Film) -> str | None:
    """Return the first difference that matters to a mesh, in words; None without any."""
    holes = [{hole.name: hole.outline for hole in film.openings} for film in (made, asked)]
    if holes[0].keys() != holes[1].keys():
        return "the holes {}, not {}".format(*(sorted(names) or "none" for names in holes))
    for name, outline in holes[0].items():
        if not _same(outline, holes[1][name]):
            return f"another hole {name!r}"
    same = made.bounded == asked.bounded and _round(made) == _round(asked)
    if same and made.bounded:
        same = _same(made.outline(), asked.outline())
    if not same:
        return f"{made.shape}, not {asked.shape}"
    known = [region.shape for region in made.regions]
    for number, region in enumerate(asked.regions, start=1):
        if not any(_same_shape(region.shape, shape) for shape in known):
            listed = ", ".join(map(str, known)) or "none"
            return f"the regions {listed}; region {number} is {region.shape}"
    return None


def _round(film: Film) -> set[Disc]:
    """Return the discs on whose circles round edges of film and holes lie."""
    return {disc for shape in (film.shape, *(h.shape for h in film.holes)) for disc in shape.discs}


def _same_shape(one: BoundedShape, other: BoundedShape) -> bool:
    return one == other or (
        set(one.discs) == set(other.discs) and _same(one.outline(), other.outline())
    )


def _same(one: Outline, other: Outline) -> bool:
    return bool(
        shapely.equals_exact(one, other)
        or shapely.symmetric_difference(one, other).area <= _SAME * one.area
    )


def fitted(mesh: TaggedMesh, layers: Sequence[Layer], *, same_area: bool) -> TaggedMesh:
    """Return ``mesh``, which then knows its films, if its facets fit ``layers``.

    Args:
        mesh: A mesh of which it is not known for what films it was made.
        layers: The films.
        same_area: Whether polygons may have the areas of circles, as for point impurities.

    Raises:
        StudyError: Facets do not fit a film, its holes or its regions.

    Note:
        Collective; rank 0 looks at the facets.
    """
    for layer in layers:
        prefix = layer.group(HOLE)
        holes = [name for name in mesh.groups if name.startswith(prefix)]
        parts = {
            name: mesh.comm.gather(mesh.domain.geometry.x[mesh.nodes(name, height=layer.height)])
            for name in (layer.group("film"), layer.group("plane"), *holes)
        }
        on_root(mesh.comm, partial(_check_facets, layer, parts, same_area))
    return replace(mesh, films=tuple(layers))


def _check_facets(layer: Layer, parts: dict[str, list[Array] | None], same_area: bool) -> None:
    """Refuse facets, ``(n, 3, 3)`` for each group, that do not fit film, holes or regions."""
    film, of_film, prefix = layer.film, layer.group("film"), layer.group(HOLE)
    places = {name: np.concatenate(corners or []) for name, corners in parts.items()}
    facets = {name: corners[..., :2] for name, corners in places.items()}
    openings = {prefix + opening.name: opening.outline for opening in film.openings}
    holes = {name: corners for name, corners in facets.items() if name.startswith(prefix)}
    if holes.keys() != openings.keys():
        names = [sorted(name.removeprefix(prefix) for name in each) for each in (holes, openings)]
        raise StudyError(f"has the holes {names[0]}; {_film(layer)} asked for has {names[1]}")
    z = places[of_film][..., 2]
    if not z.size or np.abs(z - layer.height).max() > _NEAR * np.ptp(facets[of_film]):
        raise StudyError(f"has no film {of_film!r} in z = {layer.height:g}")
    for name, corners in facets.items():
        points = corners + (1 - _INSET) * (corners.mean(axis=1, keepdims=True) - corners)
        wrong = film.covers(points) != (name == of_film)
        if name in openings:
            wrong |= ~shapely.contains_xy(openings[name], points[..., 0], points[..., 1])
        if name == of_film:
            regions = film.regions_at(points)
            wrong |= regions != regions[:, :1]
        if wrong.any():
            x, y = points[wrong][0]
            raise StudyError(
                f"has {name!r} at ({x:g}, {y:g}), which does not fit {_film(layer)} asked for"
            )
    lines = shapely.boundary(film.outline() if film.bounded else list(openings.values()))
    inner = facets[of_film] if film.bounded else np.concatenate([_NONE, *holes.values()])
    if inner.size:
        discs = film.discs if same_area else ()
        _check_rim(_rim(inner), shapely.union_all(lines), discs, layer)


def _check_rim(
    rim: Array, lines: shapely.Geometry, rounded: tuple[Disc, ...], layer: Layer
) -> None:
    """Refuse edges, ``(n, 2, 2)``, with an end too far from ``lines``.

    Sides of polygons that have the areas of the discs ``rounded`` may be farther away.
    """
    lengths = np.linalg.norm(rim[:, 1] - rim[:, 0], axis=1)
    allowed = _NEAR * np.ptp(rim, axis=(0, 1)).max() * np.ones(len(rim))
    for disc in rounded:
        from_circle = np.abs(np.linalg.norm(rim - disc.center, axis=2) - disc.radius).max(axis=1)
        near = from_circle < _PER_SIDE * lengths
        allowed[near] += _PER_SAGITTA * lengths[near] ** 2 / disc.radius
    distances = shapely.distance(shapely.points(rim), lines)
    wrong = distances > allowed[:, None]
    if wrong.any():
        x, y = rim[wrong][0]
        raise StudyError(
            f"has an edge of the film at ({x:g}, {y:g}), which is {distances[wrong][0]:g} away "
            f"from the edges of {_film(layer)} asked for"
        )


def _rim(triangles: Array) -> Array:
    """Return the edges, ``(n, 2, 2)``, that belong to only one of the triangles, ``(m, 3, 2)``."""
    vertices, numbers = np.unique(triangles.reshape(-1, 2), axis=0, return_inverse=True)
    edges = numbers.reshape(-1, 3)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    different, times = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    return np.asarray(vertices[different[times == 1]])
