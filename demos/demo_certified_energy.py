# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # An energy with a guarantee
#
# A disc of radius $R = 10\,r_0$ carries a magnetic impurity halfway to its edge. There is no exact
# formula for this. But two independent formulations bracket the free energy:
#
# - the magnetic scalar potential $\psi$ with the stream function $g$ (Lagrange elements) maximises
#   $2\ell(\psi) - B(\psi, \psi)$: **from below**;
# - the vector potential $\mathbf A$ (Nédélec elements) minimises
#   $\frac12\int_\Gamma\kappa|\mathbf A+\mathbf a|^2 dS
#   + \frac{1}{2\mu_0}\int|\nabla\times\mathbf A|^2 dV$: **from above**.
#
# The gap between the two bounds the error, with no unknown constant. It is also a sum over cells,
#
# $$F_{\mathrm{upper}} - F_{\mathrm{lower}}
# = \int\frac{|\nabla\times\mathbf A - \mu_0\mathbf H|^2}{2\mu_0}\,dV
# + \int_\Gamma\frac{|\mathbf K + \kappa(\mathbf A + \mathbf a)|^2}{2\kappa}\,dS ,$$
#
# so it shows where the mesh has to be finer and where it may be coarser. `pearlfem.refine` makes
# mesh after mesh until the bracket is as narrow as the tolerance. On the command line this is
# `formulation = "both"` with a `tolerance`, as in `certified.toml`.

# %%
from pathlib import Path

import matplotlib
from mpi4py import MPI

import pearlfem

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

comm = MPI.COMM_WORLD
film = pearlfem.Film(pearlfem.Disc(1.0), pearl_length=0.1)
impurities = [pearlfem.Impurity((0.5, 0.0), size=0.1)]
tolerance = 2e-3


def say(line):
    if comm.rank == 0:
        print(line)


# %% [markdown]
# ## Adapted meshes
# Degree 2 and a larger tolerance than by default: so this takes a quarter of a minute.

# %%
solve = pearlfem.SolveOptions(formulation="both", degree=2, tolerance=tolerance)
adapted = pearlfem.refine(film, impurities, solve=solve, comm=comm, progress=say)
facets = comm.gather(adapted.mesh.corners("film"))  # of the last mesh, for the picture
adapted.destroy()

# %% [markdown]
# ## Meshes that are refined everywhere
# These are graded towards the impurity and the edge as well, but in advance, by formulas.


# %%
def bracket(mesh):
    """Return the number of unknowns and the relative gap of both formulations on one mesh."""
    dofs, energies = 0, []
    for formulation in ("stream", "vector"):
        problem = pearlfem.MaxwellLondon(film, mesh, 2, formulation)
        energies.append(pearlfem.free_energy(problem.solve(impurities)))
        dofs += problem.dofs
        problem.destroy()
    lower, upper = energies
    return dofs, (upper - lower) / lower


graded = []
for resolution in (0.2, 0.3, 0.42, 0.6):
    mesh = pearlfem.create_mesh(film, impurities, resolution=resolution, comm=comm)
    graded.append(bracket(mesh))

# %% [markdown]
# ## Compare
# Each round's bracket overlaps the last one, as all of them hold the exact energy. At an equal
# number of unknowns the gap of an adapted mesh is several times smaller.

# %%
last = adapted.rounds[-1]
assert adapted.shortfall is None
assert all(one.lower <= last.upper and last.lower <= one.upper for one in adapted.rounds)
assert (last.upper - last.lower) / last.lower <= tolerance
sizes, gaps = np.array(graded).T
for one in adapted.rounds[1:]:
    other = np.exp(np.interp(np.log(one.dofs), np.log(sizes), np.log(gaps)))
    say(f"{one.dofs:,} dofs: the gap is {other / one.error:.0f} times smaller")
    assert other > 5 * one.error

# %% [markdown]
# ## Picture

# %%
if comm.rank == 0:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    rounds = np.arange(1, len(adapted.rounds) + 1)
    lower = [one.lower for one in adapted.rounds]
    upper = [one.upper for one in adapted.rounds]
    left.fill_between(rounds, lower, upper, color="C0", alpha=0.3)
    left.plot(rounds, lower, "C0^-", rounds, upper, "C0v-", markersize=5)
    left.set(xticks=rounds, xlabel="round", ylabel=r"$F$  $[\mu_0\Gamma^2/R]$")
    left.set_title("bracket of each round")
    dofs = [one.dofs for one in adapted.rounds]
    errors = [one.error for one in adapted.rounds]
    middle.loglog(sizes, gaps, "s--", color="0.5", label="graded in advance")
    middle.loglog(dofs, errors, "o-", color="C0", label="adapted")
    middle.axhline(tolerance, color="k", linewidth=0.8, linestyle=":", label="tolerance")
    middle.set(xlabel="unknowns of both formulations", ylabel="(upper − lower) / F")
    middle.set_title("width of the bracket")
    middle.legend(frameon=False, loc="upper right")
    corners = np.concatenate(facets).reshape(-1, 2)
    right.triplot(*corners.T, np.arange(len(corners)).reshape(-1, 3), linewidth=0.4, color="C0")
    right.plot(0.5, 0.0, "r.", label="impurity")
    right.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    right.set(aspect="equal", xlabel="x / R", ylabel="y / R", title="last mesh of the film")
    right.legend(frameon=False, loc="upper left")
    picture = Path("results") / "demo_certified_energy.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=150)
    print(f"picture: {picture}")
