"""The superconducting film: where it lies in the plane z = 0 and how strongly it screens."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.model.outlines import joined
from pearlfem.model.quantities import FORBID_EXTRA, Point, PositiveLength
from pearlfem.model.shapes import Bounded, Disc, Outline, Plane, Rounding, Shape, evenly

_Array = npt.NDArray[np.float64]
Profile = Callable[[_Array, _Array], npt.ArrayLike]
_TOUCHING = 1e-6  # of the film's size: edges nearer to each other than this are taken as touching
_SAMPLES = 100  # per direction, at which a profile is checked to be positive


@dataclass(frozen=True, config=FORBID_EXTRA)
class Hole:
    """A hole in the film.

    Args:
        shape: Where it is.
        name: Its name, by which its fluxoid and its current go.
    """

    shape: Bounded
    name: str


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class Region:
    """A part of the film with a Pearl length of its own.

    Args:
        shape: Where it is.
        pearl_length: r0 [length], a number or a function of (x, y) on arrays.
    """

    shape: Bounded
    pearl_length: PositiveLength | Profile


class Opening:
    """A bounded part of the plane that the film surrounds: a hole."""

    def __init__(self, name: str, outline: shapely.Polygon) -> None:
        self.name, self.outline = name, outline

    @cached_property
    def pole(self) -> Point:
        """The point (x, y) inside that is farthest from the edge."""
        size = np.ptp(np.reshape(self.outline.bounds, (2, 2)), axis=0).max()
        line = shapely.maximum_inscribed_circle(self.outline, tolerance=1e-3 * size)
        x, y = line.coords[0]
        return float(x), float(y)


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class Film:
    """A thin superconducting film.

    Args:
        shape: Where the film is.
        pearl_length: r0 = 2λ²/d = 2/(μ0 κ) [length], a number or, on a bounded film, a smooth
            function of (x, y) on arrays. Twice the Λ = λ²/d of some other codes.
        holes: What is taken away from ``shape``, under a name. Holes that the shape has itself are
            named "hole 1", "hole 2", … in the order of their x, then y, then area.
        regions: Parts with another Pearl length; a later one covers an earlier one.

    Raises:
        pydantic.ValidationError: A value out of range, a hole or a region that is not inside the
            film, holes that touch each other, or a Pearl length that is not positive everywhere (a
            ``ValueError``).

    References:
        J. Pearl, Appl. Phys. Lett. 5, 65 (1964).
    """

    shape: Shape
    pearl_length: PositiveLength | Profile
    holes: tuple[Hole, ...] = ()
    regions: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        _check_holes(self)
        _check_regions(self)
        _check_profiles(self)

    @property
    def bounded(self) -> bool:
        """Whether the film has an outer edge."""
        return not isinstance(self.shape, Plane)

    @cached_property
    def center(self) -> Point:
        """The middle (x, y) of a bounded film's box; the origin on the whole plane."""
        if not self.bounded:
            return 0.0, 0.0
        x0, y0, x1, y1 = self._outline.bounds
        return (x0 + x1) / 2, (y0 + y1) / 2

    @property
    def uniform(self) -> bool:
        """Whether the Pearl length is the same everywhere."""
        return not self.regions and not callable(self.pearl_length)

    @property
    def discs(self) -> tuple[Disc, ...]:
        """The discs whose circles round edges of film, holes and regions are parts of."""
        shapes = [self.shape, *(h.shape for h in self.holes), *(r.shape for r in self.regions)]
        return tuple(dict.fromkeys(disc for shape in shapes for disc in shape.discs))

    def contains(self, point: Point) -> bool:
        """Return whether ``point`` [length] lies on the film and not on an edge of it."""
        outside = (hole.shape for hole in self.holes)
        if not self.shape.contains(point) or any(shape.contains(point) for shape in outside):
            return False
        return not any(o.outline.intersects(shapely.Point(point)) for o in self.openings)

    def covers(self, points: _Array) -> npt.NDArray[np.bool_]:
        """Return which points (x, y) [length], shape ``(…, 2)``, lie on the film."""
        x, y = points[..., 0], points[..., 1]
        if self.bounded:
            return np.asarray(shapely.contains_xy(self._outline, x, y))
        holes = shapely.union_all([opening.outline for opening in self.openings])
        return np.asarray(~shapely.contains_xy(holes, x, y))

    def outline(self, rounding: Rounding = evenly) -> shapely.MultiPolygon:
        """Return the film's polygons without its holes; only of a bounded film."""
        return self._outline if rounding is evenly else self._outlined(rounding)

    @cached_property
    def _outline(self) -> shapely.MultiPolygon:
        outline = self._outlined(evenly)
        shapely.prepare(outline)
        return outline

    def _outlined(self, rounding: Rounding) -> shapely.MultiPolygon:
        assert not isinstance(self.shape, Plane)
        holes = shapely.union_all([hole.shape.outline(rounding) for hole in self.holes])
        left: Any = shapely.difference(self.shape.outline(rounding), holes)
        # Normalised, for the mesh shall not depend on where a drawing begins.
        return shapely.normalize(joined(shapely.get_parts(left), name="film"))

    @cached_property
    def openings(self) -> tuple[Opening, ...]:
        """All holes of the film, those of its shape as well."""
        return self.openings_of(evenly)

    def openings_of(self, rounding: Rounding) -> tuple[Opening, ...]:
        """Return all holes, with round edges as ``rounding`` says."""
        named = [(hole.name, hole.shape.outline(rounding)) for hole in self.holes]
        if isinstance(self.shape, Plane):
            return tuple(Opening(name, *shapely.get_parts(outline)) for name, outline in named)
        found = _surrounded(self.outline(rounding))
        if rounding is not evenly:  # names are those of the true holes
            poles = [(opening.name, shapely.Point(opening.pole)) for opening in self.openings]
            return tuple(Opening(n, next(o for o in found if o.contains(p))) for n, p in poles)
        found.sort(key=lambda hole: _order(hole, _size(self._outline)))
        points = [(name, outline.representative_point()) for name, outline in named]
        names = [next((n for n, p in points if o.contains(p)), None) for o in found]
        taken = {name for name, _ in named}
        free = (name for k in itertools.count(1) if (name := f"hole {k}") not in taken)
        return tuple(Opening(name or next(free), o) for name, o in zip(names, found, strict=True))

    def opening(self, name: str) -> Opening:
        """Return the hole called ``name``.

        Raises:
            StudyError: There is none.
        """
        for opening in self.openings:
            if opening.name == name:
                return opening
        names = ", ".join(repr(o.name) for o in self.openings) or "none, for the film has no hole"
        raise StudyError(f"hole {name!r}: not there; allowed: {names}")

    @property
    def islands(self) -> int:
        """Number of parts that do not hang together."""
        return len(self._islands) + (not self.bounded)

    def islands_at(self, points: _Array) -> npt.NDArray[np.int64]:
        """Return the number of the island that each of the ``points``, ``(n, 2)``, lies on."""
        numbers = np.full(len(points), len(self._islands))
        for number, island in enumerate(self._islands):
            shapely.prepare(island)
            numbers[shapely.contains_xy(island, points[:, 0], points[:, 1])] = number
        return numbers

    def islands_without(self, places: Sequence[Point]) -> list[Point]:
        """Return a point of each island of a bounded film that none of ``places`` is on or in."""
        points = shapely.points(np.array(places, dtype=float).reshape(-1, 2))
        return [
            island.representative_point().coords[0]
            for island in self._islands
            if not shapely.contains(shapely.Polygon(island.exterior), points).any()
        ]

    @cached_property
    def _islands(self) -> list[shapely.Polygon]:
        if self.bounded:
            return list(self._outline.geoms)
        rings = [ring for opening in self.openings for ring in opening.outline.interiors]
        return [shapely.Polygon(ring) for ring in rings]

    def regions_at(self, points: _Array) -> npt.NDArray[np.int64]:
        """Return which region each of the ``points``, shape ``(…, 2)``, lies in; −1 for none."""
        numbers = np.full(points.shape[:-1], -1)
        for number, region in enumerate(self.regions):
            outline = region.shape.outline()
            shapely.prepare(outline)
            numbers[shapely.contains_xy(outline, points[..., 0], points[..., 1])] = number
        return numbers

    def superfluid_weight(
        self, points: _Array, regions: npt.NDArray[np.int64] | None = None
    ) -> _Array:
        """Return κ = 2/(μ0 r0) [1/length in reduced units, μ0 = 1], in K = −κ (A + a − ∇χ).

        Args:
            points: Points (x, y) of the film [length], shape ``(…, 2)``.
            regions: The region of each, where it is known better than from the point, ``(…)``.

        Returns:
            Array of shape ``(…)``.
        """
        numbers = self.regions_at(points) if regions is None else regions
        lengths = _values(self.pearl_length, points)
        for number, region in enumerate(self.regions):
            here = numbers == number
            lengths[here] = _values(region.pearl_length, points[here])
        return 2.0 / lengths

    @cached_property
    def least_pearl_length(self) -> float:
        """The smallest r0 anywhere [length]; of smooth functions, at many points."""
        return min(
            float(_values(length, _samples(outline)).min()) for length, outline in self._profiles()
        )

    def _profiles(self) -> Iterator[tuple[float | Profile, Outline | None]]:
        """Yield each Pearl length and where it holds."""
        yield self.pearl_length, self._outline if self.bounded else None
        for region in self.regions:
            yield region.pearl_length, region.shape.outline()


