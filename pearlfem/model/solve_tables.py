"""[mesh] and [solve] of a study file: how accurately the problem is solved."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pearlfem.model.quantities import Positive
from pearlfem.model.shape_tables import Table


class MeshTable(Table):
    """[mesh]: how fine space is meshed, and how far if it is open or has no walls at the sides."""

    resolution: Positive = 1.0
    far: Annotated[float, Field(ge=2, le=1e6, strict=True)] = 100.0


class SolveTable(Table):
    """[solve]: formulation and degree of the elements, and the error that is allowed.

    ``tolerance`` is the relative error of the free energy at which refinement stops; without one
    there is a single mesh. ``max_dofs`` limits its meshes: unknowns of all formulations together.
    """

    formulation: Literal["stream", "vector", "both"] = "stream"
    degree: Annotated[int, Field(ge=1, le=3, strict=True)] = 3
    tolerance: Annotated[float, Field(gt=0, lt=1, strict=True)] | None = None
    max_dofs: Annotated[int, Field(ge=1, strict=True)] = 2_000_000
