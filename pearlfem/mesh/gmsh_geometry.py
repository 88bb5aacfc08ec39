"""The space around the films as a gmsh geometry with named parts.

The plane of each film cuts all of space. If space is mirror symmetric in z, only the half z ≥ 0 is
built. Physical groups:

=================  ===  ==================================================================
``space``           3   the half z ≥ 0 of a symmetric space
``above, below``    3   the parts of a space without this symmetry above and below all films
``between N``       3   the part above the N-th film from below
``film``            2   a film
``hole NAME``       2   a hole of the film
``plane``           2   the rest of the film's plane (only if the film does not fill it)
``far``             2   the far boundary of open space, or between walls without sides
``shield``          2   superconducting walls
``magnetic-wall``   2   magnetic walls, and the top of periodic space
``period 1, 2``     2   a pair of opposite sides of a periodic cell, with the same mesh on both
=================  ===  ==================================================================

Groups of a film with a name begin with it: ``NAME: film``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import gmsh
import numpy as np

from pearlfem.mesh.periodic import PERIODS
from pearlfem.mesh.plane import Faces
from pearlfem.mesh.sizes.grading import Extent
from pearlfem.mesh.tagged import HOLE
from pearlfem.model.boundary import Boundary, Open, Walls
from pearlfem.model.layers import Layer
from pearlfem.model.periodic import Periodic

_Groups = dict[str, list[int]]
_SIDES = "sides"  # of a periodic cell, until they are in pairs
_UP, _DOWN = 1, -1


class Plane(NamedTuple):
    """A film, and the faces of its plane."""

    layer: Layer
    faces: Faces


class _Rim(NamedTuple):
    """The outline of space in a film's plane: four lines or arcs, and the points between them."""

    lines: list[int]
    points: list[int]


def add_space(
    planes: Sequence[Plane], boundary: Boundary, extent: Extent, far: float, *, mirrored: bool
) -> None:
    """Build the space and the films in it; the device has its centre at 0 and the size 1.

    Args:
        planes: The films, the lowest first.
        boundary: The space around them.
        extent: Centre and size of the device.
        far: Radius of the far boundary, if there is one, in sizes of the device.
        mirrored: Whether only the half z ≥ 0 is built.
    """
    geo = gmsh.model.geo
    shell, groups = _shell(boundary, extent, far), _Groups()
    surfaces, loops = zip(*(_add_faces(*plane, extent, groups) for plane in planes), strict=True)
    rims = []
    for number, (layer, _) in enumerate(planes):
        below = number == 0 and not mirrored
        ends = [_DOWN] * below + [_UP] * (number == len(planes) - 1)
        rims.append(shell.rim(layer.height / extent.size, ends))
    covers = {} if mirrored else {"below": shell.cap(rims[0], _DOWN)}
    for number, (lower, upper) in enumerate(pairwise(rims), start=1):
        covers[f"between {number}"] = {shell.sides: _add_sides(lower, upper)}
    covers["space" if mirrored else "above"] = shell.cap(rims[-1], _UP)
    for (layer, _), rim, inside, around in zip(planes, rims, surfaces, loops, strict=True):
        rest = geo.addPlaneSurface([geo.addCurveLoop(rim.lines), *around])
        groups.setdefault(layer.group("plane" if layer.film.bounded else "film"), []).append(rest)
        inside.append(rest)
    # The surfaces below and above each part, from the lowest part to the highest.
    sides = list(zip([[], *surfaces], [*surfaces, []], strict=True))[-len(covers) :]
    volumes = {}
    for (part, cover), (floor, ceiling) in zip(covers.items(), sides, strict=True):
        tags = [tag for each in cover.values() for tag in each]
        volumes[part] = geo.addVolume([geo.addSurfaceLoop(tags + floor + ceiling)])
        for name, each in cover.items():
            groups.setdefault(name, []).extend(each)
    geo.synchronize()
    if isinstance(boundary, Periodic):
        groups |= _paired(groups.pop(_SIDES), boundary, extent)
    for part, volume in volumes.items():
        gmsh.model.addPhysicalGroup(3, [volume], name=part)
    for name, tags in groups.items():
        gmsh.model.addPhysicalGroup(2, tags, name=name)


