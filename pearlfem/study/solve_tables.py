"""[mesh] and [solve] of a study file: how accurately the equations are solved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pearlfem.errors import StudyError
from pearlfem.model.boundary import Boundary
from pearlfem.model.periodic import Periodic
from pearlfem.quantities.annotated import Positive, Table


class MeshTable(Table):
    """[mesh]: how finely space is meshed, and how far it reaches where no walls end it.

    Args:
        resolution: Fineness of the mesh; with 2.0 cells are half as large everywhere.
        far: Distance of the far boundary, in sizes of the device.
        refinements: How many times every cell is cut into 8, on all ranks at once.
        file: A mesh of ``pearlfem mesh``, in place of resolution and far.
    """

    resolution: Positive = 1.0
    far: Annotated[float, Field(ge=2, le=1e6, strict=True)] = 100.0
    refinements: Annotated[int, Field(ge=0, le=3, strict=True)] = 0
    file: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _generated_or_read(self) -> Self:
        for key in ("resolution", "far"):
            if self.file is not None and key in self.model_fields_set:
                raise StudyError(
                    f"{key} = {getattr(self, key):g}: not allowed with file = {self.file!r}, a "
                    "mesh that exists already; allowed: one of both"
                )
        return self


class SolveTable(Table):
    """[solve]: how the equations are solved, and how accurately.

    Args:
        formulation: "stream" bounds energies from below, "vector" from above, "both" on both sides.
        degree: Polynomial degree of the elements.
        tolerance: Refine until the relative error of the free energy is this small.
        max_dofs: Largest number of unknowns, of all formulations together, when refining.
    """

    formulation: Literal["stream", "vector", "both"] = "stream"
    degree: Annotated[int, Field(ge=1, le=3, strict=True)] = 3
    tolerance: Annotated[float, Field(gt=0, lt=1, strict=True)] | None = None
    max_dofs: Annotated[int, Field(ge=1, strict=True)] = 2_000_000


def check_mesh(mesh: MeshTable, solve: SolveTable, boundary: Boundary, folder: Path) -> None:
    """Refuse keys that contradict each other, and a mesh file that does not exist.

    Args:
        mesh: The table [mesh].
        solve: The table [solve].
        boundary: What surrounds the film.
        folder: The study's folder.

    Raises:
        StudyError: Names the key, its value and what is allowed.
    """
    periodic = isinstance(boundary, Periodic)
    if periodic and "far" in mesh.model_fields_set:
        raise StudyError(
            f"mesh.far = {mesh.far:g}: not allowed with boundary.kind = 'periodic', which sets the "
            "height itself; allowed: no such key"
        )
    if periodic and mesh.refinements:
        raise StudyError(
            f"mesh.refinements = {mesh.refinements}: not allowed with boundary.kind = 'periodic'; "
            "allowed: 0, and a higher resolution"
        )
    for key in ("refinements", "file"):
        if (value := getattr(mesh, key)) and solve.tolerance is not None:
            raise StudyError(
                f"mesh.{key} = {value!r}: not allowed with solve.tolerance = {solve.tolerance:g}, "
                "which makes new meshes; allowed: one of both"
            )
    if mesh.file is not None and not (folder / mesh.file).is_file():
        raise StudyError(f"mesh.file = {mesh.file!r}: no such file; allowed: a gmsh file (.msh)")
