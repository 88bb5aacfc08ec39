"""The table of results: everything that a run can find, under its name, with unit and label.

All outputs read it: summary.json, the files for ParaView, the tables of probes and of sweeps, the
report page and the terminal. A new observable is a function and one entry here.

An entry names its function as a text "module:function", because imports only go down and this
table is at the bottom. Who computes looks the function up: see ``pearlfem.observables.lookup``.
"""

from __future__ import annotations

from dataclasses import dataclass

from pearlfem.quantities.result_shapes import (
    AXES,
    BoundedResult,
    NumberResult,
    Part,
    Result,
    TableResult,
    TensorResult,
    VectorResult,
)
from pearlfem.quantities.units import Kind

FREE_ENERGY = BoundedResult(
    name="free_energy", label="free energy of all sources together", kind="energy"
)
INTERACTION = TensorResult(name="interaction", label="interaction tensor", kind="energy")

# What a run can find, in the order of summary.json.
RESULTS: tuple[Result, ...] = (
    FREE_ENERGY,
    INTERACTION,
    VectorResult(
        name="magnetic_moment",
        label="magnetic moment",
        kind="moment",
        function="pearlfem.observables.fields:magnetic_moment",
        needs="pearlfem.observables.fields:has_magnetic_moment",
    ),
    TableResult(
        name="holes",
        label="holes",
        function="pearlfem.observables.holes:hole_states",
        parts=(
            Part("current", "current"),
            Part("flux", "flux"),
            Part("fluxoid", "flux"),
            Part("fluxoid_asked", "flux"),
        ),
    ),
    NumberResult(
        name="kinetic_energy",
        label="kinetic energy of the currents",
        kind="energy",
        function="pearlfem.observables.cell_energies:kinetic_energy",
        needs="pearlfem.observables.cell_energies:has_finite_energy",
    ),
    NumberResult(
        name="field_energy",
        label="energy of the currents' magnetic field",
        kind="energy",
        function="pearlfem.observables.cell_energies:field_energy",
        needs="pearlfem.observables.cell_energies:has_finite_energy",
    ),
    TableResult(
        name="largest_sheet_current",
        label="largest sheet current",
        function="pearlfem.observables.facets:largest_sheet_current",
        parts=(
            Part("value", "sheet_current", column="largest_sheet_current"),
            Part("x", "length", column="largest_sheet_current.x"),
            Part("y", "length", column="largest_sheet_current.y"),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a solution: an array in the files for ParaView, and columns of probes.

    Args:
        name: Name of the array; columns of a vector add the axis, "Bx".
        label: What people read.
        kind: What it measures.
        components: Number of components; one is a scalar.
        on_film: Whether it exists on films only, and not in space.
        nodes: "module:function" of a ``Solution``, and of a ``FilmMesh`` if it is a field on films:
            it returns a discontinuous function of degree 2 that is right in the cells above, and
            without what point impurities have on the infinite film if it is a field on films.
        points: "module:function" of a ``Solution`` and of points, (x, y, z) or (x, y) on films,
            that returns an array of shape ``(n,)`` or ``(n, components)``. Empty: not in probes.
        needs: "module:function" that tells whether a ``Solution`` has it; empty if all have it.
    """

    name: str
    label: str
    kind: Kind
    nodes: str
    components: int = 1
    on_film: bool = False
    points: str = ""
    needs: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns in the tables of probes."""
        if self.components == 1:
            return (self.name,)
        return tuple(f"{self.name}{axis}" for axis in AXES[: self.components])


FLUX_DENSITY = Field(
    name="B",
    label="magnetic field of the film's currents",
    kind="field",
    components=3,
    nodes="pearlfem.observables.magnetic_field:flux_density_for_files",
    points="pearlfem.observables.magnetic_field:magnetic_field",
)

# In the order of arrays and columns.
FIELDS: tuple[Field, ...] = (
    FLUX_DENSITY,
    Field(
        name="psi",
        label="magnetic scalar potential, H = −∇ψ off the film",
        kind="current",
        nodes="pearlfem.observables.fields:scalar_potential",
        points="pearlfem.observables.probes:magnetic_potential",
        needs="pearlfem.observables.fields:has_stream_function",
    ),
    Field(
        name="K",
        label="sheet current",
        kind="sheet_current",
        components=2,
        on_film=True,
        nodes="pearlfem.observables.fields:regular_sheet_current",
        points="pearlfem.observables.fields:sheet_current",
    ),
    Field(
        name="B_z",
        label="field of the film's currents across the film",
        kind="field",
        on_film=True,
        nodes="pearlfem.observables.fields:regular_normal_field",
    ),
    Field(
        name="g",
        label="stream function of the sheet current, K = ∇g × ẑ",
        kind="current",
        on_film=True,
        nodes="pearlfem.observables.fields:regular_stream_function",
        points="pearlfem.observables.fields:stream_function",
        needs="pearlfem.observables.fields:has_stream_function",
    ),
)

# Numbers of loops and cuts, which only probes have.
FLUX, CURRENT = Part("flux", "flux"), Part("current", "current")

# What the arrays of files for ParaView measure; the last three are those of points.
ARRAYS: dict[str, Kind] = {
    **{field.name: field.kind for field in FIELDS},
    "strength": "strength",
    "size": "length",
    "length": "length",
}

# The kinds whose units summary.json names.
KINDS: tuple[Kind, ...] = tuple(
    dict.fromkeys(
        (
            "length",
            *(field.kind for field in FIELDS),
            *(kind for result in RESULTS for kind in result.kinds),
        )
    )
)
