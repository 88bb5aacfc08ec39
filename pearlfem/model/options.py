"""How accurately a problem is solved: its meshes and its elements."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pearlfem.errors import StudyError
from pearlfem.quantities.annotated import Positive, Table


class MeshOptions(Table):
    """How space is meshed; the table [mesh] of a study file.

    Args:
        resolution: 2.0 halves all cells.
        far: Radius of the far boundary in sizes of the device, where space is open or has no walls
            at the sides. See ``device_extent``.
        refinements: How often each cell is cut into 8, on all ranks at once; 0 to 3.
        file: A gmsh file (.msh) with the mesh, in place of ``resolution`` and ``far``.

    Raises:
        pydantic.ValidationError: A value out of range, or ``file`` together with ``resolution`` or
            ``far`` (a ``ValueError``).
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
                    f"{key} = {getattr(self, key):g}: not allowed with file = {self.file!r}, whose "
                    "mesh is made already; allowed: one of both"
                )
        return self


class SolveOptions(Table):
    """Formulation and elements, and the error that is allowed; the table [solve] of a study file.

    Args:
        formulation: "stream" (energies from below), "vector" (energies from above) or "both".
        degree: Degree of the elements, 1 to 3.
        tolerance: Relative error of the free energy at which adaptive refinement stops; without it
            there is a single mesh.
        max_dofs: Most unknowns that an adapted mesh may have, of all formulations together.

    Raises:
        pydantic.ValidationError: A value out of range (a ``ValueError``).
    """

    formulation: Literal["stream", "vector", "both"] = "stream"
    degree: Annotated[int, Field(ge=1, le=3, strict=True)] = 3
    tolerance: Annotated[float, Field(gt=0, lt=1, strict=True)] | None = None
    max_dofs: Annotated[int, Field(ge=1, strict=True)] = 2_000_000

    @property
    def formulations(self) -> tuple[Literal["stream", "vector"], ...]:
        """The formulations by their names, "stream" before "vector"."""
        return ("stream", "vector") if self.formulation == "both" else (self.formulation,)