def _values(length: float | Profile, points: _Array) -> _Array:
    """Return a Pearl length at points, shape ``(…, 2)`` to ``(…)``."""
    if not callable(length):
        return np.full(points.shape[:-1], length)
    values = np.asarray(length(points[..., 0], points[..., 1]), dtype=float)
    return np.broadcast_to(values, points.shape[:-1]).copy()


def _samples(outline: Outline | None) -> _Array:
    """Return points all over an outline, and its corners."""
    if outline is None:
        return np.zeros((1, 2))
    x0, y0, x1, y1 = outline.bounds
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    grid = np.stack(np.meshgrid(x0 + (x1 - x0) * steps, y0 + (y1 - y0) * steps), axis=-1)
    inside = shapely.contains_xy(outline, grid[..., 0], grid[..., 1])
    return np.concatenate([grid[inside], shapely.get_coordinates(outline)])


def _surrounded(film: shapely.MultiPolygon) -> list[shapely.Polygon]:
    """Return the bounded parts of the plane that are not film: within its inner rings."""
    rings = [shapely.Polygon(ring) for part in film.geoms for ring in part.interiors]
    left = [shapely.difference(ring, film) for ring in rings]
    inner = [part for geometry in left for part in shapely.get_parts(geometry)]
    # A ring within an island within a larger ring: its parts are in both.
    return [part for k, part in enumerate(inner) if not any(part.equals(o) for o in inner[:k])]


