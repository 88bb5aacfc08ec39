# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A vortex and a magnetic impurity
#
# A vortex drives a supercurrent around itself, and a magnetic impurity an anomalous current across
# its moment. On an infinite film their interaction energy is
#
# $$F = \frac{\Gamma\Phi_0}{2\pi}\,|V'(r)|\;\mathbf m\cdot\hat r ,$$
#
# with the Keldysh potential $V$ and $\hat r$ from the vortex to the impurity. A vortex attracts
# impurities that point at it, and turns all moments towards itself.
#
# **Equations.** London's law with both sources,
# $\mathrm{rot}\,\mathbf K + \kappa B_z = \kappa\Phi_0f_v - \kappa\,\mathrm{rot}\,\mathbf a$,
# $\mathbf a = (\Gamma/\kappa)(\mathbf m\times\hat z)f$ and $f_v$ the profile of the vortex's core.
#
# **Weak form**, as coded in `pearlfem/formulation/stream/forms.py`: find $\psi$ for $z>0$, $g =
# 2\psi$, zero on the plane off the film and at the far boundary, with
#
# $$\int_{z>0}\mu_0\nabla\psi\cdot\nabla v\,dV
# + \int_\Gamma\frac{2}{\kappa}\nabla_s\psi\cdot\nabla_s v\,dS
# = \Phi_0\int_\Gamma f_vv\,dS - \frac{\Gamma}{\kappa}\int_\Gamma f\,\mathbf m\cdot\nabla v\,dS .$$
#
# **Force.** In the currents of the impurity alone, $\mathbf K = \nabla g\times\hat z$, a vortex has
# the energy $\Phi_0g$ at its position. So the force on it is the Lorentz force
# $-\Phi_0\nabla g = \Phi_0\mathbf K\times\hat z$, and one solution gives the energy everywhere.

# %%
from dataclasses import replace
from pathlib import Path

import matplotlib
from mpi4py import MPI

import pearlfem

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from pearlfem.analytic import pearl_vortex
from pearlfem.observables.energy import mutual_energies

comm = MPI.COMM_WORLD
study = pearlfem.read_study(Path(__file__).parent / "vortex_impurity.toml")
(vortex,) = study.others
(impurity,) = study.impurities
size = vortex.size

# %% [markdown]
# ## Solve
# The impurity of the study and four more lie at several distances and directions from the vortex.
# Each is solved for with its moment along $x$ and along $y$. Together with the solution of the
# vortex this gives all energies
# $F_{12} = \ell_1(\psi_2) + \ell_2(\psi_1) - B(\psi_1, \psi_2)$, of which `mutual_energies` has
# one half each for 12 and for 21.

