"""Space around the film as a gmsh geometry with named parts.

Space that is mirror symmetric in z is only built for z ≥ 0. Physical groups:

=================  ===  ==================================================================
``space``           3   the half z ≥ 0; or, without mirror symmetry,
``above, below``    3   the two parts of the whole space
``film``            2   the film, in z = 0
``hole NAME``       2   a hole of the film
``plane``           2   the rest of z = 0 (only if the film does not fill it)
``far``             2   the far boundary of open space, or between walls that have no sides
``shield``          2   superconducting walls
``magnetic-wall``   2   magnetic walls, and the end of periodic space
``period 1, 2``     2   two opposite walls of a periodic cell, with the same mesh on both
=================  ===  ==================================================================
"""

from __future__ import annotations

from collections.abc import Sequence

import gmsh
import numpy as np

from pearlfem.mesh.periodic import PERIODS
from pearlfem.mesh.plane import Faces
from pearlfem.mesh.sizes.grading import Extent
from pearlfem.mesh.tagged import HOLE
from pearlfem.model.boundary import Boundary, Open, Walls
from pearlfem.model.periodic import Periodic

_Groups = dict[str, list[int]]
_SIDES = "sides"  # of a periodic cell, until they are in pairs


def add_space(faces: Faces, rest: str, boundary: Boundary, extent: Extent, far: float) -> None:
    """Build space and the film in it, in units of the device and around its centre.

    Args:
        faces: Film and holes.
        rest: "film" or "plane": what the rest of z = 0 is.
        boundary: What surrounds the film.
        extent: The device.
        far: Radius of the far boundary, if there is one, in sizes of the device.
    """
    geo = gmsh.model.geo
    groups: _Groups = {}
    around = _add_faces(faces, extent, groups)
    if isinstance(boundary, Open):
        rim, parts = _dome(far)
    elif isinstance(boundary, Periodic):
        rim, parts = _cell(boundary, extent)
    else:
        rim, parts = _room(boundary, extent, far)
    groups.setdefault(rest, []).append(geo.addPlaneSurface([geo.addCurveLoop(rim), *around]))
    in_plane = [tag for tags in groups.values() for tag in tags]
    volumes = {}
    for part, cover in parts.items():
        tags = [tag for surfaces in cover.values() for tag in surfaces]
        volumes[part] = geo.addVolume([geo.addSurfaceLoop(tags + in_plane)])
        for name, surfaces in cover.items():
            groups.setdefault(name, []).extend(surfaces)
    geo.synchronize()
    if isinstance(boundary, Periodic):
        groups |= _paired(groups.pop(_SIDES), boundary, extent)
    for part, volume in volumes.items():
        gmsh.model.addPhysicalGroup(3, [volume], name=part)
    for name, tags in groups.items():
        gmsh.model.addPhysicalGroup(2, tags, name=name)


def _add_faces(faces: Faces, extent: Extent, groups: _Groups) -> list[int]:
    """Add film and holes to ``groups``; return the loops around all of them."""
    geo = gmsh.model.geo
    # Rounded, or round-off would choose among equally good meshes.
    places = np.round((faces.vertices - extent.center) / extent.size, 12)
    points = [geo.addPoint(x, y, 0.0) for x, y in places.tolist()]
    lines: dict[tuple[int, int], int] = {}

    def line(a: int, b: int) -> int:
        if (b, a) in lines:
            return -lines[b, a]
        if (a, b) not in lines:
            lines[a, b] = geo.addLine(points[a], points[b])
            if (min(a, b), max(a, b)) in faces.chords:
                geo.mesh.setTransfiniteCurve(lines[a, b], 2)  # its ends are the only vertices
        return lines[a, b]

    def loop(ring: tuple[int, ...]) -> int:
        sides = zip(ring, (*ring[1:], ring[0]), strict=True)
        return int(geo.addCurveLoop([line(a, b) for a, b in sides]))

    for face in faces.faces:
        surface = geo.addPlaneSurface([loop(ring) for ring in face.rings])
        name = "film" if face.hole is None else HOLE + face.hole
        groups.setdefault(name, []).append(surface)
    return [loop(ring) for ring in faces.outer]


def _dome(far: float) -> tuple[list[int], dict[str, _Groups]]:
    """Add the far boundary of the half z > 0 of open space: its rim, and what covers it."""
    geo = gmsh.model.geo
    center, pole = geo.addPoint(0, 0, 0), geo.addPoint(0, 0, far)
    rim, feet = _circle(center, far, 0.0)
    ribs = [geo.addCircleArc(foot, center, pole) for foot in feet]
    loops = [geo.addCurveLoop([rim[k], ribs[(k + 1) % 4], -ribs[k]]) for k in range(4)]
    caps = [geo.addSurfaceFilling([loop], sphereCenterTag=center) for loop in loops]
    return rim, {"space": {"far": caps}}


