"""The solver against the exact infinite film: couplings, self-energies, currents and fields.

One mesh carries a row of impurities at distances r/r0 = 0.1 … 5, so that one operator gives every
pair. Fields converge more slowly than energies: they have a finer mesh, around a single impurity.
The exact numbers come from ``pearlfem.analytic``, which shares no code with the solver.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from mpi4py import MPI

from pearlfem.analytic import infinite_film
from pearlfem.geometry.shapes import Plane
from pearlfem.mesh.generate import create_mesh
from pearlfem.model.film import Film
from pearlfem.model.sources.impurity import Impurity
from pearlfem.observables.energy import interaction_tensor
from pearlfem.observables.fields import sheet_current
from pearlfem.observables.magnetic_field import magnetic_field
from pearlfem.problem import MaxwellLondon
from pearlfem.quantities.arrays import Array
from pearlfem.workflow.comparison import Comparison, coupling_comparisons

COUPLING_TOLERANCE = 1e-4
FIELD_TOLERANCE = 1e-3  # of K and B

_FILM = Film(Plane(), pearl_length=1.0)
_IMPURITIES = tuple(Impurity((x, 0.0), size=0.025) for x in (0.0, 0.1, 0.6, 2.6, 5.0))
_ALONG = np.array([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0])  # x of the line past the first impurity
_OFFSET, _HEIGHT = 0.01, 0.1  # y of the line, and z where B is compared
_FINER = 2.0  # resolution for fields


def check_solver(comm: MPI.Comm = MPI.COMM_WORLD) -> list[Comparison]:
    """Solve on the infinite film and compare with the exact theory.

    Energies are compared entry by entry. Along a line past the first impurity, K on the film and B
    above it are compared in units of the largest value on that line.

    Args:
        comm: Communicator of all ranks.

    Returns:
        The comparisons, each with its tolerance.

    Note:
        Collective over ``comm``.
    """
    return [*_couplings(comm), *_fields(comm)]


def _couplings(comm: MPI.Comm) -> Iterator[Comparison]:
    mesh = create_mesh(_FILM, _IMPURITIES, comm=comm)
    problem = MaxwellLondon(_FILM, mesh)
    tensor = interaction_tensor(problem.solve_each(_IMPURITIES))
    problem.destroy()
    yield from coupling_comparisons(_FILM, _IMPURITIES, tensor, COUPLING_TOLERANCE)


def _fields(comm: MPI.Comm) -> Iterator[Comparison]:
    impurity = _IMPURITIES[0]
    mesh = create_mesh(_FILM, [impurity], resolution=_FINER, comm=comm)
    problem = MaxwellLondon(_FILM, mesh)
    solution = problem.solve([impurity])
    on_film = np.column_stack([_ALONG, np.full_like(_ALONG, _OFFSET)])
    above = np.column_stack([on_film, np.full_like(_ALONG, _HEIGHT)])
    source = {"size": impurity.size, "pearl_length": _FILM.uniform_pearl_length}
    exact_K = infinite_film.sheet_current(on_film, **source)
    exact_B = infinite_film.magnetic_field(above, **source)
    yield from _profile("K", on_film, sheet_current(solution, on_film), exact_K)
    yield from _profile("B", above, magnetic_field(solution, above), exact_B)
    problem.destroy()


def _profile(name: str, points: Array, computed: Array, exact: Array) -> Iterator[Comparison]:
    """Yield a comparison for the largest component at each point of the line."""
    scale = float(np.abs(exact).max())
    for point, numbers, references in zip(points, computed, exact, strict=True):
        a = int(np.abs(references).argmax())
        place = ", ".join(f"{x:g}" for x in point)
        label = f"{name}_{'xyz'[a]} at ({place})"
        yield Comparison(label, numbers[a], references[a], scale, FIELD_TOLERANCE)
