"""The magnetic field of the films' currents, at points and as a function of space.

In open space it is the sum over the sheet currents (Biot and Savart), which is right at any
distance. Between walls and in a periodic space, where walls and images carry currents as well, and
with point impurities, it is the derivative of the potential in the cells.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from dolfinx import fem

from pearlfem.mesh.sizes.grading import device_extent
from pearlfem.observables.biot_savart import currents
from pearlfem.observables.fields import flux_density, magnetic_field_of_mesh
from pearlfem.observables.point_impurities.fields import distinct_nodes
from pearlfem.quantities.arrays import Array
from pearlfem.solution import Solution

_FAR = 2.0  # sizes of the device beyond which cells are too coarse for B


def magnetic_field(solution: Solution, points: npt.ArrayLike) -> Array:
    """Return B of the film's currents [μ0Γ/length² in reduced units] at points of space.

    At a point of a film, the value is the limit from above. In open space, without point
    impurities, B is the sum over the sheet currents: points may lie beyond the far boundary.

    Args:
        solution: The solution.
        points: The same points on every rank [length], shape ``(n, 3)``.

    Returns:
        Array of shape ``(n, 3)``, the same on every rank.

    Raises:
        StudyError: A point lies beyond walls, or beyond the far boundary with a point impurity.

    Note:
        Collective.
    """
    positions = np.array(points, dtype=float).reshape(-1, 3)
    if currents.knows_currents(solution):
        return currents.flux_density(solution, positions)
    return magnetic_field_of_mesh(solution, positions)


def flux_density_for_files(solution: Solution) -> fem.Function:
    """Return B [μ0Γ/length² in reduced units] as a discontinuous function of degree 2.

    It is ``pearlfem.observables.fields.flux_density``, but at nodes far from a bounded film it is
    the sum over the sheet currents, where there is one: see ``magnetic_field``. (For a film on the
    whole plane all nodes are near, and the sum would take longer than the solution.)

    Note:
        Collective.
    """
    B = flux_density(solution)
    bounded = all(film.film.bounded for film in solution.films)
    if not (bounded and currents.knows_currents(solution)):
        return B
    V = B.function_space
    dofs = np.unique(V.dofmap.list)
    nodes, far = V.tabulate_dof_coordinates()[dofs], np.ones(len(dofs), dtype=bool)
    sources = [drive.source for drive in solution.drives]
    for film in solution.films:
        center, size = device_extent(film.film, sources)
        far &= np.linalg.norm(nodes - (*center, film.height), axis=1) > _FAR * size
    comm, places = solution.mesh.comm, nodes[far]
    everywhere = comm.allgather(places)
    start = sum(map(len, everywhere[: comm.rank]))
    distinct, which = distinct_nodes(np.concatenate(everywhere))
    values = currents.flux_density(solution, distinct)[which.ravel()[start:][: len(places)]]
    B.x.array.reshape(-1, V.dofmap.bs)[dofs[far]] = values
    return B
