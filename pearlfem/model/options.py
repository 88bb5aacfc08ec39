"""How accurately a problem is solved: its meshes and its elements."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pearlfem.errors import StudyError
from pearlfem.quantities.annotated import WHOLE, Table


class MeshOptions(Table):
    """[mesh]: how finely space is meshed, and how far it extends where it has no walls.

    Args:
        resolution: Fineness of the mesh; with 2.0 cells are half as large everywhere.
        far: Distance of the far boundary, in sizes of the device.
        refinements: How many times every cell is cut into 8, on all ranks at once.
        file: A gmsh file (.msh) with the mesh, in place of resolution and far.

    Raises:
        pydantic.ValidationError: A value out of range, or ``file`` together with ``resolution`` or
            ``far`` (a ``ValueError``).
    """

    resolution: Annotated[float, Field(ge=1e-3, le=1e3, strict=True)] = 1.0
    far: Annotated[float, Field(ge=2, le=1e6, strict=True)] = 100.0
    refinements: Annotated[int, Field(ge=0, le=3, strict=True), WHOLE] = 0
    file: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _generated_or_read(self) -> Self:
        for key in ("resolution", "far"):
            if self.file is not None and key in self.model_fields_set:
                raise StudyError(
                    f"{key} = {getattr(self, key):g}: not allowed with file = {self.file!r}, whose "
                    "mesh is made already; allowed: one of both"
                )
        return self


class SolveOptions(Table):
    """[solve]: how the equations are solved, and how accurately.

    Args:
        formulation: "stream" bounds energies from below, "vector" from above, "both" on both sides.
        degree: Polynomial degree of the elements.
        tolerance: Refine until the relative error of the free energy is this small.
        max_dofs: Largest number of unknowns, of all formulations together, when refining.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    formulation: Literal["stream", "vector", "both"] = "stream"
    degree: Annotated[int, Field(ge=1, le=3, strict=True), WHOLE] = 3
    tolerance: Annotated[float, Field(gt=0, lt=1, strict=True)] | None = None
    max_dofs: Annotated[int, Field(ge=1, strict=True), WHOLE] = 2_000_000

    @property
    def formulations(self) -> tuple[Literal["stream", "vector"], ...]:
        """The formulations by their names, "stream" before "vector"."""
        return ("stream", "vector") if self.formulation == "both" else (self.formulation,)
