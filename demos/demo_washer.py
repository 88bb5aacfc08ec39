# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A washer with one flux quantum
#
# A square film, 20 µm wide, has a round hole of radius 3 µm that holds one flux quantum
# $\Phi_0 = h/2e$. How large is the current around the hole, what does a scanning SQUID see above
# it, and what is the inductance?
#
# **Equations.** The fluxoid of the hole, its flux plus the part of the supercurrents, is a whole
# number of flux quanta [F. London, 1950]:
#
# $$\int_{\mathrm{hole}} B_z\,dS + \oint\frac{1}{\kappa}\mathbf K\cdot d\mathbf l = N\Phi_0 ,
# \qquad \kappa = \frac{2}{\mu_0r_0} .$$
#
# **Weak form**, as coded in `pearlfem/formulation/stream/forms.py`: $\psi = g/2$ is one constant on
# the hole, half the current around it, and
#
# $$\int_{z>0}\mu_0\nabla\psi\cdot\nabla v\,dV
# + \int_\Gamma\frac{2}{\kappa}\nabla_s\psi\cdot\nabla_s v\,dS = N\Phi_0\,v_{\mathrm{hole}} .$$
#
# Energy, current and inductance belong together: $F = \frac12N\Phi_0I = (N\Phi_0)^2/2L$. The
# formulation with $\psi$ gives $F$ from below, the one with the vector potential from above, so
# together they bracket $L$.

# %%
from dataclasses import replace
from pathlib import Path

import matplotlib
from mpi4py import MPI

import pearlfem

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm, TwoSlopeNorm

from pearlfem.analytic.weak_screening import ring_kinetic_inductance
from pearlfem.observables.tables import measure

comm = MPI.COMM_WORLD
study = pearlfem.read_study(Path(__file__).parent / "washer.toml")
units = study.units


def table(solution, probe):
    """Return the columns of a probe by their names, in the units of the study."""
    columns = measure(solution, probe)
    return {column.name: units.from_reduced(column.values, column.kind) for column in columns}


# %% [markdown]
# ## Current and fluxoid
# The fluxoid is what the equation of the hole's own unknown leaves: that asked for, to the accuracy
# of the solver. The flux is $\oint A\cdot dl$ of the sheet currents along the edge of the hole.

# %%
mesh = pearlfem.create_mesh(study.film, study.sources, resolution=0.3, comm=comm)
problem = pearlfem.MaxwellLondon(study.film, mesh)
solution = problem.solve(study.sources)
(hole,) = pearlfem.hole_states(solution)
arm, squid = (table(solution, probe) for probe in study.output.probe)
energy = pearlfem.free_energy(solution)
if comm.rank == 0:
    current = units.from_reduced(hole.current, "current")
    print(f"current around the hole {current:.2f} uA, through one arm {arm['current'][0]:.2f} uA")
    print(f"flux through the hole {hole.flux:.4f} Phi0, fluxoid {hole.fluxoid:.6f} Phi0")
assert abs(hole.fluxoid - hole.fluxoid_asked) < 1e-6
assert abs(energy / (0.5 * hole.current) - 1) < 5e-3
assert np.isclose(abs(arm["current"][0]), units.from_reduced(hole.current, "current"), rtol=5e-3)

# %% [markdown]
# ## Inductance, with bounds
# On the command line this is `pearlfem inductance demos/washer.toml`.
#
# As $r_0\to\infty$ all of $L$ is kinetic. Then the square is as good as a ring: the conformal map
# $\int dz/\sqrt{1+z^4}$ of the unit disc onto a square of side 1.8541 does not change the energy,
# and changes only the scale of a small hole in the middle. No current has less kinetic energy, so
# this bounds $L$ for any $r_0$. As $r_0\to 0$ the flux through a round hole in a wide film is
# $2a\mu_0I$, like the flow of a fluid through a hole in a wall; narrower films have more.

# %%
a, b = 3.0, 20.0 / 1.8540746773  # radius of the hole, and of the ring that the square maps to
lengths = (0.3, 0.8, 3.0, 10.0, 50.0)
coarse = pearlfem.MeshOptions(resolution=0.2)
both = pearlfem.SolveOptions(formulation="both", degree=2)
bounds = []
for r0 in lengths:
    film = replace(study.film, pearl_length=r0)
    L = pearlfem.inductance(film, mesh=coarse, solve=both, comm=comm)
    bounds.append((L.lower[0, 0], L.upper[0, 0]))
