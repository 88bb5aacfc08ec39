"""pearlfem: magnetic impurities, supercurrents and fields of thin superconducting films.

Describe a film and its sources, mesh the space around it, solve, and ask for observables::

    film = Film(Disc(radius=5.0), pearl_length=2.0)
    impurities = [Impurity((0.0, 0.0), size=0.25)]
    mesh = create_mesh(film, impurities)
    solution = MaxwellLondon(film, mesh).solve(impurities)
    F, K = free_energy(solution), sheet_current(solution, [(1.0, 0.0)])
"""

from pearlfem.runtime.start import loading

with loading():  # where DOLFINx comes from this wheel, it has to be loaded first
    import dolfinx_solver  # noqa: F401

from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.geometry.shapes import Difference, Disc, Plane, Polygon, Rectangle, Union, ring
from pearlfem.mesh.generate import create_mesh
from pearlfem.mesh.tagged import read_mesh
from pearlfem.model.boundary import Open, Walls
from pearlfem.model.film import Film, Hole, Region
from pearlfem.model.options import MeshOptions, SolveOptions
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.applied import AppliedPotential, CurrentLoop, Dipole, UniformField
from pearlfem.model.sources.flux import Fluxoid, Vortex
from pearlfem.model.sources.impurity import Impurity
from pearlfem.observables.cell_energies import field_energy, kinetic_energy
from pearlfem.observables.energy import free_energy, interaction_tensor
from pearlfem.observables.facets import largest_sheet_current
from pearlfem.observables.fields import magnetic_moment, sheet_current, stream_function
from pearlfem.observables.holes import hole_states
from pearlfem.observables.magnetic_field import magnetic_field
from pearlfem.observables.probes import current_through, loop_flux
from pearlfem.problem import MaxwellLondon
from pearlfem.solution import superpose
from pearlfem.study.expressions import Expression
from pearlfem.study.study import read_study
from pearlfem.workflow.adaptivity import refine
from pearlfem.workflow.inductance import inductance
from pearlfem.workflow.run import run_study
from pearlfem.workflow.stored import load_solution

__all__ = [
    "AppliedPotential",
    "ConvergenceError",
    "CurrentLoop",
    "Difference",
    "Dipole",
    "Disc",
    "Expression",
    "Film",
    "Fluxoid",
    "Hole",
    "Impurity",
    "MaxwellLondon",
    "MeshOptions",
    "Open",
    "Periodic",
    "Plane",
    "Polygon",
    "Rectangle",
    "Region",
    "SolveOptions",
    "StudyError",
    "UniformField",
    "Union",
    "Vortex",
    "Walls",
    "create_mesh",
    "current_through",
    "field_energy",
    "free_energy",
    "hole_states",
    "inductance",
    "interaction_tensor",
    "kinetic_energy",
    "largest_sheet_current",
    "load_solution",
    "loop_flux",
    "magnetic_field",
    "magnetic_moment",
    "read_mesh",
    "read_study",
    "refine",
    "ring",
    "run_study",
    "sheet_current",
    "stream_function",
    "superpose",
]