def _add_faces(
    layer: Layer, faces: Faces, extent: Extent, groups: _Groups
) -> tuple[list[int], list[int]]:
    """Add film and holes to ``groups``; return their surfaces, and the outer loops around them."""
    geo, z = gmsh.model.geo, layer.height / extent.size
    # Rounded, because otherwise round-off would choose between equally good meshes.
    places = np.round((faces.vertices - extent.center) / extent.size, 12)
    points = [geo.addPoint(x, y, z) for x, y in places.tolist()]
    lines: dict[tuple[int, int], int] = {}

    def line(a: int, b: int) -> int:
        if (b, a) in lines:
            return -lines[b, a]
        if (a, b) not in lines:
            lines[a, b] = geo.addLine(points[a], points[b])
            if (min(a, b), max(a, b)) in faces.chords:
                geo.mesh.setTransfiniteCurve(lines[a, b], 2)  # no vertices except its two ends
        return lines[a, b]

    def loop(ring: tuple[int, ...]) -> int:
        sides = zip(ring, (*ring[1:], ring[0]), strict=True)
        return int(geo.addCurveLoop([line(a, b) for a, b in sides]))

    surfaces = []
    for face in faces.faces:
        surfaces.append(geo.addPlaneSurface([loop(ring) for ring in face.rings]))
        part = "film" if face.hole is None else HOLE + face.hole
        groups.setdefault(layer.group(part), []).append(surfaces[-1])
    return surfaces, [loop(ring) for ring in faces.outer]


class _Shell(Protocol):
    """The outer surface of space: around the plane of each film, and above and below all films."""

    sides: str  # the group of the surfaces that stand on the rims

    def rim(self, z: float, ends: Collection[int]) -> _Rim:
        """Add the rim at the height z; a cap will close space on its sides ``ends`` (1, −1)."""

    def cap(self, rim: _Rim, end: int) -> _Groups:
        """Add the surfaces that close space above (1) or below (−1) a rim."""


def _shell(boundary: Boundary, extent: Extent, far: float) -> _Shell:
    if isinstance(boundary, Open):
        return _Dome(far)
    if isinstance(boundary, Periodic):
        return _Cell(boundary, extent)
    return _Room(boundary, extent, far)


class _Dome:
    """The far boundary of open space: half a sphere on the highest and on the lowest rim."""

    sides = "far"

    def __init__(self, far: float) -> None:
        self._far = far
        self._poles: dict[int, tuple[int, int]] = {}  # with the centre of the sphere

    def rim(self, z: float, ends: Collection[int]) -> _Rim:
        center = gmsh.model.geo.addPoint(0, 0, z)
        for end in ends:
            self._poles[end] = center, gmsh.model.geo.addPoint(0, 0, z + end * self._far)
        return _circle(center, self._far, z)

    def cap(self, rim: _Rim, end: int) -> _Groups:
        geo, (center, pole) = gmsh.model.geo, self._poles[end]
        ribs = [geo.addCircleArc(foot, center, pole) for foot in rim.points]
        edges = [[rim.lines[k], ribs[(k + 1) % 4], -ribs[k]] for k in range(4)]
        loops = [geo.addCurveLoop(each) for each in edges]
        return {"far": [geo.addSurfaceFilling([loop], sphereCenterTag=center) for loop in loops]}


class _Room:
    """Walls above and below, and at the sides if these are at a finite distance."""

    def __init__(self, walls: Walls, extent: Extent, far: float) -> None:
        self._walls, self._extent, self._far = walls, extent, far
        self.sides: str = "far" if walls.infinite else walls.kind

    def rim(self, z: float, ends: Collection[int]) -> _Rim:
        if self._walls.infinite:
            return _circle(gmsh.model.geo.addPoint(0, 0, z), self._far, z)
        return _rectangle(self._walls, self._extent, z)

    def cap(self, rim: _Rim, end: int) -> _Groups:
        z = self._walls.heights[0 if end == _DOWN else 1]
        return _add_box(rim, self.rim(z / self._extent.size, ()), self.sides, self._walls.kind)