def _order(hole: shapely.Polygon, size: float) -> tuple[float, float, float]:
    """Return the centre of a hole, up to round-off in a film of ``size``, and its area."""
    x, y = np.round(np.divide(hole.centroid.coords[0], size), 6)
    return float(x), float(y), float(hole.area)


def _check_holes(film: Film) -> None:
    names = [hole.name for hole in film.holes]
    if len(set(names)) < len(names):
        raise StudyError(f"film.hole: names {names}: not allowed; allowed: different ones")
    outlines = [hole.shape.outline() for hole in film.holes]
    for k, (hole, outline) in enumerate(zip(film.holes, outlines, strict=True)):
        where = f"hole {hole.name!r}: {hole.shape}"
        if (parts := len(shapely.get_parts(outline))) > 1:
            raise StudyError(f"{where} has {parts} parts; allowed: one, or a hole for each")
        if not isinstance(film.shape, Plane):
            whole = film.shape.outline()
            near = _TOUCHING * _size(whole)
            if not whole.contains(outline.buffer(near)):
                a, b = _farthest_out(outline, whole)
                raise StudyError(
                    f"{where} leaves or touches {film.shape} at ({a:g}, {b:g}); allowed: a hole "
                    "inside the film, away from its edge"
                )
        for other, o in zip(film.holes[:k], outlines, strict=False):
            if outline.distance(o) <= _TOUCHING * _size(outline):
                a, b = shapely.shortest_line(outline, o).coords[0]
                raise StudyError(
                    f"{where} overlaps or touches hole {other.name!r} at ({a:g}, {b:g}); allowed: "
                    "holes apart from each other"
                )


def _check_regions(film: Film) -> None:
    if isinstance(film.shape, Plane):
        return
    whole = film.shape.outline()
    near = _TOUCHING * _size(whole)
    for number, region in enumerate(film.regions, start=1):
        outline = region.shape.outline()
        if not whole.buffer(near).contains(outline):
            a, b = _farthest_out(outline, whole)
            raise StudyError(
                f"film.region {number}: {region.shape} leaves {film.shape} at ({a:g}, {b:g}); "
                "allowed: a region inside the film"
            )


def _check_profiles(film: Film) -> None:
    if callable(film.pearl_length) and not film.bounded:
        raise StudyError(
            "film.pearl_length: a function is not allowed on the whole plane; allowed: a number, "
            "and regions"
        )
    for length, outline in film._profiles():
        if not callable(length):
            continue
        points = _samples(outline)
        values = _values(length, points)
        wrong = ~(np.isfinite(values) & (values > 0))
        if wrong.any():
            x, y = points[wrong][0]
            raise StudyError(
                f"film.pearl_length = {values[wrong][0]:g} at ({x:g}, {y:g}): not allowed; "
                "allowed: positive everywhere on the film"
            )


def _size(outline: Outline) -> float:
    return float(np.ptp(np.reshape(outline.bounds, (2, 2)), axis=0).max())


def _farthest_out(outline: Outline, whole: Outline) -> Point:
    """Return the corner of ``outline`` that is farthest outside, or nearest to the edge."""
    corners = shapely.get_coordinates(outline)
    points = shapely.points(corners)
    outside = shapely.distance(points, whole)
    inside = shapely.distance(points, whole.boundary)
    x, y = corners[np.argmax(outside) if outside.max() > 0 else np.argmin(inside)]
    return float(x), float(y)