def _room(walls: Walls, extent: Extent, far: float) -> tuple[list[int], dict[str, _Groups]]:
    """Add walls above, and below if that is no mirror image: their rim in z = 0, and the parts."""

    def corners(z: float) -> tuple[list[int], list[int]]:
        if walls.infinite:
            return _circle(gmsh.model.geo.addPoint(0, 0, z), far, z)
        return _rectangle(walls, extent, z)

    rim, feet = corners(0.0)
    parts = {}
    for z in walls.heights:
        if z < 0 and walls.mirrored:
            continue
        side = "far" if walls.infinite else walls.kind
        name = "space" if walls.mirrored else ("above" if z > 0 else "below")
        parts[name] = _box(rim, feet, *corners(z / extent.size), side, walls.kind)
    return rim, parts


def _cell(periodic: Periodic, extent: Extent) -> tuple[list[int], dict[str, _Groups]]:
    """Add the cell that is repeated: its rim in z = 0, and what covers it."""
    rim, feet = _parallelogram(periodic, extent, 0.0)
    upper = _parallelogram(periodic, extent, periodic.height / extent.size)
    return rim, {"space": _box(rim, feet, *upper, _SIDES, "magnetic-wall")}


def _paired(sides: list[int], periodic: Periodic, extent: Extent) -> _Groups:
    """Let opposite sides have the same mesh; return the pairs."""
    pairs = [sides[3], sides[1]], [sides[0], sides[2]]
    for (x, y), (side, opposite) in zip(periodic.vectors / extent.size, pairs, strict=True):
        move = [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, 0, 0, 0, 0, 1]
        gmsh.model.mesh.setPeriodic(2, [opposite], [side], move)
    return dict(zip(PERIODS, pairs, strict=True))


def forget_periods() -> None:
    """Make walls of the meshed model independent: gmsh does not scale the shift between them."""
    for dimension in (1, 2):
        tags = [tag for _, tag in gmsh.model.getEntities(dimension)]
        gmsh.model.mesh.setPeriodic(dimension, tags, tags, np.eye(4).ravel())


def _box(
    rim: list[int], feet: list[int], upper: list[int], heads: list[int], side: str, end: str
) -> _Groups:
    """Add the sides and the end of what stands on ``rim``."""
    geo = gmsh.model.geo
    posts = [geo.addLine(foot, head) for foot, head in zip(feet, heads, strict=True)]
    cover: _Groups = {}
    for k in range(4):
        loop = geo.addCurveLoop([rim[k], posts[(k + 1) % 4], -upper[k], -posts[k]])
        cover.setdefault(side, []).append(geo.addSurfaceFilling([loop]))
    cover.setdefault(end, []).append(geo.addPlaneSurface([geo.addCurveLoop(upper)]))
    return cover


def _circle(center: int, radius: float, z: float) -> tuple[list[int], list[int]]:
    """Add a circle of four arcs around ``center`` at the height ``z``; return arcs and points."""
    geo = gmsh.model.geo
    places = ((radius, 0), (0, radius), (-radius, 0), (0, -radius))
    points = [geo.addPoint(x, y, z) for x, y in places]
    return [geo.addCircleArc(points[k], center, points[(k + 1) % 4]) for k in range(4)], points


def _rectangle(walls: Walls, extent: Extent, z: float) -> tuple[list[int], list[int]]:
    """Add the box's cross-section at the height ``z``; return lines and points."""
    x, y = ((c - c0) / extent.size for c, c0 in zip(walls.center, extent.center, strict=False))
    a, b = (size / extent.size / 2 for size in walls.box[:2])
    return _quadrangle(((x - a, y - b), (x + a, y - b), (x + a, y + b), (x - a, y + b)), z)


def _parallelogram(periodic: Periodic, extent: Extent, z: float) -> tuple[list[int], list[int]]:
    """Add a cell around the device at the height ``z``; return lines and points."""
    a, b = periodic.vectors / extent.size
    corners = np.array([-a - b, a - b, a + b, b - a]) / 2
    return _quadrangle([(x, y) for x, y in corners.tolist()], z)


def _quadrangle(places: Sequence[tuple[float, float]], z: float) -> tuple[list[int], list[int]]:
    geo = gmsh.model.geo
    points = [geo.addPoint(x, y, z) for x, y in places]
    return [geo.addLine(points[k], points[(k + 1) % 4]) for k in range(4)], points
