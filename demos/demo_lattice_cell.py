# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A lattice of impurities, one cell of it
#
# Impurities on a lattice order through the supercurrents that all of them drive. On a rhombic
# lattice with the angle $\theta$ two states compete [1]: the ferromagnet, and the layered
# antiferromagnet, whose rows alternate. Here moments lie along the rows in both, although at some
# angles another direction has less energy. A periodic cell with two impurities gives both states
# from one interaction tensor,
#
# $$E_\pm = \tfrac14 \sum_{ij} (\pm 1)^{i+j}\, T_{ij,xx}.$$
#
# Here the moments are not points but Gaussians, and the mesh itself takes care of the images:
# vertices on opposite walls of the cell are the same, so no field can tell where the cell ends.
# Above the film the field decays as $e^{-Gz}$; two periods higher nothing is left of it.
#
# [1] Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Fig. 3.

# %%
from pathlib import Path

import matplotlib
from mpi4py import MPI

import pearlfem

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from pearlfem.analytic import lattice
from pearlfem.observables.energy import tensor_bracket

comm = MPI.COMM_WORLD
d, size, r0 = 1.0, 0.1, 1.0
film = pearlfem.Film(pearlfem.Plane(), pearl_length=r0)
unit = r0 / (4 * np.pi)  # J*/d², with Γ = 1

# %% [markdown]
# ## Two rows and both formulations give guaranteed bounds of $T$


# %%
def rows(angle):
    """Return the cell of two rows, and an impurity in each row."""
    a, b = lattice.rhombic_lattice(angle, d).vectors
    pair = [pearlfem.Impurity((0.0, 0.0), size=size), pearlfem.Impurity(tuple(b), size=size)]
    return (tuple(a), tuple(2 * b)), pair


def bracket(angle, degree):
    """Return bounds of T of the pair and all images."""
    cell, pair = rows(angle)
    mesh = pearlfem.create_mesh(film, pair, boundary=pearlfem.Periodic(cell), comm=comm)
    tensors = []
    for formulation in ("stream", "vector"):
        problem = pearlfem.MaxwellLondon(film, mesh, degree, formulation)
        tensors.append(pearlfem.interaction_tensor(problem.solve_each(pair)) / unit)
        problem.destroy()
    return tensor_bracket(*tensors)


def exact(angle):
    """Return T of the pair and all images, from the sum over reciprocal vectors."""
    cell, pair = rows(angle)
    sites = lattice.Lattice(cell, [i.position for i in pair])
    return lattice.gaussian_interaction(sites, size, r0).transpose(0, 2, 1, 3)


# %% [markdown]
# ## The difference of the two states, $E_+ - E_- = T_{12,xx}$, against the angle

# %%
angles = (60.0, 70.0, 80.0, 90.0)
differences = []
for angle in angles:
    bounds, T = bracket(angle, degree=2), exact(angle)
    assert np.all(bounds.lower <= T)
    assert np.all(bounds.upper >= T)
    lower, upper = bounds.lower[0, 1, 0, 0], bounds.upper[0, 1, 0, 0]
    differences.append((lower, upper))
    mean = (lower + upper) / 2
    assert abs(mean - T[0, 1, 0, 0]) < 1e-3 * abs(T[0, 1]).max()
    if comm.rank == 0:
        print(
            f"{angle:.0f}°: {lower:+.5f} <= {T[0, 1, 0, 0]:+.5f} <= {upper:+.5f}, mean {mean:+.5f}"
        )

# %%
if comm.rank == 0:
    line = np.linspace(60, 90, 61)
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    axes.plot(line, [exact(angle)[0, 1, 0, 0] for angle in line], label="exact sum")
    low, high = np.array(differences).T
    axes.errorbar(
        angles,
        (low + high) / 2,
        (high - low) / 2,
        fmt="o",
        color="tab:red",
        mfc="none",
        capsize=4,
        label="guaranteed bracket, degree 2",
    )
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set(
        xlabel=r"angle $\theta$ of the lattice [degrees]",
        ylabel=r"$E_{\rm FM} - E_{\rm AFM}$ per impurity $[J^*/d^2]$",
        title=f"moments along the rows, r0 = {r0:g} d, ξ = {size:g} d",
    )
    axes.legend(frameon=False)
    picture = Path("results") / "demo_lattice_cell.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=150)
    print(f"picture: {picture}")
