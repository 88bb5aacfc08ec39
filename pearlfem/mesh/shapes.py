"""Space around the film as a gmsh geometry with named parts.

Space that is mirror symmetric in z is only built for z ≥ 0. Physical groups:

=================  ===  ==================================================================
``space``           3   the half z ≥ 0; or, without mirror symmetry,
``above, below``    3   the two parts of the whole space
``film``            2   the film, in z = 0
``plane``           2   the rest of z = 0 (only if the film does not fill it)
``far``             2   the far boundary of open space, or between walls that have no sides
``shield``          2   superconducting walls
``magnetic-wall``   2   magnetic walls
=================  ===  ==================================================================
"""

from __future__ import annotations

import math

import gmsh

from pearlfem.mesh.grading import Extent
from pearlfem.model.boundary import Boundary, Open, Walls
from pearlfem.model.film import Disc, Film

_Entities = list[tuple[int, int]]  # pairs of dimension and tag
_ROUND_OFF = 1e-9


def add_space(film: Film, boundary: Boundary, extent: Extent, far: float) -> list[int]:
    """Build space and the film in it, in units of the device and around its centre.

    Args:
        film: The film.
        boundary: What surrounds it.
        extent: The device.
        far: Radius of the far boundary, if there is one, in sizes of the device.

    Returns:
        The curves of the film's edge, if it has one.
    """
    occ = gmsh.model.occ
    volumes = [(3, tag) for tag in _add_volumes(boundary, extent, far)]
    disc = []
    if isinstance(film.shape, Disc):
        radius = film.shape.radius / extent.size
        disc = [(2, occ.addDisk(0, 0, 0, radius, radius))]
    if disc or len(volumes) > 1:  # the volumes then share the plane z = 0, and the disc lies in it
        volumes, parts = occ.fragment(volumes, disc)
        disc = parts[-1] if disc else []
        volumes = [entity for entity in volumes if entity[0] == 3]
    occ.synchronize()
    _name_volumes(volumes)
    _name_surfaces(volumes, disc, boundary)
    return [abs(tag) for _, tag in gmsh.model.getBoundary(disc, oriented=False)] if disc else []


def _add_volumes(boundary: Boundary, extent: Extent, far: float) -> list[int]:
    """Add space above the film, and below it if that is no mirror image."""
    occ = gmsh.model.occ
    if isinstance(boundary, Open):
        return [occ.addSphere(0, 0, 0, far, angle1=0, angle2=math.pi / 2)]
    ends = [z / extent.size for z in boundary.heights[::-1] if z > 0 or not boundary.mirrored]
    if boundary.infinite:
        return [occ.addCylinder(0, 0, 0, 0, 0, z, far) for z in ends]
    x, y = ((c - c0) / extent.size for c, c0 in zip(boundary.center, extent.center, strict=False))
    a, b = (size / extent.size for size in boundary.box[:2])
    return [occ.addBox(x - a / 2, y - b / 2, min(z, 0), a, b, abs(z)) for z in ends]


def _name_volumes(volumes: _Entities) -> None:
    if len(volumes) == 1:
        gmsh.model.addPhysicalGroup(3, [volumes[0][1]], name="space")
        return
    for dimension, tag in volumes:
        above = gmsh.model.occ.getCenterOfMass(dimension, tag)[2] > 0
        gmsh.model.addPhysicalGroup(3, [tag], name="above" if above else "below")


def _name_surfaces(volumes: _Entities, disc: _Entities, boundary: Boundary) -> None:
    """Sort the surfaces by the heights of their centres: at sides that is half way up."""
    surfaces = set(gmsh.model.getBoundary(volumes, combined=False, oriented=False))
    heights = {tag: gmsh.model.occ.getCenterOfMass(2, tag)[2] for _, tag in sorted(surfaces)}
    lowest, highest = min(heights.values()), max(heights.values())
    groups: dict[str, list[int]] = {}
    for tag, z in heights.items():
        at_end = not lowest * (1 - _ROUND_OFF) < z < highest * (1 - _ROUND_OFF)
        if abs(z) < _ROUND_OFF * highest:
            name = "film" if not disc or (2, tag) in disc else "plane"
        elif isinstance(boundary, Walls) and (not boundary.infinite or at_end):
            name = boundary.kind
        else:
            name = "far"
        groups.setdefault(name, []).append(tag)
    for name, tags in groups.items():
        gmsh.model.addPhysicalGroup(2, tags, name=name)
