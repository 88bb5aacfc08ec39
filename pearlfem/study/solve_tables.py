"""[mesh] and [solve] of a study file: how accurately the problem is solved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pearlfem.errors import StudyError
from pearlfem.model.boundary import Boundary
from pearlfem.model.periodic import Periodic
from pearlfem.quantities.annotated import Positive, Table


class MeshTable(Table):
    """[mesh]: how fine space is meshed, and how far if it is open or has no walls at the sides.

    Each of the ``refinements`` cuts every cell into 8, on all ranks at once. A ``file`` has the
    mesh that is otherwise made; its path is relative to the study's folder.
    """

    resolution: Positive = 1.0
    far: Annotated[float, Field(ge=2, le=1e6, strict=True)] = 100.0
    refinements: Annotated[int, Field(ge=0, le=3, strict=True)] = 0
    file: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _made_or_read(self) -> Self:
        for key in ("resolution", "far"):
            if self.file is not None and key in self.model_fields_set:
                raise StudyError(
                    f"{key} = {getattr(self, key):g}: not allowed with file = {self.file!r}, whose "
                    "mesh is made already; allowed: one of both"
                )
        return self


class SolveTable(Table):
    """[solve]: formulation and degree of the elements, and the error that is allowed.

    ``tolerance`` is the relative error of the free energy at which refinement stops; without one
    there is a single mesh. ``max_dofs`` limits its meshes: unknowns of all formulations together.
    """

    formulation: Literal["stream", "vector", "both"] = "stream"
    degree: Annotated[int, Field(ge=1, le=3, strict=True)] = 3
    tolerance: Annotated[float, Field(gt=0, lt=1, strict=True)] | None = None
    max_dofs: Annotated[int, Field(ge=1, strict=True)] = 2_000_000


def check_mesh(mesh: MeshTable, solve: SolveTable, boundary: Boundary, folder: Path) -> None:
    """Refuse what does not go together, and a file that is not there.

    Args:
        mesh: How space is meshed.
        solve: How accurately.
        boundary: What surrounds the film.
        folder: That of the study.

    Raises:
        StudyError: Names key, value and what is allowed.
    """
    periodic = isinstance(boundary, Periodic)
    if periodic and "far" in mesh.model_fields_set:
        raise StudyError(
            f"mesh.far = {mesh.far:g}: not allowed with boundary.kind = 'periodic', whose height "
            "is known; allowed: no such key"
        )
    if periodic and mesh.refinements:
        raise StudyError(
            f"mesh.refinements = {mesh.refinements}: not allowed with boundary.kind = 'periodic'; "
            "allowed: 0, and a higher resolution"
        )
    given = {"refinements": mesh.refinements, "file": mesh.file}
    for key, value in given.items():
        if value and solve.tolerance is not None:
            raise StudyError(
                f"mesh.{key} = {value!r}: not allowed with solve.tolerance = {solve.tolerance:g}, "
                "for which meshes are made where needed; allowed: one of both"
            )
    if mesh.file is not None and not (folder / mesh.file).is_file():
        raise StudyError(f"mesh.file = {mesh.file!r}: no such file; allowed: a gmsh file (.msh)")
