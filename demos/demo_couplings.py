# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Two impurities: couplings, ground states, currents
#
# Fig. 2 of [1]. Two impurities at a distance $r$ on an infinite film have the energy
#
# $$F = J_\perp m_{1\perp}m_{2\perp} - J_\parallel m_{1\parallel}m_{2\parallel},\qquad
# J_\perp = -J^*V'(r)/r,\quad J_\parallel = J^*V''(r),\quad J^* = \Gamma^2/2\pi\kappa,$$
#
# with the Keldysh potential $V$ of the Pearl length $r_0$. In elementary functions, approximately,
#
# $$J_\perp\approx\frac{J^*}{r^2}\,\frac{r_0}{r+r_0},\qquad
# J_\parallel\approx\frac{J^*}{r^2}\,\frac{r_0(2r+r_0)}{(r+r_0)^2}.$$
#
# **Ground state.** $J_\parallel > J_\perp$ for any finite $r_0$, so both moments point along the
# line that joins them, in the same direction. Without the magnetic field, $r_0\to\infty$, both
# couplings are $J^*/r^2$ and $F = -(J^*/r^2)\cos(\theta_1+\theta_2)$: every state with
# $\theta_1 = -\theta_2$ has the same energy as this one.
#
# **Weak form** of the finite elements, as coded in `pearlfem/formulation/stream/forms.py`: find
# $\psi$ for $z>0$, $g = 2\psi$, $\mathbf K = \nabla g\times\hat z$, zero at the far boundary, with
#
# $$\int_{z>0}\mu_0\nabla\psi\cdot\nabla v\,dV
# + \int_\Gamma\frac{2}{\kappa}\nabla_s\psi\cdot\nabla_s v\,dS
# = -\frac{\Gamma}{\kappa}\int_\Gamma f\,\mathbf m\cdot\nabla v\,dS .$$
#
# [1] Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Fig. 2.

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
from pearlfem.magnetism import energy, ground_state

comm = MPI.COMM_WORLD
r, size, shown = 1.0, 0.05, 2.0  # the pictures of energies and currents have r0 = 2 r


def say(text):
    if comm.rank == 0:
        print(text)


def unit(pearl_length):
    """J*/r², with Γ = 1."""
    return pearl_length / (4 * np.pi * r**2)


# %% [markdown]
# ## The approximation
# It is right in both limits and about 10 % off between them.

# %%
lengths = np.geomspace(0.02, 200, 161)
exact = np.array([np.array(infinite_film.couplings(r, s)) / unit(s) for s in lengths])
rough = np.array([np.array(infinite_film.elementary_couplings(r, s)) / unit(s) for s in lengths])
off = rough / exact - 1
worst = abs(off).max(axis=0)
say(f"elementary functions: J⊥ off by up to {worst[0]:.1%}, J∥ by up to {worst[1]:.1%}")
assert np.allclose(worst, [0.098, 0.105], atol=1e-3)
assert np.all(exact[:, 1] > exact[:, 0])
assert np.allclose(exact[-1], 1, atol=0.02)  # J*/r², both
assert np.allclose(exact[0] * r / lengths[0], [1, 2], rtol=0.01)  # V = r0/r: 1/r³, 2/r³

# %% [markdown]
# ## Finite elements
# Impurities are Gaussians of the width $\xi = r/20$, in the exact values as well. One mesh serves
# all Pearl lengths.

