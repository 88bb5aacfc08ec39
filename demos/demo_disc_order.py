# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # 200 magnetic impurities on a disc
#
# On the infinite film two moments couple by $\mathsf T(\mathbf r) = -J^*\nabla\nabla V(r)$ with the
# Keldysh potential $V$. There is no such formula for a disc as large as the Pearl length, because
# currents turn back at the edge. This changes the couplings and gives each impurity an anisotropy
# $\mathsf T_{ii}$. Here are the ground states with both kinds of couplings, for the same random
# positions.
#
# **Equations.** The potential of a point impurity is $\psi = \psi_\infty + \psi_r$: the exact one
# of the infinite film and a smooth rest. Only the rest has to be solved for
# (`pearlfem/formulation/stream/point_lifts.py`):
#
# $$\mathsf T_{ij} = \mathsf T^\mathrm{Keldysh}_{ij} - 2B(\psi_{r,i},\psi_{r,j})
# - \frac4\kappa\int_{\text{plane off the film}}
# \nabla\psi_{\infty,i}\cdot\nabla\psi_{\infty,j}\,dS ,$$
#
# with the weak form $B(u,v) = \int_{z>0}\mu_0\nabla u\cdot\nabla v\,dV +
# \int_\Gamma\frac2\kappa\nabla_su\cdot\nabla_sv\,dS$ of `pearlfem/formulation/stream/forms.py`. One
# operator serves all 400 loads.

# %%
from pathlib import Path

import matplotlib
from mpi4py import MPI

import pearlfem

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from pearlfem.analytic import infinite_film
from pearlfem.magnetism import energy, ground_state, mean_moment, net_moment, vorticity

comm = MPI.COMM_WORLD
study = pearlfem.read_study(Path(__file__).parent / "disc_order.toml")
impurities = study.impurities
positions = np.array([impurity.position for impurity in impurities])
n = len(impurities)

# %% [markdown]
# ## Solve
# Elements of degree 2 on cells twice as large as by default keep this demo short. The energy of the
# ground state is still within 1e-4 of that of `pearlfem order demos/disc_order.toml`.

# %%
mesh = pearlfem.create_mesh(study.film, impurities, resolution=0.5)
problem = pearlfem.MaxwellLondon(study.film, mesh, degree=2)
T = pearlfem.interaction_tensor(problem.solve_each(impurities))
problem.destroy()

infinite = infinite_film.interaction_tensor(positions, study.film.pearl_length)
infinite[range(n), range(n)] = 0.0  # infinite, but the same for all directions of the moment

# %% [markdown]
# ## Ground states
# The minimiser runs on one rank and takes a few seconds. The lower bound needs no search.

# %%
if comm.rank == 0:
    on_disc, without_edge = (ground_state(tensor, starts=4, kicks=1) for tensor in (T, infinite))
    wrong = energy(T, without_edge.angles)
    print(f"{n} impurities, {problem.dofs:,} dofs, {2 * n} loads")
    print(f"disc:          F = {on_disc.energy:.4f} >= {on_disc.lower_bound:.4f} for any state")
    print(f"infinite film: F = {without_edge.energy:.4f}; on the disc its moments have {wrong:.4f}")
    for name, state in (("disc", on_disc), ("infinite film", without_edge)):
        print(
            f"{name}: net moment {net_moment(state.angles):.3f}, "
            f"vorticity {vorticity(state.angles, positions):+.3f}"
        )

# %% [markdown]
# ## Laws
# The tensor is symmetric. The edge lowers every energy: its part of the tensor is negative as a
# quadratic form. No state is below its lower bound. The ground state of the infinite film's
# couplings has a higher energy on the disc than the disc's own.

# %%
flat = T.transpose(0, 2, 1, 3).reshape(2 * n, 2 * n)
assert np.abs(flat - flat.T).max() <= 1e-8 * np.abs(flat).max()
change = (T - infinite).transpose(0, 2, 1, 3).reshape(2 * n, 2 * n)
assert np.linalg.eigvalsh(change).max() < 1e-3 * np.abs(np.linalg.eigvalsh(change)).max()
if comm.rank == 0:
    assert on_disc.lower_bound <= on_disc.energy < wrong
    assert without_edge.lower_bound <= without_edge.energy

# %% [markdown]
# ## Picture
# Left and middle: both states; the colour of a moment shows its direction. Right: what the edge
# adds to the self-energy, against the distance from the edge. Without screening a straight edge
# adds $-J^*/8x^2$ for every direction of the moment (line). With screening a moment along the
# edge's normal has less energy than one along the edge.

# %%
if comm.rank == 0:
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.8), layout="constrained")
    states = (("on the disc", on_disc), ("couplings of the infinite film", without_edge))
    for axis, (title, state) in zip(axes, states, strict=False):
        axis.add_patch(plt.Circle((0, 0), 1.0, fill=False, color="gray"))
        arrows = np.column_stack([np.cos(state.angles), np.sin(state.angles)])
        axis.quiver(
            *positions.T, *arrows.T, state.angles, cmap="hsv", clim=(-np.pi, np.pi),
            pivot="middle", scale=22, width=0.006,
        )  # fmt: skip
        axis.arrow(0, 0, *0.9 * mean_moment(state.angles), color="black", width=0.012, zorder=3)
        axis.set(title=f"{title}: net moment {net_moment(state.angles):.2f}", aspect="equal")
        axis.set_axis_off()

    J = study.film.pearl_length / (4 * np.pi)
    radii = np.linalg.norm(positions, axis=1)
    normals = positions / radii[:, None]
    along = np.column_stack([-normals[:, 1], normals[:, 0]])
    for directions, label in ((normals, "m along the normal"), (along, "m along the edge")):
        change = 0.5 * np.einsum("ia,iab,ib->i", directions, T[range(n), range(n)], directions)
        axes[2].loglog(1 - radii, -change / J, ".", label=label)
    x = np.geomspace(0.05, 1.0, 50)
    axes[2].loglog(x, 1 / (8 * x**2), "k-", lw=1, label="$1/8x^2$")
    axes[2].set(xlabel="distance x from the edge / $r_0$", ylabel="lowered self-energy / $J^*$")
    axes[2].legend()
    picture = Path("results") / "demo_disc_order.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=100)
    print(f"picture: {picture}")