class _Cell:
    """The periodic cell: open sides and a top."""

    sides = _SIDES

    def __init__(self, periodic: Periodic, extent: Extent) -> None:
        self._periodic, self._extent = periodic, extent

    def rim(self, z: float, ends: Collection[int]) -> _Rim:
        return _parallelogram(self._periodic, self._extent, z)

    def cap(self, rim: _Rim, end: int) -> _Groups:
        lid = self.rim(end * self._periodic.height / self._extent.size, ())
        return _add_box(rim, lid, _SIDES, "magnetic-wall")


def _paired(sides: list[int], periodic: Periodic, extent: Extent) -> _Groups:
    """Make gmsh use the same mesh on opposite sides; return the pairs of sides."""
    pairs = [sides[3], sides[1]], [sides[0], sides[2]]
    for (x, y), (side, opposite) in zip(periodic.vectors / extent.size, pairs, strict=True):
        move = [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, 0, 0, 0, 0, 1]
        gmsh.model.mesh.setPeriodic(2, [opposite], [side], move)
    return dict(zip(PERIODS, pairs, strict=True))


def forget_periods() -> None:
    """Remove the link between opposite sides after meshing: gmsh would not scale their distance."""
    for dimension in (1, 2):
        tags = [tag for _, tag in gmsh.model.getEntities(dimension)]
        gmsh.model.mesh.setPeriodic(dimension, tags, tags, np.eye(4).ravel())


def _add_box(rim: _Rim, lid: _Rim, sides: str, end: str) -> _Groups:
    """Add the sides and the end of a box over ``rim``; return the surfaces by name."""
    cover = {sides: _add_sides(rim, lid)}
    loop = gmsh.model.geo.addCurveLoop(lid.lines)
    cover.setdefault(end, []).append(gmsh.model.geo.addPlaneSurface([loop]))
    return cover


def _add_sides(rim: _Rim, lid: _Rim) -> list[int]:
    """Add the four sides between two rims."""
    geo = gmsh.model.geo
    posts = [geo.addLine(*ends) for ends in zip(rim.points, lid.points, strict=True)]
    surfaces = []
    for k in range(4):
        loop = geo.addCurveLoop([rim.lines[k], posts[(k + 1) % 4], -lid.lines[k], -posts[k]])
        surfaces.append(geo.addSurfaceFilling([loop]))
    return surfaces


def _circle(center: int, radius: float, z: float) -> _Rim:
    """Add a circle of four arcs around ``center`` at the height ``z``."""
    geo = gmsh.model.geo
    places = ((radius, 0), (0, radius), (-radius, 0), (0, -radius))
    points = [geo.addPoint(x, y, z) for x, y in places]
    arcs = [geo.addCircleArc(points[k], center, points[(k + 1) % 4]) for k in range(4)]
    return _Rim(arcs, points)


def _rectangle(walls: Walls, extent: Extent, z: float) -> _Rim:
    """Add the box's cross-section at the height ``z``."""
    x, y = ((c - c0) / extent.size for c, c0 in zip(walls.center, extent.center, strict=False))
    a, b = (size / extent.size / 2 for size in walls.box[:2])
    return _quadrangle(((x - a, y - b), (x + a, y - b), (x + a, y + b), (x - a, y + b)), z)


def _parallelogram(periodic: Periodic, extent: Extent, z: float) -> _Rim:
    """Add a cell around the device at the height ``z``."""
    a, b = periodic.vectors / extent.size
    corners = np.array([-a - b, a - b, a + b, b - a]) / 2
    return _quadrangle([(x, y) for x, y in corners.tolist()], z)


def _quadrangle(places: Sequence[tuple[float, float]], z: float) -> _Rim:
    geo = gmsh.model.geo
    points = [geo.addPoint(x, y, z) for x, y in places]
    return _Rim([geo.addLine(points[k], points[(k + 1) % 4]) for k in range(4)], points)