lower, upper = units.from_reduced(np.array(bounds).T, "inductance")
kinetic = units.from_reduced(
    np.array([ring_kinetic_inductance(a, b, r0) for r0 in lengths]), "inductance"
)
if comm.rank == 0:
    for r0, least, most, part in zip(lengths, lower, upper, kinetic, strict=True):
        print(f"r0 = {r0:4g} um: {least:8.3f} <= L <= {most:8.3f} pH, kinetic limit {part:8.3f} pH")
assert np.all((kinetic < lower) & (lower < upper) & (upper - lower < 0.02 * lower))
assert upper[-1] < 1.1 * kinetic[-1]
from_current = units.from_reduced(1.0, "inductance") / hole.current
assert lower[1] < from_current < upper[1]

# %% [markdown]
# ## Picture

# %%
side = np.linspace(-11, 11, 301)
X, Y = np.meshgrid(side, side)
points = np.column_stack([X.ravel(), Y.ravel()])
K = np.linalg.norm(pearlfem.sheet_current(solution, points), axis=1).reshape(X.shape)
K = units.from_reduced(K, "sheet_current")
g = units.from_reduced(pearlfem.stream_function(solution, points), "current").reshape(X.shape)
K[~study.film.covers(np.stack([X, Y], axis=-1))] = np.nan
if comm.rank == 0:
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    image = left.pcolormesh(X, Y, K, cmap="inferno", norm=LogNorm(2, 100), rasterized=True)
    figure.colorbar(image, ax=left, label=f"sheet current [{units.sheet_current}]", extend="both")
    left.contour(X, Y, g, np.linspace(0, 1, 12)[1:-1] * g.max(), colors="w", linewidths=0.7)
    left.set(aspect="equal", xlabel="x [µm]", ylabel="y [µm]", facecolor="0.85")
    left.set_title(f"{g.max():.0f} µA around the hole")
    x, y, flux = (squid[name].reshape(31, 31) for name in ("x", "y", "flux"))
    norm = TwoSlopeNorm(0, 1e3 * flux.min(), 1e3 * flux.max())
    image = middle.pcolormesh(
        x, y, 1e3 * flux, cmap="RdBu_r", norm=norm, shading="gouraud", rasterized=True
    )
    bar = figure.colorbar(image, ax=middle, label="flux through the loop [mΦ$_0$]")
    bar.set_ticks([-1, -0.5, 0, 10, 20], labels=["−1", "−0.5", "0", "10", "20"])
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
    square = 10 * np.array([-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j, -1 - 1j])
    for axes in (left, middle):
        axes.plot(a * circle.real, a * circle.imag, "k", square.real, square.imag, "k", lw=1)
    middle.plot(circle.real - 13, circle.imag - 13, "k", lw=1.5)
    middle.annotate("loop", (-11.5, -13.4))
    middle.set(aspect="equal", xlabel="x [µm]", ylabel="y [µm]")
    middle.set_title("scanning SQUID, 1.5 µm above")
    line = np.geomspace(0.15, 100, 50)
    limit = [ring_kinetic_inductance(a, b, r0) for r0 in line]
    right.loglog(line, units.from_reduced(np.array(limit), "inductance"), "k--", lw=0.8)
    right.text(4.5, 10.5, "all kinetic")
    right.axhline(units.from_reduced(2 * a, "inductance"), color="k", ls=":", lw=0.8)
    right.text(0.23, 6.5, r"$2\mu_0a$")
    right.errorbar(
        lengths,
        (lower + upper) / 2,
        (upper - lower) / 2,
        fmt="o",
        color="C0",
        mfc="none",
        capsize=4,
        label="guaranteed bracket",
    )
    right.plot(0.8, from_current, "C3x", label=r"$\Phi_0/I$")
    right.set(xlabel="Pearl length $r_0$ [µm]", ylabel="inductance [pH]")
    right.set(xlim=(0.2, 80), ylim=(6, 300))
    right.set_title(f"brackets {100 * np.max(upper / lower - 1):.1f} % wide or less")
    right.legend(frameon=False)
    picture = Path("results") / "demo_washer.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=100)
    print(f"picture: {picture}")