# %%
distances, angles = np.array([0.8, 0.3, 0.5, 1.5, 3.0]), np.radians([0, 140, 250, 100, 200])
places = distances[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
impurities = [replace(impurity, position=tuple(place)) for place in places.tolist()]
mesh = pearlfem.create_mesh(
    study.film,
    [vortex, *impurities],
    resolution=study.mesh.resolution,
    far=study.mesh.far,
    comm=comm,
)
problem = pearlfem.MaxwellLondon(study.film, mesh, study.solve.degree)
of_vortex, *of_impurities = problem.solve_each([vortex, *impurities])
energies = 2 * mutual_energies([of_vortex, *of_impurities])[0, 1:].reshape(-1, 2)

# %% [markdown]
# ## Compare
# The energy is linear in the moment, so it is a vector for each position. The exact vector points
# along $\hat r$.

# %%
exact = np.column_stack(
    [pearl_vortex.impurity_energy(places, angle, sizes=(size, size)) for angle in (0, 90)]
)
magnitude = np.linalg.norm(exact, axis=1)
errors = np.linalg.norm(energies - exact, axis=1) / magnitude
if comm.rank == 0:
    print("   r/r0   energy, m along r   exact      difference")
    for k in np.argsort(distances):
        along = energies[k] @ places[k] / distances[k]
        print(f"{distances[k]:7.2f}{along:17.6f}{magnitude[k]:12.6f}{errors[k]:14.1e}")
assert errors.max() < 5e-3

# %% [markdown]
# ## The force on the vortex
# It comes from the current of the impurity along a line, and is compared with the slope of the
# exact energy.

# %%
of_impurity = pearlfem.superpose(of_impurities[:2], impurity.moment)
steps = np.linspace(0.3, 2.5, 23)
line = np.column_stack([impurity.position[0] - steps, 0 * steps])
Kx, Ky = pearlfem.sheet_current(of_impurity, line).T
force = Ky  # x component of Φ0 K × ẑ, towards the impurity


def energy_at(r):
    """Return the exact energy of a vortex at the distance r from the impurity, m pointing at it."""
    places = np.column_stack([r, 0 * r])
    return pearl_vortex.impurity_energy(places, 180.0, sizes=(impurity.size, 0.0))


slope = (energy_at(steps + 1e-4) - energy_at(steps - 1e-4)) / 2e-4
if comm.rank == 0:
    worst = np.abs(force / slope - 1).max()
    print(f"force on the vortex: within {worst:.1e} of the exact one")
assert np.allclose(force, slope, rtol=0.03)

# %% [markdown]
# ## Picture
# The currents of both together; the energy of a vortex anywhere around the impurity, with the force
# on it; and both against the distance.

# %%
X, Y = np.meshgrid(np.linspace(-1.1, 1.9, 151), np.linspace(-1.5, 1.5, 151))
points = np.column_stack([X.ravel(), Y.ravel()])
both = pearlfem.superpose([of_vortex, of_impurity], [1.0, 1.0])
K = np.linalg.norm(pearlfem.sheet_current(both, points), axis=1).reshape(X.shape)
g, landscape = (
    pearlfem.stream_function(solution, points).reshape(X.shape) for solution in (both, of_impurity)
)
coarse = np.array([(x, y) for x in np.arange(-0.9, 1.8, 0.3) for y in np.arange(-1.35, 1.5, 0.3)])
currents = pearlfem.sheet_current(of_impurity, coarse)
if comm.rank == 0:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    image = left.pcolormesh(
        X, Y, K, cmap="inferno", norm=LogNorm(K.max() / 300, K.max()), rasterized=True
    )
    figure.colorbar(image, ax=left, label=r"sheet current [$\Gamma/r_0^2$]")
    levels = np.linspace(0.05, 0.95, 15) ** 2 * np.abs(g).max()
    left.contour(X, Y, g, [*-levels[::-1], *levels], colors="w", linewidths=0.6, linestyles="-")
    left.set_title("currents of both")
    limit = 0.6 * np.abs(landscape).max()
    image = middle.contourf(
        X, Y, landscape, np.linspace(-limit, limit, 25), cmap="RdBu_r", extend="both"
    )
    bar = figure.colorbar(image, ax=middle, label=r"energy of a vortex [$\Gamma\Phi_0/r_0$]")
    bar.set_ticks(np.round(np.linspace(-limit, limit, 5), 2))
    force_x, force_y = currents[:, 1], -currents[:, 0]
    length = np.hypot(force_x, force_y)
    middle.quiver(*coarse.T, force_x / length, force_y / length, scale=16, width=0.005)
    middle.set_title("vortex near the impurity")
    for axes, color in ((left, "deepskyblue"), (middle, "k")):
        x, y = impurity.position
        arrow = {"arrowstyle": "simple", "color": color}
        axes.annotate("", (x - 0.18, y), (x + 0.18, y), arrowprops=arrow)
        axes.set(aspect="equal", xlabel="$x / r_0$", ylabel="$y / r_0$")
        axes.set(xlim=(-1.1, 1.9), ylim=(-1.5, 1.5))
    left.plot(0, 0, "o", color="lime", mfc="none", markersize=9)
    fine = np.geomspace(0.25, 3.5, 200)
    curve = np.abs(
        pearl_vortex.impurity_energy(np.column_stack([fine, 0 * fine]), 0.0, sizes=(size, size))
    )
    right.loglog(fine, curve, "C0", label="energy, exact")
    right.loglog(distances, np.linalg.norm(energies, axis=1), "C0o", mfc="none", label="FEM")
    right.loglog(steps, slope, "C3", label="force, exact")
    right.loglog(steps[::2], force[::2], "C3s", mfc="none", label="FEM")
    right.set_xticks([0.3, 0.5, 1, 2, 3], ["0.3", "0.5", "1", "2", "3"])
    right.set_xticks([], minor=True)
    right.set(xlabel="distance $r / r_0$", title="energy and force, $m$ along $\\hat r$")
    right.set_ylabel(r"energy [$\Gamma\Phi_0/r_0$], force [$\Gamma\Phi_0/r_0^2$]")
    right.legend(frameon=False)
    picture = Path("results") / "demo_vortex_impurity.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=100)
    print(f"picture: {picture}")
