# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Two impurities in a narrow strip
#
# Supercurrents couple impurities over long distances because they spread over the whole film. In a
# strip they cannot: the currents of an impurity turn back after about a width $w$. Two impurities
# on the midline, a distance $r$ apart, have the energy
#
# $$F_{12} = J_\perp m_{1\perp}m_{2\perp} - J_\parallel m_{1\parallel}m_{2\parallel} .$$
#
# **Equations.** $\mathbf K = \nabla g\times\hat z$ with $g = 0$ on the edges, and London's equation
# $\mathrm{rot}\,\mathbf K + \kappa B_z = -\kappa\,\mathrm{rot}\,\mathbf a$.
#
# **Limits.** For $w\gg r$ the couplings are those of the infinite film (Keldysh potential). For
# $w, r\ll r_0$ the field $B_z$ does not count, and the Green's function of the strip (images in
# both edges) gives, with $u = \pi/w$ and $J^* = \Gamma^2/2\pi\kappa$,
#
# $$J_\parallel = J^*u^2\frac{\cosh ur}{\sinh^2 ur}\to 2J^*u^2e^{-\pi r/w},\qquad
# J_\perp = J^*\frac{u^2}{\sinh^2 ur}\to 4J^*u^2e^{-2\pi r/w} .$$
#
# **Weak form**, as coded in `pearlfem/formulation/stream/forms.py`: find $\psi$ for $z>0$, $g =
# 2\psi$, zero on the plane off the film and at the far boundary, with
#
# $$\int_{z>0}\mu_0\nabla\psi\cdot\nabla v\,dV
# + \int_\Gamma\frac{2}{\kappa}\nabla_s\psi\cdot\nabla_s v\,dS
# = -\frac{\Gamma}{\kappa}\int_\Gamma f\,\mathbf m\cdot\nabla v\,dS .$$

# %%
from pathlib import Path

import matplotlib
from mpi4py import MPI

import pearlfem

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm

from pearlfem.analytic import infinite_film

comm = MPI.COMM_WORLD
study = pearlfem.read_study(Path(__file__).parent / "strip.toml")
r0, size = study.film.pearl_length, study.impurities[0].size


def solve(strip, pearl_length, impurities):
    """Return the solutions for each impurity, and J∥ and J⊥ of all pairs."""
    film = pearlfem.Film(strip, pearl_length)
    mesh = pearlfem.create_mesh(
        film, impurities, resolution=study.mesh.resolution, far=study.mesh.far, comm=comm
    )
    problem = pearlfem.MaxwellLondon(film, mesh, study.solve.degree)
    solutions = problem.solve_each(impurities)
    tensor = pearlfem.interaction_tensor(solutions)
    first, second = np.triu_indices(len(impurities), k=1)
    return solutions, -tensor[first, second, 0, 0], tensor[first, second, 1, 1]


def without_field(r, width, pearl_length):
    """Return J∥ and J⊥ in a strip that is much narrower than the Pearl length."""
    u, scale = np.pi / width, pearl_length / (4 * np.pi)
    perpendicular = scale * u**2 / np.sinh(u * r) ** 2
    return perpendicular * np.cosh(u * r), perpendicular


# %% [markdown]
# ## Against the width
# A pair at the distance $r = 1$, with $r_0 = 4$.

# %%
pair = [pearlfem.Impurity((x, 0.0), size=size) for x in (-0.5, 0.5)]
widths = np.array([0.4, 0.6, 1.0, 2.0, 4.0, 8.0, 24.0])
couplings = []
for width in widths:
    _, parallel, perpendicular = solve(pearlfem.Rectangle((1.0 + 6 * width, width)), r0, pair)
    couplings.append((parallel[0], perpendicular[0]))
by_width = np.array(couplings).T
wide = infinite_film.couplings(1.0, r0, sizes=(size, size))
ratio = by_width / [[wide.parallel], [wide.perpendicular]]
if comm.rank == 0:
    print("  width   J_par / that of the infinite film   J_perp / the same")
    for width, *numbers in zip(widths, *ratio, strict=True):
        print("{:7g}{:18.5f}{:27.5f}".format(width, *numbers))
assert np.all(np.abs(ratio[:, -1] - 1) < 5e-3)
assert np.all(np.diff(by_width[1]) > 0)

# %% [markdown]
# ## Against the distance
# The strip of `strip.toml`, $w = 0.7$, once as it is and once without the field ($r_0\to\infty$),
# where the closed form holds.

