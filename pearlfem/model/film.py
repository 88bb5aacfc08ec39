"""A superconducting film: its shape in its plane, and how strongly it screens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import shapely
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.geometry.outlines import sizes
from pearlfem.geometry.perforated import TOUCHING, Opening, Perforated, farthest_out, perforated
from pearlfem.geometry.shapes import BoundedShape, Disc, Outline, Plane, Rounding, Shape, evenly
from pearlfem.model.profiles import Profile
from pearlfem.quantities.annotated import FORBID_EXTRA, Point, PositiveLength
from pearlfem.quantities.arrays import Array, BoolArray, Int64Array

_SAMPLES = 100  # points per direction where a profile must be positive


@dataclass(frozen=True, config=FORBID_EXTRA)
class Hole:
    """A hole in the film.

    Args:
        shape: Shape of the hole.
        name: Name of the hole; fluxoids and results refer to it.
    """

    shape: BoundedShape
    name: str


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class Region:
    """A part of the film with another Pearl length.

    Args:
        shape: Shape of the region.
        pearl_length: r0 [length], a number or a function of the arrays x and y.
    """

    shape: BoundedShape
    pearl_length: PositiveLength | Profile


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class Film:
    """A thin superconducting film.

    Args:
        shape: Outer shape of the film, possibly with holes.
        pearl_length: r0 = 2λ²/d = 2/(μ0 κ) [length], a number or, on a bounded film, a smooth
            function of the arrays x and y. Some other codes use Λ = λ²/d, which is half of it.
            Bounds of energies are guaranteed for numbers and ``Expression``, not for other
            functions.
        holes: Named holes, cut out of ``shape``. Holes of ``shape`` itself get the names "hole 1",
            "hole 2", … in the order of their x, then y, then area.
        regions: Parts with another Pearl length. Where two overlap, the later one counts.

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
        _ = self._cut  # which checks the holes
        _check_regions(self)
        _check_profiles(self)

    @property
    def bounded(self) -> bool:
        """Whether the film has an outer edge."""
        return not isinstance(self.shape, Plane)

    @cached_property
    def center(self) -> Point:
        """Centre (x, y) of the box around a bounded film; the origin for the whole plane."""
        if not self.bounded:
            return 0.0, 0.0
        x0, y0, x1, y1 = self._outline.bounds
        return (x0 + x1) / 2, (y0 + y1) / 2

    @property
    def uniform(self) -> bool:
        """Whether the Pearl length is the same everywhere."""
        return not self.regions and not callable(self.pearl_length)

    @property
    def varies(self) -> bool:
        """Whether the Pearl length is a function of the place, somewhere."""
        return callable(self.pearl_length) or any(callable(r.pearl_length) for r in self.regions)

    def pearl_length_in(self, region: int) -> float | Profile:
        """Return r0 in the region with this number, or off all regions for −1."""
        return self.pearl_length if region < 0 else self.regions[region].pearl_length

    @property
    def discs(self) -> tuple[Disc, ...]:
        """The discs on whose circles the round edges of film, holes and regions lie."""
        shapes = [self.shape, *(h.shape for h in self.holes), *(r.shape for r in self.regions)]
        return tuple(dict.fromkeys(disc for shape in shapes for disc in shape.discs))

    def contains(self, point: Point) -> bool:
        """Return whether ``point`` [length] lies on the film, not on one of its edges."""
        return self._cut.contains(point)

    def covers(self, points: Array) -> BoolArray:
        """Return which points (x, y) [length], shape ``(…, 2)``, lie on the film."""
        x, y = points[..., 0], points[..., 1]
        if self.bounded:
            return np.asarray(shapely.contains_xy(self._outline, x, y))
        holes = shapely.union_all([opening.outline for opening in self.openings])
        return np.asarray(~shapely.contains_xy(holes, x, y))

    @cached_property
    def _cut(self) -> Perforated:
        return perforated(self.shape, tuple((hole.name, hole.shape) for hole in self.holes))

    def outline(self, rounding: Rounding = evenly) -> shapely.MultiPolygon:
        """Return the polygons of a bounded film, with its holes cut out."""
        return self._cut.outline_of(rounding)

    @property
    def _outline(self) -> shapely.MultiPolygon:
        return self._cut.outline

    @property
    def openings(self) -> tuple[Opening, ...]:
        """All holes of the film, including those of its shape."""
        return self._cut.openings

    def openings_of(self, rounding: Rounding) -> tuple[Opening, ...]:
        """Return all holes; ``rounding`` places the vertices on round edges."""
        return self._cut.openings_of(rounding)

    def opening(self, name: str) -> Opening:
        """Return the hole with this name.

        Raises:
            StudyError: There is no such hole.
        """
        for opening in self.openings:
            if opening.name == name:
                return opening
        names = ", ".join(repr(o.name) for o in self.openings) or "none, for the film has no hole"
        raise StudyError(f"hole {name!r}: not there; allowed: {names}")

    @property
    def islands(self) -> int:
        """Number of connected parts of the film."""
        return len(self._islands) + (not self.bounded)

    def islands_at(self, points: Array) -> Int64Array:
        """Return the number of the island that each point lies on, ``(n, 2)`` to ``(n,)``."""
        numbers = np.full(len(points), len(self._islands))
        for number, island in enumerate(self._islands):
            shapely.prepare(island)
            numbers[shapely.contains_xy(island, points[:, 0], points[:, 1])] = number
        return numbers

    def islands_without(self, places: Sequence[Point]) -> list[Point]:
        """Return a point of each island that contains none of ``places``, not even in a hole.

        Only for bounded films.
        """
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

    def regions_at(self, points: Array) -> Int64Array:
        """Return the number of the region at each point, −1 for none, ``(…, 2)`` to ``(…)``."""
        numbers = np.full(points.shape[:-1], -1)
        for number, region in enumerate(self.regions):
            outline = region.shape.outline()
            shapely.prepare(outline)
            numbers[shapely.contains_xy(outline, points[..., 0], points[..., 1])] = number
        return numbers

    def superfluid_weight(self, points: Array, regions: Int64Array | None = None) -> Array:
        """Return κ = 2/(μ0 r0) [1/length in reduced units, μ0 = 1], in K = −κ (A + a − ∇χ).

        Args:
            points: Points (x, y) of the film [length], shape ``(…, 2)``.
            regions: Numbers of their regions, ``(…)``; by default those of ``regions_at``.

        Returns:
            Array of shape ``(…)``.
        """
        numbers = self.regions_at(points) if regions is None else regions
        lengths = _values(self.pearl_length, points)
        for number, region in enumerate(self.regions):
            here = numbers == number
            lengths[here] = _values(region.pearl_length, points[here])
        return 2.0 / lengths

    @property
    def uniform_pearl_length(self) -> float:
        """The one r0 of the whole film [length].

        Raises:
            StudyError: The Pearl length varies over the film.
        """
        if self.regions or callable(self.pearl_length):
            raise StudyError(
                "film.pearl_length: varies over the film; allowed here: one number, and no regions"
            )
        return self.pearl_length

    @cached_property
    def least_pearl_length(self) -> float:
        """The smallest r0 [length] on the film; functions are sampled at many points."""
        return min(
            float(_values(length, _samples(outline)).min()) if callable(length) else length
            for length, outline in self._profiles()
        )

    def _profiles(self) -> Iterator[tuple[float | Profile, Outline | None]]:
        """Yield each Pearl length with the outline of its part of the film."""
        yield self.pearl_length, self._outline if self.bounded else None
        for region in self.regions:
            yield region.pearl_length, region.shape.outline()


