# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # An edge turns the moments
#
# The currents that an impurity drives cannot leave the film. Near an edge they are squeezed. This
# lowers the impurity's self-energy by an amount that depends on the direction of its moment: the
# edge acts as a magnetic anisotropy. Here is its strength against the distance $x$ from the edge.
#
# **Equations.** $\mathbf K = -\kappa(\mathbf A + \mathbf a - \nabla\chi)$ with
# $\mathbf a = (\Gamma/\kappa)(\mathbf m\times\hat z)f$, no current through the edge. The
# self-energy is $\frac12\mathbf m\cdot T\mathbf m$, and the edge adds to it
#
# $$E_{\mathrm{edge}}(\mathbf m) = \tfrac12\,\mathbf m\cdot(T - T_\infty)\,\mathbf m ,$$
#
# where $T_\infty$ is the tensor of the infinite film, which is known exactly
# (`pearlfem.analytic`).
#
# **Limit.** Without the magnetic field ($r_0\to\infty$) the edge acts like an image of the
# impurity, and its energy does not depend on the direction of $\mathbf m$:
#
# $$E_{\mathrm{edge}} = -\frac{J^*}{8x^2},\qquad J^* = \frac{\Gamma^2}{2\pi\kappa} .$$
#
# **Weak form**, as coded in `pearlfem/formulation/stream/forms.py`: find $\psi$ for $z>0$, zero on
# the plane off the film and at the far boundary, with
#
# $$\int_{z>0}\mu_0\nabla\psi\cdot\nabla v\,dV
# + \int_\Gamma\frac{2}{\kappa}\nabla_s\psi\cdot\nabla_s v\,dS
# = -\frac{\Gamma}{\kappa}\int_\Gamma f\,\mathbf m\cdot\nabla v\,dS .$$

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

from pearlfem.analytic import infinite_film
from pearlfem.analytic.weak_screening import half_plane_interaction_tensor

comm = MPI.COMM_WORLD
study = pearlfem.read_study(Path(__file__).parent / "edge.toml")
impurities = study.impurities
x = np.array([impurity.position[0] for impurity in impurities])

# %% [markdown]
# ## Self-energies with and without the field
# One mesh serves all distances, with $r_0 = 1$ and with a film that hardly screens. The self-energy
# without an edge is $2(x/\xi)^2 = 32$ times larger than $E_{\mathrm{edge}}$, the difference of two
# self-energies: to have it to 1 %, they must be right to 3e-4.

# %%
mesh = pearlfem.create_mesh(
    study.film, impurities, resolution=study.mesh.resolution, far=study.mesh.far, comm=comm
)


def edge_energies(pearl_length):
    """Return the tensors ½ (T_ii − T_∞) in units of J*/8x², and all solutions."""
    problem = pearlfem.MaxwellLondon(replace(study.film, pearl_length=pearl_length), mesh)
    solutions = problem.solve_each(impurities)
    tensor = np.einsum("iiab->iab", pearlfem.interaction_tensor(solutions))
    bulk = np.array([infinite_film.self_energy(i.size, pearl_length) for i in impurities])
    law = np.array([half_plane_interaction_tensor([(d, 0)], pearl_length)[0, 0, 0, 0] for d in x])
    return (tensor - 2 * bulk[:, None, None] * np.eye(2)) / np.abs(law)[:, None, None], solutions


unscreened, _ = edge_energies(1e6)
screened, solutions = edge_energies(1.0)

# %% [markdown]
# ## Compare
# Without screening the law holds as long as the square looks like a half plane. With screening the
# energy is closer to zero, and lower for a moment across the edge: the edge turns moments into its
# normal. $E_{\mathrm{edge}} < 0$ is a law as well: less film cannot have more energy.

# %%
across, along = screened[:, 0, 0], screened[:, 1, 1]
if comm.rank == 0:
    print("energy of the edge in units of J*/8x²")
    print("     x    r0 = ∞: across   along    r0 = 1: across   along")
    for row in zip(x, unscreened[:, 0, 0], unscreened[:, 1, 1], across, along, strict=True):
        print("{:6.3g}{:17.4f}{:9.4f}{:17.4f}{:9.4f}".format(*row))
near = x <= 0.2
assert np.all(np.abs(unscreened[near] + np.eye(2)) < 0.01)
assert np.all(np.linalg.eigvalsh(screened) < 0)
assert np.all(across < along)

# %%
shown = 2  # the impurity whose currents the picture has
X, Y = np.meshgrid(np.linspace(-0.15, 1.25, 141), np.linspace(-0.7, 0.7, 141))
place, size = impurities[shown].position, impurities[shown].size
points = np.column_stack([X.ravel(), Y.ravel() + place[1]])
maps = []
for solution in solutions[2 * shown : 2 * shown + 2]:
    K = np.linalg.norm(pearlfem.sheet_current(solution, points), axis=1).reshape(X.shape)
    g = pearlfem.stream_function(solution, points).reshape(X.shape)
    maps.append((np.where(X > 0, K, np.nan), g))
if comm.rank == 0:
    figure, (*films, right) = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    top = max(np.nanmax(K) for K, _ in maps)
    for axes, name, (K, g), moment in zip(
        films, ("across the edge", "along the edge"), maps, np.eye(2), strict=True
    ):
        image = axes.pcolormesh(
            X, Y, K, cmap="inferno", norm=LogNorm(top / 300, top), rasterized=True
        )
        part = (np.arange(1, 9) / 9) ** 2
        levels = np.abs(g).max() * np.concatenate([-part[::-1], part])
        axes.contour(X, Y, g, levels, colors="w", linewidths=0.7, linestyles="solid")
        arrow = {"arrowstyle": "simple", "color": "deepskyblue"}
        axes.annotate(
            "",
            place[0] * np.eye(2)[0] + 0.12 * moment,
            place[0] * np.eye(2)[0] - 0.12 * moment,
            arrowprops=arrow,
        )
        axes.axvline(0, color="k")
        axes.set(aspect="equal", xlabel="x / r$_0$", facecolor="0.85", title=f"moment {name}")
        axes.set(xlim=(-0.15, 1.25), ylim=(-0.7, 0.7))
    films[0].set_ylabel("y / r$_0$")
    figure.colorbar(image, ax=films, label=r"sheet current [$\Gamma/r_0^2$]")
    right.fill_between(x, across, along, color="C0", alpha=0.15, label="anisotropy")
    right.semilogx(x, across, "C0o-", mfc="none", label="$m$ across the edge")
    right.semilogx(x, along, "C3s-", mfc="none", label="$m$ along the edge")
    right.axhline(-1, color="k", ls=":", lw=0.8)
    mean = np.trace(unscreened, axis1=1, axis2=2) / 2
    right.semilogx(x, mean, "k.", label=r"$r_0\to\infty$, both")
    right.set_xticks(x, [f"{d:g}" for d in x])
    right.set_xticks([], minor=True)
    right.set(xlabel="distance from the edge $x / r_0$", ylabel="$E_{edge}$  [$J^*/8x^2$]")
    right.set(ylim=(-1.1, 0), title="energy of the edge")
    right.legend(frameon=False)
    picture = Path("results") / "demo_edge_anisotropy.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=110)
    print(f"picture: {picture}")
