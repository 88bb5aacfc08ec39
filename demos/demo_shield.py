# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # A shield near the film
#
# A superconducting plate at the distance $L$ above the film lets no flux through: $B_z = 0$ there.
# It screens the magnetic field through which supercurrents couple the impurities' moments. In the
# energy of an infinite film, $q r_0/(1 + q r_0)$ becomes
#
# $$\frac{q r_0\,c}{1 + q r_0\,c},\qquad c = \frac{1 + \coth qL}{2},$$
#
# where $c$ is the mean of the open side (1) and the shielded one. As $L\to 0$ the fraction goes to
# 1: the currents no longer feel their own field. This is the limit $r_0\to\infty$, where both
# couplings are equal.
#
# The film is not in the middle of space here, so both sides of it are meshed.

# %%
from pathlib import Path

import matplotlib
from mpi4py import MPI

import pearlfem

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from pearlfem.analytic import between_walls, infinite_film
from pearlfem.observables.energy import tensor_bracket

comm = MPI.COMM_WORLD
size, r = 0.1, 0.5
film = pearlfem.Film(pearlfem.Plane(), pearl_length=1.0)
pair = [pearlfem.Impurity((x, 0.0), size=size) for x in (-r / 2, r / 2)]
below = 10.0  # distance of a second wall, too far away to matter

# %% [markdown]
# ## Both formulations, for three distances
# The box is infinite along $x$ and $y$, so there are walls above and below only. The mesh ends at
# `far`; the conditions there err on the safe side in both formulations, so their bracket also holds
# for infinite walls.

# %%
distances = (0.25, 0.6, 1.5)
brackets = []
for above in distances:
    walls = pearlfem.Walls(
        "shield", (np.inf, np.inf, above + below), (0.0, 0.0, (above - below) / 2)
    )
    mesh = pearlfem.create_mesh(film, pair, boundary=walls, resolution=0.5, far=12.0, comm=comm)
    tensors = []
    for formulation in ("stream", "vector"):
        problem = pearlfem.MaxwellLondon(film, mesh, 2, formulation)
        tensors.append(pearlfem.interaction_tensor(problem.solve_each(pair)))
        problem.destroy()
    brackets.append(tensor_bracket(*tensors))

# %% [markdown]
# ## Compare with the exact couplings


# %%
def exact(above):
    """Return T_xx and T_yy of the pair."""
    J = between_walls.couplings(
        r, 1.0, (1, 1), (size, size), wall="shield", above=above, below=below
    )
    return -float(J.parallel), float(J.perpendicular)


for above, bracket in zip(distances, brackets, strict=True):
    for a, value in enumerate(exact(above)):
        lower, upper = bracket.lower[0, 1, a, a], bracket.upper[0, 1, a, a]
        assert lower <= value <= upper
        assert abs((lower + upper) / 2 - value) < 0.01 * abs(value)
        if comm.rank == 0:
            name = f"T_{'xy'[a] * 2} at L = {above:4.2f}"
            print(f"{name}: {lower:+.5f} <= {value:+.5f} <= {upper:+.5f}")

# %%
if comm.rank == 0:
    line = np.geomspace(0.05, 5, 60)
    curves = np.array([exact(above) for above in line])
    open_space = infinite_film.couplings(r, 1.0, sizes=(size, size))
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    for a, (label, sign, color, limit) in enumerate(
        (
            (r"$J_\parallel$", -1, "tab:red", open_space.parallel),
            (r"$J_\perp$", 1, "tab:blue", open_space.perpendicular),
        )
    ):
        axes.semilogx(line, sign * curves[:, a], color=color, label=f"{label} exact")
        axes.axhline(float(limit), color=color, linewidth=0.8, linestyle=":")
        lower, upper = (
            np.array([side[0, 1, a, a] for side in b]) for b in zip(*brackets, strict=True)
        )
        middle = sign * (lower + upper) / 2
        axes.errorbar(
            distances,
            middle,
            (upper - lower) / 2,
            fmt="o",
            color=color,
            mfc="none",
            capsize=4,
            label=f"{label} guaranteed bracket",
        )
    axes.set(xlabel="distance of the shield $L/r_0$", ylabel=r"coupling $[\mu_0\Gamma^2/r_0]$")
    axes.set_title("two impurities half a Pearl length apart; dotted: no shield")
    axes.legend(frameon=False)
    picture = Path("results") / "demo_shield.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=150)
    print(f"picture: {picture}")
