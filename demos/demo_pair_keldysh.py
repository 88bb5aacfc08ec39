# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Two magnetic impurities and the Keldysh potential
#
# A magnetic impurity on a superconducting film with spin–orbit coupling drives an anomalous current
# $\Gamma\,\mathbf m\times\hat z$. The film answers with supercurrents, and their magnetic field
# fills space. A second impurity feels these currents: the energy of the pair is
#
# $$F_{12} = J_\perp m_{1\perp}m_{2\perp} - J_\parallel m_{1\parallel}m_{2\parallel},\qquad
# J_\perp = -J^* V'(r)/r,\quad J_\parallel = J^* V''(r),\quad J^* = \Gamma^2/2\pi\kappa,$$
#
# with the Keldysh potential $V(r) = \frac{\pi}{2}[H_0(r/r_0) - Y_0(r/r_0)]$ on an infinite film
# (Phys. Rev. B **108**, L180506, Eqs. 6–9). Here finite elements in 3D give the couplings of a row
# of impurities, for many distances at once. They are compared with the exact ones.
#
# **Strong form.** Above the film $\mathbf H = -\nabla\psi$ with $\nabla^2\psi = 0$; on the film the
# sheet current is $\mathbf K = \nabla g\times\hat z$, $g = 2\psi$, and London's equation reads
# $\mathrm{rot}\,\mathbf K + \kappa B_z = -\kappa\,\mathrm{rot}\,\mathbf a$ with the background
# potential $\mathbf a = (\Gamma/\kappa)(\mathbf m\times\hat z) f(\mathbf r-\mathbf r_i)$.
#
# **Weak form**, as coded in `pearlfem/formulation/stream/forms.py`: find $\psi$, zero at the far
# boundary, with
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

from pearlfem.analytic import infinite_film

comm = MPI.COMM_WORLD

# %% [markdown]
# ## Film and impurities
#
# Lengths are in units of the Pearl length $r_0 = 2\lambda^2/d$. The impurities stand on a line;
# every pair of them gives the coupling at one distance.

# %%
size = 0.05
film = pearlfem.Film(pearlfem.Plane(), pearl_length=1.0)
impurities = [pearlfem.Impurity((x, 0.0), size=size) for x in (0.0, 0.2, 0.5, 1.5, 4.0)]

# %% [markdown]
# ## Solve
#
# The mesh is a half ball, graded towards the impurities. The operator is assembled once. Each
# impurity gives two loads: with its moment along $x$, and along $y$.

# %%
mesh = pearlfem.create_mesh(film, impurities, comm=comm)
problem = pearlfem.MaxwellLondon(film, mesh, degree=3)
solutions = problem.solve_each(impurities)
tensor = pearlfem.interaction_tensor(solutions)
if comm.rank == 0:
    print(f"{mesh.cells:,} cells, {problem.dofs:,} dofs, {solutions[0].iterations} iterations")

# %% [markdown]
# ## Compare
#
# For a pair along $x$, $T_{xx} = -J_\parallel$ and $T_{yy} = J_\perp$. The exact couplings are also
# for Gaussian impurities of this width, not for points.

# %%
x = np.array([impurity.position[0] for impurity in impurities])
i, j = np.triu_indices(len(x), k=1)
r = np.abs(x[i] - x[j])
fem = infinite_film.Couplings(tensor[i, j, 1, 1], -tensor[i, j, 0, 0])
exact = infinite_film.couplings(r, sizes=(size, size))
errors = np.abs(np.array(fem) / np.array(exact) - 1)
if comm.rank == 0:
    print("   r/r0   J_perp FEM    exact         J_par FEM     exact")
    for k in np.argsort(r):
        numbers = (fem.perpendicular[k], exact.perpendicular[k], fem.parallel[k], exact.parallel[k])
        print(f"{r[k]:7.3f}  " + "  ".join(f"{number:12.6e}" for number in numbers))
    print(f"largest relative difference: {errors.max():.1e}")
assert errors.max() < 1e-4

# %% [markdown]
# $J_\parallel > J_\perp$ wherever the profiles do not overlap: the pair is ferromagnetic along its
# axis. Without the magnetic field ($r_0\to\infty$) the two would be equal. Eq. (10), the elementary
# approximation, is good to about 10 %. At $r = 4\xi$ the profiles overlap, which weakens
# $J_\parallel$.

# %%
apart = r > 5 * size
assert np.all(fem.parallel[apart] > fem.perpendicular[apart])

if comm.rank == 0:
    line = np.geomspace(0.18, 4.5, 200)
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    curves = infinite_film.couplings(line, sizes=(size, size))
    guesses = infinite_film.elementary_couplings(line)
    for name, symbol, color in (
        ("parallel", r"$J_\parallel$", "tab:red"),
        ("perpendicular", r"$J_\perp$", "tab:blue"),
    ):
        axes.loglog(line, getattr(curves, name), color=color, label=f"{symbol} exact")
        axes.loglog(line, getattr(guesses, name), color=color, ls=":", label=f"{symbol} Eq. (10)")
        axes.loglog(r, getattr(fem, name), "o", color=color, mfc="none", label=f"{symbol} FEM")
    axes.set_xticks([0.2, 0.5, 1.0, 2.0, 4.0], ["0.2", "0.5", "1", "2", "4"])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(r"distance $r / r_0$")
    axes.set_ylabel(r"coupling $[\mu_0\Gamma^2/r_0]$")
    axes.legend(ncols=2)
    picture = Path("results") / "demo_pair_keldysh.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=150)
    print(f"picture: {picture}")
