# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A disc in a perpendicular field
#
# A field $B_a$ along $z$ drives currents around a superconducting disc of radius $R$. How well they
# screen the field depends on the Pearl length $r_0$: with $r_0\ll R$ no field gets through the
# disc, with $r_0\gg R$ nearly all of it does.
#
# **Equations.** $\mathbf K = -\kappa(\mathbf A + \mathbf A_{\mathrm{ext}})$ on the disc, with
# $\kappa = 2/\mu_0 r_0$, and $\nabla\times\mathbf B = \mu_0\mathbf K\delta(z)$ in space.
#
# **Weak form**, as coded in `pearlfem/formulation/stream/forms.py`: find $\psi$ for $z > 0$, zero
# on the plane off the film and at the far boundary, $g = 2\psi$, $\mathbf K = \nabla g\times
# \hat z$,
#
# $$\int_{z>0}\mu_0\nabla\psi\cdot\nabla v\,dV
# + \int_\Gamma\frac{2}{\kappa}\nabla_s\psi\cdot\nabla_s v\,dS = -\int_\Gamma B_a v\,dS .$$
#
# **Limits** ($H_a = B_a/\mu_0$):
#
# | | $K_\varphi$ | moment $m_z$ |
# |---|---|---|
# | $r_0\to 0$ | $-\frac{4}{\pi}H_a\,r/\sqrt{R^2-r^2}$ | $-\frac83 H_aR^3$ |
# | $r_0\to\infty$ | $-H_a\,r/r_0$ | $-\frac{\pi}{4}H_aR^4/r_0$ |
#
# There is no closed form in between. The moments here are compared with those of an independent
# spectral method.

# %%
from dataclasses import replace
from pathlib import Path

import matplotlib
from mpi4py import MPI

import pearlfem

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from pearlfem.observables.tables import measure

comm = MPI.COMM_WORLD
study = pearlfem.read_study(Path(__file__).parent / "disc_field.toml")
applied = study.sources[0].field
X, Z = np.meshgrid(np.linspace(-2, 2, 81), np.linspace(-1.5, 1.5, 62))  # 62: none at z = 0
section = np.column_stack([X.ravel(), np.zeros(X.size), Z.ravel()])

# m_z / H_a R³ at r0/R, from the spectral method
REFERENCE = {
    0.01: -2.5202459971853,
    0.1: -1.8743931511946,
    1.0: -0.5881642042109,
    10.0: -0.0759641955243,
}

# %% [markdown]
# ## Solve for many Pearl lengths
# The mesh is graded towards the edge, where the current of a strongly screening disc piles up. Only
# the smallest $r_0$ needs finer cells there than the edge itself, so two meshes are enough.

# %%
moments, profiles = {}, {}
for lengths in ((0.01,), (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)):
    film = replace(study.film, pearl_length=lengths[0])
    mesh = pearlfem.create_mesh(film, study.sources, resolution=0.3, comm=comm)
    for r0 in lengths:
        problem = pearlfem.MaxwellLondon(replace(film, pearl_length=r0), mesh)
        solution = problem.solve(study.sources)
        moments[r0] = pearlfem.magnetic_moment(solution)[2]
        if r0 in REFERENCE:
            tables = [measure(solution, probe) for probe in study.output.probe]
            profiles[r0] = [{column.name: column.values for column in table} for table in tables]
        if r0 == study.film.pearl_length:
            B = pearlfem.magnetic_field(solution, section)
        problem.destroy()

# %% [markdown]
# ## Compare
# Every moment is a little too small on the coarse mesh of this demo: the stream formulation gives
# energies, here $-\frac12 m_zB_a$, from below.

# %%
errors = {r0: moments[r0] / exact - 1 for r0, exact in REFERENCE.items()}
if comm.rank == 0:
    print("  r0/R   m_z/(H_a R³)   reference   difference")
    for r0, exact in REFERENCE.items():
        print(f"{r0:6g}   {moments[r0]:12.6f}   {exact:9.6f}   {errors[r0]:+.1e}")
assert all(-1e-3 < error < 0 for error in errors.values())

# %% [markdown]
# Weak screening in detail: with $r_0 = 10R$ the current is $-H_ar/r_0$ up to corrections of the
# order of $R/r_0$.

# %%
weak, _ = profiles[10.0]
excess = weak["Ky"][1:] / (-weak["s"][1:] / 10.0)
assert np.all((excess > 0.9) & (excess < 1.0))

# %%
if comm.rank == 0:
    figure, axes = plt.subplots(2, 2, figsize=(10, 7.6), layout="constrained")
    (lines, field), (current, moment) = axes
    total = (B + applied).reshape(*X.shape, 3)
    size = np.linalg.norm(total, axis=-1)
    image = lines.contourf(X, Z, size, np.linspace(0, 1.8, 37), cmap="inferno", extend="max")
    bar = figure.colorbar(image, ax=lines, label="$|B| / B_a$", ticks=np.arange(0, 2, 0.3))
    starts = np.column_stack([np.linspace(-1.95, 1.95, 27), np.full(27, -1.45)])
    lines.streamplot(
        X,
        Z,
        total[..., 0],
        total[..., 2],
        start_points=starts,
        density=10,
        broken_streamlines=False,
        color="w",
        linewidth=0.7,
        arrowstyle="-",
    )
    lines.plot([-1, 1], [0, 0], color="deepskyblue", linewidth=3, solid_capstyle="butt")
    lines.set(aspect="equal", xlim=(-2, 2), ylim=(-1.5, 1.5), xlabel="x / R", ylabel="z / R")
    lines.set_title("field lines around the disc (blue), $r_0 = 0.1\\,R$")
    for color, (r0, (on_disc, above)) in zip(
        ("C3", "C1", "C0", "C2"), profiles.items(), strict=True
    ):
        field.plot(above["s"], 1 + above["Bz"], color=color, label=f"{r0:g}")
        current.plot(on_disc["s"], -on_disc["Ky"], color=color, label=f"{r0:g}")
    r = on_disc["s"]
    current.plot(r, 4 / np.pi * r / np.sqrt(1 - r**2), "k:", label=r"$r_0\to 0$")
    field.set(xlabel="r / R", ylabel="$B_z / B_a$", xlim=(0, 2), ylim=(0, None))
    field.set_title("field at the height 0.1 R")
    field.legend(title="$r_0 / R$", frameon=False)
    current.set(xlabel="r / R", ylabel=r"$-K_\varphi / H_a$", xlim=(0, 1), ylim=(0, 6))
    current.set_title("sheet current")
    current.legend(title="$r_0 / R$", frameon=False)
    exact, found = (np.array(sorted(some.items())).T for some in (REFERENCE, moments))
    limit = np.geomspace(0.15, 25, 2)
    moment.axhline(8 / 3, color="k", linewidth=0.8, linestyle=":")
    moment.loglog(limit, np.pi / 4 / limit, "k:", linewidth=0.8, label="limits")
    moment.loglog(exact[0], -exact[1], "C3x", markersize=9, label="spectral method")
    moment.loglog(found[0], -found[1], "C0o-", mfc="none", label="finite elements")
    moment.set(xlabel="$r_0 / R$", ylabel="$-m_z / H_a R^3$", xlim=(5e-3, 20), ylim=(0.04, 4))
    moment.set_title("magnetic moment")
    moment.legend(frameon=False, loc="lower left")
    picture = Path("results") / "demo_disc_field.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=130)
    print(f"picture: {picture}")
