"""The solver against the exact infinite film: couplings, self-energies, currents and fields.

One mesh carries a row of impurities whose distances cover r/r0 = 0.1 … 5, so that one operator
answers for every pair. The references come from ``pearlfem.analytic``, which shares no code with
the solver.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from pearlfem.analytic import infinite_film
from pearlfem.mesh.space import create_space
from pearlfem.model.film import Film
from pearlfem.model.shapes import Plane
from pearlfem.model.sources import Impurity
from pearlfem.observables.energy import interaction_tensor
from pearlfem.observables.fields import magnetic_field, sheet_current
from pearlfem.problem import MaxwellLondon
from pearlfem.report import Comparison, coupling_comparisons

COUPLING_TOLERANCE = 1e-4
CURRENT_TOLERANCE = 1e-3
# B is a derivative in cells that grow with the distance: at 400 random points above an impurity its
# error is 2e-3 of the largest value in the mean, and five times this at worst.
FIELD_TOLERANCE = 5e-3

_FILM = Film(Plane(), pearl_length=1.0)
_IMPURITIES = tuple(Impurity((x, 0.0), size=0.025) for x in (0.0, 0.1, 0.6, 2.6, 5.0))
_ALONG = np.array([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0])
_OFFSET, _HEIGHT = 0.01, 0.1


def check_solver(comm: MPI.Comm = MPI.COMM_WORLD) -> list[Comparison]:
    """Solve on the infinite film and compare with the exact theory.

    Energies are compared entry by entry. Along a line past the first impurity, K on the film and B
    at a height are compared in units of the largest value on that line.

    Returns:
        The comparisons, each with its tolerance.

    Note:
        Collective over ``comm``.
    """
    space = create_space(_FILM, _IMPURITIES, comm=comm)
    problem = MaxwellLondon(_FILM, space)
    solutions = problem.solve_each(_IMPURITIES)
    tensor = interaction_tensor(solutions)
    film = np.column_stack([_ALONG, np.full_like(_ALONG, _OFFSET)])
    above = np.column_stack([film, np.full_like(_ALONG, _HEIGHT)])
    source = {"size": _IMPURITIES[0].size, "pearl_length": _FILM.least_pearl_length}
    exact_K = infinite_film.sheet_current(film, **source)
    exact_B = infinite_film.magnetic_field(above, **source)
    rows = [
        *coupling_comparisons(_FILM, _IMPURITIES, tensor, COUPLING_TOLERANCE),
        *_profile("K", sheet_current(solutions[0], film), exact_K, CURRENT_TOLERANCE),
        *_profile("B", magnetic_field(solutions[0], above), exact_B, FIELD_TOLERANCE),
    ]
    problem.destroy()
    return rows


def _profile(
    name: str,
    computed: npt.NDArray[np.float64],
    exact: npt.NDArray[np.float64],
    tolerance: float,
) -> Iterator[Comparison]:
    """Yield a comparison for the largest component at each point of the line."""
    scale = float(np.abs(exact).max())
    for x, numbers, references in zip(_ALONG, computed, exact, strict=True):
        a = int(np.abs(references).argmax())
        place = f"({x:g}, {_OFFSET:g}" + (f", {_HEIGHT:g})" if len(references) == 3 else ")")
        label = f"{name}_{'xyz'[a]} at {place}"
        yield Comparison(label, numbers[a], references[a], scale, tolerance)