# %%
pair = [pearlfem.Impurity((x, 0.0), size=size) for x in (-r / 2, r / 2)]
film = pearlfem.Film(pearlfem.Plane(), pearl_length=shown)
mesh = pearlfem.create_mesh(film, pair, resolution=0.6, comm=comm)
computed = (0.1, 0.5, shown, 20.0)
found, references, tensors = [], [], {}
say("   r0/r        J⊥, FEM      exact   difference      J∥, FEM      exact   difference   [J*/r²]")
for length in computed:
    problem = pearlfem.MaxwellLondon(replace(film, pearl_length=length), mesh, degree=3)
    solutions = problem.solve_each(pair)
    tensors[length] = pearlfem.interaction_tensor(solutions)
    if length == shown:
        both = pearlfem.superpose(solutions, [1.0, 0.0, 1.0, 0.0])  # m1 and m2 along x
    T = tensors[length][0, 1] / unit(length)
    found.append((T[1, 1], -T[0, 0]))
    reference = infinite_film.couplings(r, length, sizes=(size, size))
    references.append(np.array(reference) / unit(length))
    compared = zip(found[-1], references[-1], strict=True)
    say(f"{length:7.1f}  " + "".join(f"{a:13.6f}{b:11.6f}{a / b - 1:13.1e}" for a, b in compared))
found, references = np.array(found), np.array(references)
assert np.allclose(found, references, rtol=1e-4)

# %% [markdown]
# ## Ground states
# They come from the tensors of the finite elements, self-energies included: both moments are
# parallel and along the axis, up to fractions of a degree by which the mesh prefers a direction.
# Without the field there is a family of states with $\theta_1 = -\theta_2$, and the minimiser finds
# several of them.

# %%
for length, tensor in tensors.items():
    state = ground_state(tensor)
    say(f"r0 = {length:4.1f} r: θ = {np.degrees(state.angles).round(3) + 0.0}°")
    assert not state.degenerate
    assert np.allclose(state.angles, 0, atol=np.radians(0.5))
    assert state.stiffness > 0

free = np.zeros((2, 2, 2, 2))  # r0 = ∞, in units of J*/r²
free[0, 1] = free[1, 0] = np.diag([-1.0, 1.0])
with_field = infinite_film.interaction_tensor([(-r / 2, 0), (r / 2, 0)], shown) / unit(shown)
with_field[[0, 1], [0, 1]] = 0  # the self-energies of points
unscreened = ground_state(free)
say(f"r0 = ∞: {len(unscreened.states)} states found, energy {unscreened.energy:.6f} J*/r²")
assert unscreened.degenerate
assert np.isclose(unscreened.energy, -1, rtol=1e-12)
assert np.allclose(np.sin(unscreened.states.sum(axis=1)), 0, atol=1e-6)
family = np.radians([0, 45, 90, 135])
assert np.allclose(energy(free, np.column_stack([family, -family])), -1, rtol=1e-12)
J_perpendicular, J_parallel = np.array(infinite_film.couplings(r, shown)) / unit(shown)
with_field_energies = energy(with_field, np.column_stack([family, -family]))
law = -J_perpendicular * np.sin(family) ** 2 - J_parallel * np.cos(family) ** 2
assert np.allclose(with_field_energies, law, rtol=1e-12)
assert with_field_energies.argmin() == 0

# %% [markdown]
# ## Currents
# Both moments point along the axis: the currents of one pass the other against its anomalous
# current.

# %%
x, y = np.meshgrid(np.linspace(-1.5, 1.5, 121), np.linspace(-1.2, 1.2, 97))
points = np.column_stack([x.ravel(), y.ravel()])
currents = pearlfem.sheet_current(both, points)
g = pearlfem.stream_function(both, points).reshape(x.shape)
reference = sum(
    infinite_film.sheet_current(points, i.position, size=size, pearl_length=shown) for i in pair
)
away = np.min([np.hypot(*(points - i.position).T) for i in pair], axis=0) > 0.2 * r
norm = np.linalg.norm(reference, axis=1)
errors = np.linalg.norm(currents - reference, axis=1)[away] / norm[away]
say(f"currents: within {np.median(errors):.1e} of the exact ones (median over the picture)")
assert np.median(errors) < 0.01

# %% [markdown]
# ## Picture

# %%


