# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # An inhomogeneous film
#
# Real films have thin and damaged places, so their Pearl length $r_0 = 2\lambda^2/d$ varies. This
# film screens strongly at its left end and weakly at its right end (a smooth profile), and has a
# scratch (a region with another $r_0$). What does a perpendicular field do to it?
#
# **Equations.** $\mathbf K = -\kappa(\mathbf r)(\mathbf A + \mathbf A_{\mathrm{ext}} - \nabla\chi)$
# with $\kappa = 2/\mu_0r_0(\mathbf r)$, $\nabla\cdot\mathbf K = 0$, no current through the edges.
#
# **Weak forms**, as coded in `pearlfem/formulation/stream/forms.py` and `vector/forms.py`: find
# $\psi$ for $z>0$, zero on the plane off the film and at the far boundary,
#
# $$\int_{z>0}\mu_0\nabla\psi\cdot\nabla v\,dV
# + \int_\Gamma\frac{2}{\kappa}\nabla_s\psi\cdot\nabla_s v\,dS = -\int_\Gamma B_a v\,dS ,$$
#
# with $g=2\psi$, or $\mathbf A$ with
#
# $$\int\frac{1}{\mu_0}\nabla\times\mathbf A\cdot\nabla\times\mathbf v\,dV
# + \int_\Gamma\kappa\,\mathbf A\cdot\mathbf v\,dS
# = -\int_\Gamma\kappa\,\mathbf A_{\mathrm{ext}}\cdot\mathbf v\,dS .$$
#
# The first gives the energy from below, the second from above.
#
# **A law.** The energy is the minimum of a functional that grows with $\kappa$ everywhere. So it
# lies between the energies of the uniform films with the smallest and the largest $r_0$, and damage
# can only lower it.

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

comm = MPI.COMM_WORLD
study = pearlfem.read_study(Path(__file__).parent / "inhomogeneous.toml")
film, field = study.film, study.sources

# %% [markdown]
# ## A case with an answer
# First a round film that hardly screens: $K_\varphi = -\kappa(r)B_ar/2$, and
#
# $$m_z = -\pi B_a\int_0^R \frac{r^3}{\mu_0r_0(r)}\,dr .$$
#
# With $R = 1$ and $r_0 = s(1 + r^2)$ this is $-\pi B_a(1 - \ln 2)/2\mu_0s$, and the energy is
# $-\frac12m_zB_a$.

# %%
s = 1e5
disc = pearlfem.Film(pearlfem.Disc(1.0), pearlfem.Expression(f"{s}*(1 + x**2 + y**2)"))
mesh = pearlfem.create_mesh(disc, field, resolution=0.3, far=study.mesh.far, comm=comm)
exact = 0.25 * np.pi * (1 - np.log(2)) / s


def bracket(film):
    """Return the solution of the stream formulation, and the bounds of the energy."""
    stream = pearlfem.MaxwellLondon(film, mesh, degree=3).solve(field)
    vector = pearlfem.MaxwellLondon(film, mesh, degree=2, formulation="vector").solve(field)
    return stream, pearlfem.free_energy(stream), pearlfem.free_energy(vector)


_, least, most = bracket(disc)
if comm.rank == 0:
    print(f"weak disc: {least:.5e} <= {exact:.5e} <= {most:.5e}")
assert 0.999 * exact < least < exact < most < 1.001 * exact

# %% [markdown]
# ## The film, and simpler ones
# One mesh serves the film of the study, the same film without its scratch, and two uniform films
# with the Pearl lengths of the two ends.

# %%
films = {
    "$r_0 = 0.2$": pearlfem.Film(film.shape, 0.2),
    "smooth": replace(film, regions=()),
    "smooth, scratched": film,
    "$r_0 = 1$": pearlfem.Film(film.shape, 1.0),
}
mesh = pearlfem.create_mesh(
    film, field, resolution=study.mesh.resolution, far=study.mesh.far, comm=comm
)
lower, upper = {}, {}
for name, one in films.items():
    stream, lower[name], upper[name] = bracket(one)
    if one is film:
        solution = stream
    if comm.rank == 0:
        gap = upper[name] / lower[name] - 1
        print(f"{name:>17}: {lower[name]:.5f} <= F <= {upper[name]:.5f}, gap {gap:.1e}")
assert all(lower[name] < upper[name] < 1.02 * lower[name] for name in films)
strong, smooth, scratched, weak = films
assert upper[scratched] < lower[smooth] < upper[smooth] < lower[strong]
assert upper[weak] < lower[smooth]

# %% [markdown]
# ## Picture

# %%
X, Y = np.meshgrid(np.linspace(-2.2, 2.2, 221), np.linspace(-1.2, 1.2, 121))
plane = np.stack([X, Y], axis=-1)
on_film = film.covers(plane)
points = plane.reshape(-1, 2)
K = np.linalg.norm(pearlfem.sheet_current(solution, points), axis=1).reshape(X.shape)
g = pearlfem.stream_function(solution, points).reshape(X.shape)
above = np.column_stack([points, np.full(len(points), 0.1)])
B = 1.0 + pearlfem.magnetic_field(solution, above)[:, 2].reshape(X.shape)
if comm.rank == 0:
    figure, axes = plt.subplots(2, 2, figsize=(11, 5.6), layout="constrained")
    (lengths, currents), (fields, energies) = axes
    scratch = np.array(film.regions[0].shape.outline().exterior.coords).T
    r0 = 2 / film.superfluid_weight(plane)
    for panel, values, title, label, norm, colors, ticks in (
        (lengths, r0, "Pearl length", "$r_0$ [$L$]", LogNorm(0.2, 5), "viridis", [0.2, 0.5, 1, 5]),
        (currents, K, "current", "$K$ [$H_a$]", LogNorm(0.05, 5), "inferno", [0.1, 0.3, 1, 3]),
        (fields, B, "field at the height 0.1", "$B_z / B_a$", None, "cividis", [0.5, 1, 1.5]),
    ):
        shown = values if panel is fields else np.where(on_film, values, np.nan)
        image = panel.pcolormesh(X, Y, shown, cmap=colors, norm=norm, rasterized=True)
        bar = figure.colorbar(image, ax=panel, label=label, shrink=0.75, pad=0.02)
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        bar.minorticks_off()
        panel.plot([-2, 2, 2, -2, -2], [-1, -1, 1, 1, -1], "k", *scratch, "k", linewidth=0.8)
        panel.set(aspect="equal", title=title, xlabel="x", ylabel="y", facecolor="0.85")
    levels = np.linspace(-1, 0, 12)[1:-1] * np.abs(g).max()
    currents.contour(X, Y, g, levels, colors="w", linewidths=0.7, linestyles="-")
    low, high = (np.array(list(side.values())) for side in (lower, upper))
    rows = np.arange(len(films))[::-1]
    energies.errorbar((low + high) / 2, rows, xerr=(high - low) / 2, fmt="none", capsize=6)
    for row, *ends in zip(rows, low, high, strict=True):
        text = "{:.3f} … {:.3f}".format(*ends)
        energies.annotate(text, (ends[1], row), (8, 8), textcoords="offset points", fontsize=9)
    energies.set_yticks(rows, list(films))
    energies.set(xlabel=r"free energy [$B_a^2L^3/\mu_0$]", title="guaranteed brackets")
    energies.set(xlim=(1.1, 3.8), ylim=(-0.5, 3.6))
    picture = Path("results") / "demo_inhomogeneous.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=110)
    print(f"picture: {picture}")