# %%
x = np.array([impurity.position[0] for impurity in study.impurities])
r = np.abs(np.subtract.outer(x, x))[np.triu_indices(len(x), k=1)]
width = study.film.shape.size[1]
solutions, *by_distance = solve(study.film.shape, r0, study.impurities)
_, *unscreened = solve(study.film.shape, 1e6, study.impurities)
near = r < 2
closed = np.array(without_field(r, width, 1e6))
error = np.abs(np.array(unscreened) - closed)[:, near] / closed[0, near]
if comm.rank == 0:
    print(f"without the field, against the closed form: within {error.max():.1e} of J_par")
assert np.all(error < 0.01)

# %% [markdown]
# The coupling through the strip falls off exponentially, so at large distances the coupling through
# space is larger: the strip does not confine stray fields. For $J_\perp$, which falls off twice as
# fast, this happens first.

# %%
far = r > 2.5
assert np.all(by_distance[1][far] > 100 * without_field(r[far], width, r0)[1])

# %%
X, Y = np.meshgrid(np.linspace(-2.6, 2.6, 521), np.linspace(-0.345, 0.345, 70))
points = np.column_stack([X.ravel(), Y.ravel()])
shown = solutions[2]  # the second impurity, its moment along x
K = np.linalg.norm(pearlfem.sheet_current(shown, points), axis=1).reshape(X.shape)
g = pearlfem.stream_function(shown, points).reshape(X.shape)
if comm.rank == 0:
    figure, panels = plt.subplot_mosaic(
        [["strip", "strip"], ["width", "distance"]],
        figsize=(10, 6.2),
        height_ratios=[1, 2.6],
        layout="constrained",
    )
    strip, left, right = panels.values()
    top = K.max()
    image = strip.pcolormesh(X, Y, K, cmap="inferno", norm=LogNorm(1e-5 * top, top))
    levels = np.abs(g).max() * np.geomspace(3e-5, 0.6, 8)
    strip.contour(X, Y, g, [*-levels[::-1], *levels], colors="w", linewidths=0.6, linestyles="-")
    arrow = {"arrowstyle": "simple", "color": "deepskyblue"}
    strip.annotate("", (-0.98, 0), (-1.22, 0), arrowprops=arrow)
    strip.plot(x, 0 * x, "o", color="deepskyblue", markersize=3)
    strip.set(aspect="equal", xlim=(-2.6, 2.6), ylim=(-0.35, 0.35), xlabel="x", ylabel="y")
    strip.set_title("current of one of four impurities (dots) in a strip of width 0.7")
    figure.colorbar(image, ax=strip, label=r"$K$ [$\Gamma/L^2$]", pad=0.01)
    line = np.geomspace(0.3, 40, 200)
    for name, color, number in ((r"$J_\parallel$", "C3", 0), (r"$J_\perp$", "C0", 1)):
        left.loglog(line, without_field(1.0, line, r0)[number], "--", color=color, lw=0.8)
        left.axhline(float((wide.parallel, wide.perpendicular)[number]), color=color, ls=":", lw=1)
        left.loglog(widths, by_width[number], "o-", mfc="none", color=color, label=name)
    left.plot([], [], "k--", lw=0.8, label="strip, no field")
    left.plot([], [], "k:", lw=1, label="infinite film")
    left.set(xlabel="width of the strip / r", ylabel=r"coupling [$\mu_0\Gamma^2/L$]")
    left.set(xlim=(0.3, 40), ylim=(1e-5, 1), title="distance $r = 1$, $r_0 = 4$")
    left.legend(frameon=False)
    line, order = np.linspace(0.35, 3.2, 200), np.argsort(r)
    film = infinite_film.couplings(line, r0, sizes=(size, size))
    for number, color in enumerate(("C3", "C0")):
        right.semilogy(line, without_field(line, width, r0)[number], "--", color=color, lw=0.8)
        right.semilogy(line, (film.parallel, film.perpendicular)[number], ":", color=color, lw=1)
        right.semilogy(r[order], by_distance[number][order], "o", mfc="none", color=color)
    right.set(xlabel="distance r", title="width 0.7, $r_0 = 4$", xlim=(0.3, 3.2), ylim=(1e-7, 10))
    picture = Path("results") / "demo_strip_pair.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=110)
    print(f"picture: {picture}")