def landscape(axes, tensor, title):
    """Draw the energy of all states."""
    angles = np.linspace(-np.pi, np.pi, 121)
    values = energy(tensor, np.stack(np.meshgrid(angles, angles), axis=-1))
    image = axes.contourf(np.degrees(angles), np.degrees(angles), values, 24, cmap="viridis")
    figure.colorbar(image, ax=axes, label="$F$  $[J^*/r^2]$")
    ticks = (-180, -90, 0, 90, 180)
    axes.set(xlabel=r"$\theta_1$ [degrees]", ylabel=r"$\theta_2$ [degrees]", title=title)
    axes.set(aspect="equal", xticks=ticks, yticks=ticks)


if comm.rank == 0:
    figure, panels = plt.subplot_mosaic(
        [["a", "s", "c"], ["f", "n", "e"]], figsize=(15, 8.6), layout="constrained"
    )
    axes = panels["a"]
    for k, (name, color) in enumerate(((r"$J_\perp$", "C0"), (r"$J_\parallel$", "C3"))):
        axes.semilogx(lengths, exact[:, k], color, label=f"{name} exact")
        axes.semilogx(lengths, rough[:, k], color, ls="--", lw=1, label="elementary")
        axes.semilogx(computed, found[:, k], "o", color=color, mfc="w", label=r"FEM, $\xi = r/20$")
    axes.set(xlabel="$r_0 / r$", ylabel="$J$  $[J^*/r^2]$", title="(a) couplings")
    axes.legend(frameon=False)
    axes = panels["e"]
    axes.semilogx(lengths, 100 * off[:, 0], "C0", label=r"$J_\perp$")
    axes.semilogx(lengths, 100 * off[:, 1], "C3", label=r"$J_\parallel$")
    axes.axhline(0, color="k", lw=0.8)
    axes.set(xlabel="$r_0 / r$", ylabel="error [%]", title="Error of the elementary functions")
    axes.legend(frameon=False)

    axes = panels["s"]
    rows = [("finite $r_0$", 0.0), *((r"$r_0\to\infty$", angle) for angle in family)]
    for k, (label, angle) in enumerate(rows):
        height = -k - 0.5 * (k > 0)
        axes.text(-1.9, height, label, va="center")
        for place, turn in ((0, angle), (1.4, -angle)):
            step = 0.36 * np.array([np.cos(turn), np.sin(turn)])
            axes.plot(place, height, "o", color="0.6", markersize=5)
            style = {"arrowstyle": "-|>", "color": "C0" if k else "C3", "lw": 2.5}
            middle = np.array([place, height])
            axes.annotate("", middle + step, middle - step, arrowprops=style)
    axes.set(xlim=(-2, 2.2), ylim=(-5.2, 0.7), aspect="equal", title="(b) ground states")
    axes.axis("off")
    landscape(panels["f"], with_field, "$r_0 = 2r$: parallel, along the axis")
    panels["f"].plot([0, -180, 180, -180, 180], [0, -180, -180, 180, 180], "C3o", clip_on=False)
    landscape(panels["n"], free, r"$r_0\to\infty$: the line $\theta_1 = -\theta_2$")
    panels["n"].plot([-180, 180], [180, -180], "C3", lw=2)

    axes = panels["c"]
    K = np.linalg.norm(currents, axis=1).reshape(x.shape)
    image = axes.pcolormesh(
        x, y, K, cmap="inferno", norm=LogNorm(K.max() / 1e3, K.max()), rasterized=True
    )
    figure.colorbar(image, ax=axes, label=r"sheet current [$\Gamma/r^2$]")
    Kx, Ky = currents.T.reshape(2, *x.shape)
    axes.streamplot(x, y, Kx, Ky, color="w", linewidth=0.7, density=1.1, arrowsize=0.8)
    for impurity in pair:
        center, step = np.array(impurity.position), np.array([0.18, 0.0])
        style = {"arrowstyle": "simple", "color": "deepskyblue"}
        axes.annotate("", center + step, center - step, arrowprops=style)
    axes.set(aspect="equal", xlabel="$x / r$", ylabel="$y / r$", title="(c) currents, $r = r_0/2$")
    picture = Path("results") / "demo_couplings.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=100)
    print(f"picture: {picture}")
