"""Checks before any work: combinations of film, sources and boundary without an answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from pearlfem.errors import StudyError
from pearlfem.geometry.shapes import Plane
from pearlfem.model.boundary import Boundary, Open
from pearlfem.model.film import Film
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.applied import Applied, UniformField
from pearlfem.model.sources.base import Source, name_of, numbered
from pearlfem.model.sources.flux import Fluxoid
from pearlfem.model.sources.impurity import Impurity, is_point
from pearlfem.quantities.annotated import Point


def refuse_points(sources: Sequence[Source], where: str) -> None:
    """Refuse point impurities.

    Args:
        sources: The sources.
        where: End of the sentence "not allowed …" in the message.

    Raises:
        StudyError: Names the first point impurity.
    """
    for number, impurity in enumerate((s for s in sources if isinstance(s, Impurity)), start=1):
        if is_point(impurity):
            raise StudyError(
                f"impurity {number}: size = 0 (a point impurity): not allowed {where}; "
                "allowed: a size > 0"
            )


def check_sources(film: Film, sources: Sequence[Source]) -> None:
    """Refuse sources for which the film has no answer.

    Raises:
        StudyError: There is no source; a source lies outside the film or in a hole; a fluxoid names
            a hole that does not exist; a core is larger than the film; windings on the whole plane
            do not add up to zero; two point impurities share a position, or lie on a film whose
            Pearl length varies.
    """
    if not sources:
        raise StudyError("impurity: none given; a study needs at least one source")
    _check_points(film, sources)
    if film.bounded:
        x0, y0, x1, y1 = film.outline().bounds
        check_cores(sources, max(x1 - x0, y1 - y0), str(film.shape))
    for name, source in numbered(sources):
        for place in source.places:
            check_position(film, name, place)
        if isinstance(source, Fluxoid):
            film.opening(source.hole)  # refuses an unknown name
    winding = sum(source.vorticity for source in sources)
    if winding != 0 and not film.bounded:
        raise StudyError(
            f"vortex: the windings add up to {winding} on the whole plane, where currents then "
            "fall off too slowly for an answer; allowed: windings that add up to 0, or a film with "
            "an edge"
        )


def _check_points(film: Film, sources: Sequence[Source]) -> None:
    if not film.uniform:
        refuse_points(sources, "on a film whose Pearl length varies")
    check_apart([(name, source) for name, source in numbered(sources) if is_point(source)])


def check_apart(named: Sequence[tuple[str, Impurity]]) -> None:
    """Refuse impurities that share a position.

    Args:
        named: Impurities, each with its name for the message.

    Raises:
        StudyError: Names two impurities and their position.
    """
    names: dict[Point, str] = {}
    for name, impurity in named:
        other = names.setdefault(impurity.position, name)
        if other != name:
            raise StudyError(
                f"{name}: position = {list(impurity.position)} is that of {other}; allowed: "
                "different positions"
            )


def check_cores(sources: Sequence[Source], size: float, what: str) -> None:
    """Refuse impurities and vortices that are larger than what they lie in.

    Args:
        sources: The sources.
        size: The longer side of it [length].
        what: The film, the box or the cell, in words.

    Raises:
        StudyError: Names the first such source, and both sizes.
    """
    for name, source in numbered(sources):
        for core in source.cores if source.places else ():
            if core.size > size:
                raise StudyError(
                    f"{name}: size = {core.size:g} is larger than {what}, whose longer side is "
                    f"{size:g}; allowed: a core that it has room for"
                )


def check_position(film: Film, name: str, position: Point) -> None:
    """Refuse a point that is not on the film.

    Raises:
        StudyError: The point lies outside the film, or in a hole.
    """
    if film.contains(position):
        return
    hole = next((hole for hole in film.holes if hole.shape.contains(position)), None)
    where = "outside the film" if hole is None else f"in hole {hole.name!r}"
    raise StudyError(
        f"{name}: position = {list(position)} lies {where}; allowed: a point inside {film.shape}"
    )


def check_applied(film: Film, boundary: Boundary, sources: Sequence[Source]) -> None:
    """Refuse applied fields for which there is no finite answer.

    Raises:
        StudyError: A uniform field on the whole plane, or any field between walls.
    """
    for source in sources:
        if not isinstance(source, Applied):
            continue
        if isinstance(source, UniformField) and not film.bounded:
            raise StudyError(
                f"applied.field = {list(source.field)}: no finite answer on the whole plane; "
                "allowed: a film with an edge"
            )
        if not isinstance(boundary, Open):
            raise StudyError(
                f"applied: a field ({name_of(source)}) cannot reach into walls of kind = "
                f"{boundary.kind!r}; allowed: kind = 'open'"
            )


def check_boundary(boundary: Boundary, film: Film, sources: Sequence[Source]) -> None:
    """Refuse a boundary that does not fit the film or the sources.

    Raises:
        StudyError: Walls cut the film or leave a source outside, a core is larger than the box or
            the cell, or a point impurity lies between walls; for a periodic space see
            ``check_periodic``.
    """
    if isinstance(boundary, Open):
        return
    if isinstance(boundary, Periodic):
        check_periodic(film, sources)
        longest = float(np.linalg.norm(boundary.vectors, axis=1).max())
        check_cores(sources, longest, "the cell of the lattice")
        return
    if not boundary.infinite:
        check_cores(sources, max(boundary.box[:2]), str(boundary))
    refuse_points(sources, f"between walls (kind = {boundary.kind!r})")
    lower, upper = boundary.heights
    if not lower < 0 < upper:
        raise StudyError(
            f"boundary: {boundary} has walls at z = {lower:g} and z = {upper:g}; "
            "allowed: one below and one above the film in z = 0"
        )
    if film.bounded:
        corners = shapely.get_coordinates(film.outline()).tolist()
    else:
        corners = [p for o in film.openings for p in shapely.get_coordinates(o.outline).tolist()]
    for corner in corners:
        if not boundary.clearance(corner) > 0:
            x, y = corner
            raise StudyError(
                f"boundary: {boundary} cuts {film.shape} at ({x:g}, {y:g}); allowed: walls that do "
                "not touch the film"
            )
    for name, source in numbered(sources):
        for core in source.cores:
            if not boundary.clearance(core.position) > 0:
                raise StudyError(
                    f"{name}: position = {list(core.position)} lies outside "
                    f"{boundary}; allowed: a point inside its walls"
                )


_WHERE = "with boundary.kind = 'periodic'"


def check_periodic(film: Film, sources: Sequence[Source]) -> None:
    """Refuse a film or sources that a periodic space cannot have.

    Raises:
        StudyError: The film is not a uniform plane without holes, or a source is not an impurity
            with a size.
    """
    where = f"not allowed {_WHERE}"
    if not isinstance(film.shape, Plane):
        raise StudyError(f"film.shape = {film.shape}: {where}; allowed: 'plane'")
    if film.openings:
        raise StudyError(f"film.hole {film.openings[0].name!r}: {where}; allowed: no holes")
    if not film.uniform:
        raise StudyError(
            f"film.pearl_length: one that varies is {where}; allowed: one number, and no regions"
        )
    check_repeatable(sources)


def check_repeatable(sources: Sequence[Source]) -> None:
    """Refuse sources that a periodic space cannot repeat: all but impurities with a size.

    Raises:
        StudyError: Names the first such source.
    """
    for name, source in numbered(sources):
        if not isinstance(source, Impurity):
            raise StudyError(f"{name}: not allowed {_WHERE}; allowed: impurities")
    refuse_points(sources, _WHERE)


def check_task(
    film: Film,
    sources: Sequence[Source],
    *,
    boundary: Boundary,
    mesh: MeshOptions,
    solve: SolveOptions,
) -> None:
    """Refuse a film, sources, a boundary and options that do not go together.

    Raises:
        StudyError: See ``check_sources``, ``check_boundary``, ``check_applied`` and
            ``check_options``.
    """
    check_sources(film, sources)
    check_boundary(boundary, film, sources)
    check_applied(film, boundary, sources)
    check_options(mesh, solve, boundary, sources)


def check_options(
    mesh: MeshOptions, solve: SolveOptions, boundary: Boundary, sources: Sequence[Source]
) -> None:
    """Refuse options that do not go together, or do not fit the boundary or the sources.

    Raises:
        StudyError: A far boundary or refinements for a periodic space; refinements or a mesh file
            together with a tolerance; point impurities with a tolerance or without the stream
            formulation alone.
    """
    if isinstance(boundary, Periodic):
        if "far" in mesh.model_fields_set:
            raise StudyError(
                f"mesh.far = {mesh.far:g}: not allowed {_WHERE}, whose height is known; allowed: "
                "no such key"
            )
        if mesh.refinements:
            raise StudyError(
                f"mesh.refinements = {mesh.refinements}: not allowed {_WHERE}; allowed: 0, and a "
                "higher resolution"
            )
    for key, value in (("refinements", mesh.refinements), ("file", mesh.file)):
        if value and solve.tolerance is not None:
            raise StudyError(
                f"mesh.{key} = {value!r}: not allowed with solve.tolerance = {solve.tolerance:g}, "
                "for which meshes are made where needed; allowed: one of both"
            )
    if solve.formulation != "stream":
        refuse_points(sources, f"with formulation = {solve.formulation!r}")
    if solve.tolerance is not None:
        refuse_points(sources, "with a tolerance")