def _values(length: float | Profile, points: Array) -> Array:
    """Return the values of a Pearl length at points, ``(…, 2)`` to ``(…)``."""
    if not callable(length):
        return np.full(points.shape[:-1], length)
    values = np.asarray(length(points[..., 0], points[..., 1]), dtype=float)
    return np.broadcast_to(values, points.shape[:-1]).copy()


def _samples(outline: Outline | None) -> Array:
    """Return points on a grid inside an outline, and its corners, ``(n, 2)``."""
    if outline is None:
        return np.zeros((1, 2))
    x0, y0, x1, y1 = outline.bounds
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    grid = np.stack(np.meshgrid(x0 + (x1 - x0) * steps, y0 + (y1 - y0) * steps), axis=-1)
    inside = shapely.contains_xy(outline, grid[..., 0], grid[..., 1])
    return np.concatenate([grid[inside], shapely.get_coordinates(outline)])


def _check_regions(film: Film) -> None:
    if isinstance(film.shape, Plane) or not film.regions:
        return
    whole = film.shape.outline()
    outlines = [region.shape.outline() for region in film.regions]
    shapely.prepare(whole)
    out = np.flatnonzero(~shapely.covers(whole, outlines))
    if not len(out):
        return
    wider = whole.buffer(TOUCHING * float(sizes(whole)))
    shapely.prepare(wider)
    for number in out[~shapely.contains(wider, [outlines[k] for k in out])][:1]:
        a, b = farthest_out(outlines[number], whole)
        raise StudyError(
            f"film.region {number + 1}: {film.regions[number].shape} leaves {film.shape} at "
            f"({a:g}, {b:g}); allowed: a region inside the film"
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
