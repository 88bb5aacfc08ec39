# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # How a lattice of impurities orders, and what temperature changes
#
# Fig. 3 of [1]: impurities on a rhombic lattice, $|a_1| = |a_2| = d = r_0(0)/50$ with the angle
# $\theta$ between them, form a ferromagnet near the triangular lattice (60°) and a layered
# antiferromagnet near the square one (90°).
#
# **Published.** At $T = 0$ the triangular lattice is ferromagnetic and the square one
# antiferromagnetic. As the temperature rises the Pearl length grows, and $J_\parallel - J_\perp$
# falls relative to $J_\parallel + J_\perp$. This suggests a transition to the antiferromagnet at
# some finite temperature, and [1] shows a numerical phase diagram. It is shaded close to $T_c$,
# where there may be "numerical uncertainties due to the finite-size effect".
#
# **Found here.** Both statements for $T = 0$ hold, with the boundary at $\theta_c = 79.137°$. But
# on the infinite lattice $\theta_c$ hardly depends on the temperature: it moves by 0.0015° up to
# $T_c$. If the sums over pairs end at a fixed radius $R_c$, however, the boundary bends and the
# ferromagnet is lost on heating.
#
# **Why.** For $r \ll r_0$ the interaction falls as $1/r^2$, so distant pairs matter. If the sites
# are spread evenly, all pairs beyond $R_c$ give the ferromagnet
#
# $$E_{\rm tail} = \frac{\pi J^*}{2\,\mathrm{area}}\,R_cV'(R_c)
# \to -\frac{\pi J^*}{2\,\mathrm{area}} \quad (R_c\ll r_0), \qquad
# \to -\frac{\pi J^*}{2\,\mathrm{area}}\,\frac{r_0}{R_c} \quad (R_c\gg r_0),$$
#
# and alternating states nearly nothing. With growing $r_0$ the difference $J_\parallel - J_\perp$
# becomes smaller but reaches farther, by the same factor. In the sum the two effects cancel, as
# long as the lattice is larger than $r_0(T)$. Once $r_0(T)$ exceeds $R_c/5$ even the triangular
# lattice is no ferromagnet any more. So this transition is an effect of finite size, and does not
# exist in the thermodynamic limit. We do not know how the sums of [1] were done: the curves below
# show such a transition, but are not meant to lie on the published ones. And a cut-off is not the
# same as a finite film: the edges of a real film change the couplings as well.
#
# Energies are in $J^*/d^2$. Temperature enters only through the superfluid weight $w$ of a clean
# BCS superconductor, $r_0(T) = r_0(0)/w$ and $J^*(T) = J^*(0)\,w$; the moments do not fluctuate.
#
# [1] Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Fig. 3.

# %%
from itertools import pairwise
from pathlib import Path

import matplotlib
from mpi4py import MPI

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import brentq
from scipy.special import struve, yv

from pearlfem.analytic import bcs, infinite_film, lattice

comm = MPI.COMM_WORLD
r0 = 50.0  # r0(0)/d
temperatures = np.sort([*np.linspace(0, 0.9, 46), *1 - np.geomspace(0.09, 1e-3, 20)])  # T/Tc
weights = bcs.clean_weight(temperatures)


def say(text):
    if comm.rank == 0:
        print(text)


# %% [markdown]
# ## Two states
# Which of the two is lower, and is there a third state below them? There is none: the bound of
# Luttinger and Tisza over all wave vectors is the energy of the lower one.

# %%
for angle, name in ((60.0, "FM"), (75.0, "FM"), (79.3, "AFM"), (90.0, "AFM")):
    sites = lattice.rhombic_lattice(angle)
    for scale in (r0, 50 * r0):  # T = 0, and close to Tc
        energies = {
            "FM": lattice.ferromagnet(sites, scale).energy,
            "AFM": lattice.layered_antiferromagnet(sites, scale).energy,
        }
        assert min(energies, key=energies.get) == name
        assert abs(energies[name] - lattice.luttinger_tisza(sites, scale).bound) < 1e-9
        say(
            f"{angle}°, r0 = {scale:4.0f} d: "
            + ", ".join(f"{k} {energies[k]:.5f}" for k in energies)
        )

# %% [markdown]
# ## Couplings against temperature
# At the distance $r = r_0(0)/2$. Two checks: Struve and Bessel functions written out at $T = 0$;
# and near $T_c$, where nothing is screened, both couplings are $J^*(0)\,w/r^2$.

# %%
r = 0.5  # in r0(0)
pairs = np.array(
    [infinite_film.couplings(r, 1 / w, strengths=(w, w)) for w in weights]  # Γ ∝ w, r0 ∝ 1/w
)
J_perpendicular, J_parallel = (pairs / pairs[0, 0]).T
slope = 1 - np.pi / 2 * (struve(1, r) - yv(1, r))  # V', with V = (π/2)(H0 − Y0)
curvature = -np.pi / 2 * (struve(0, r) - yv(0, r) - (struve(1, r) - yv(1, r)) / r)
ratio = -curvature * r / slope
say(f"T = 0: J∥/J⊥ = {J_parallel[0]:.5f}, from Struve functions {ratio:.5f}")
assert np.isclose(J_parallel[0], ratio, rtol=1e-9)
assert np.all(np.diff(J_parallel) <= 1e-12)
assert np.all(J_parallel > J_perpendicular)
assert np.allclose(pairs[-1] / (weights[-1] / (4 * np.pi * r**2)), 1, atol=5e-3)

# %% [markdown]
# ## The boundary on the infinite lattice

# %%
limit = np.array([lattice.critical_angle(r0 / w) for w in weights])
assert abs(limit[0] - 79.1367) < 2e-4
assert np.ptp(limit) < 1.6e-3
assert abs(lattice.critical_angle(np.inf) - limit[-1]) < 1e-5
say(f"θ_c = {limit[0]:.4f}° at T = 0 and {limit[-1]:.4f}° at {temperatures[-1]:.3f} Tc")

# %% [markdown]
# ## The boundary of sums that end at $R_c$
# The cut sum is the full sum minus its tail. Below $R_c \approx 4.9\,r_0$ (4.92 at $r_0 = 50\,d$,
# 4.90 at $100\,d$) the missing tail makes the
# triangular lattice an antiferromagnet. A plain sum over pairs confirms this.


# %%
def advantage(angle, pearl_length, cutoff=np.inf):
    """Return E_FM − E_AFM per impurity of an infinite lattice, or with sums up to a radius."""
    sites = lattice.rhombic_lattice(angle)
    tail = lattice.continuum_tail(sites, [cutoff], pearl_length)[0] if cutoff < np.inf else 0.0
    ferromagnet = lattice.ferromagnet(sites, pearl_length).energy - tail
    return ferromagnet - lattice.layered_antiferromagnet(sites, pearl_length).energy


def boundary(pearl_length, cutoff):
    """Return θ_c [degrees]; NaN where even the triangular lattice is antiferromagnetic."""
    if advantage(60.0, pearl_length, cutoff) > 0:
        return np.nan
    return brentq(advantage, 60.0, 90.0, (pearl_length, cutoff))


flip = brentq(lambda R: advantage(60.0, r0, R), r0, 10 * r0)
triangular = lattice.rhombic_lattice(60.0)
radii = np.linspace(0.5, 7.0, 261) * r0
summed = lattice.truncated_ferromagnet(
    triangular, radii, r0
) - lattice.truncated_layered_antiferromagnet(triangular, radii, r0)
formula = np.array([advantage(60.0, r0, R) for R in radii])
# Sites on the rim of the circle make the sums jump: compare means over 21 radii.
smooth, mean = (np.convolve(values, np.ones(21) / 21, "valid") for values in (summed, formula))
crossing = np.interp(0.0, -smooth, radii[10:-10])
say(f"triangular lattice: flips at R_c = {flip / r0:.3f} r0, sum over pairs {crossing / r0:.3f} r0")
assert abs(flip / r0 - 4.92) < 0.01
assert abs(crossing / r0 - 4.92) < 0.05
say(f"cut sums less tail: within {abs(smooth - mean).max():.1e} of sums over pairs")
assert np.allclose(smooth, mean, atol=1e-3)

cutoffs = (5, 10, 20, 100)  # R_c/r0(0)
boundaries = {R: np.array([boundary(r0 / w, R * r0) for w in weights]) for R in cutoffs}
lost = {}  # where R_c is about 4.9 r0(T)
for R, curve in boundaries.items():
    lost[R] = brentq(lambda T, R=R: bcs.clean_weight(T) * R * r0 - flip, 0.1, 0.9999)
    ferromagnetic = np.isfinite(curve)
    assert np.array_equal(ferromagnetic, temperatures < lost[R])
    assert np.all(np.diff(curve[ferromagnetic]) <= 1e-9)  # it bends to smaller angles
    say(f"R_c = {R:3d} r0(0): θ_c = {curve[0]:.2f}° at T = 0, no FM above {lost[R]:.3f} Tc")
for small, large in pairwise([*boundaries.values(), limit]):
    assert np.all(small[np.isfinite(small)] < large[np.isfinite(small)])

# %% [markdown]
# Without the magnetic field ($r_0 = \infty$) any cut-off leaves out the whole tail, and the lattice
# is antiferromagnetic at all angles, as [1] says.

# %%
assert all(advantage(angle, np.inf, r0) > 0 for angle in np.linspace(60, 90, 31))

# %% [markdown]
# ## Picture

# %%


def draw(axes, state, signs, title):
    """Draw the moments of a lattice of 70°."""
    (a, b), m = lattice.rhombic_lattice(70.0).vectors, state.moment * np.sign(state.moment[0])
    for j in range(4):
        for i in range(5):
            place, moment = i * a + j * b, m * signs[j]
            axes.plot(*place, "o", color="0.6", markersize=5)
            arrow = {"arrowstyle": "-|>", "color": "C3" if signs[j] > 0 else "C0", "lw": 2}
            axes.annotate("", place + 0.38 * moment, place - 0.38 * moment, arrowprops=arrow)
    axes.set(aspect="equal", xlim=(-0.7, 5.7), ylim=(-0.6, 3.4), title=title)
    axes.axis("off")


if comm.rank == 0:
    figure, panels = plt.subplot_mosaic(
        [["a", "b", "c"], ["d", "d", "e"]], figsize=(14, 8.4), layout="constrained"
    )
    shown = lattice.rhombic_lattice(70.0)
    draw(panels["a"], lattice.ferromagnet(shown, r0), (1, 1, 1, 1), "(a) ferromagnet")
    draw(
        panels["b"],
        lattice.layered_antiferromagnet(shown, r0),
        (1, -1, 1, -1),
        "(b) layered antiferromagnet",
    )
    axes = panels["c"]
    axes.plot(temperatures, J_parallel, "C3", label=r"$J_\parallel$")
    axes.plot(temperatures, J_perpendicular, "C0", label=r"$J_\perp$")
    axes.set(xlabel="$T / T_c$", ylabel=r"$J(T) / J_\perp(0)$", xlim=(0, 1), ylim=(0, None))
    axes.set_title("(c) couplings at $r = r_0(0)/2$, clean limit")
    axes.legend(frameon=False)

    axes = panels["d"]
    axes.plot(limit, temperatures, "k", lw=2.5, label="infinite lattice")
    for k, (R, curve) in enumerate(reversed(boundaries.items())):
        ferromagnetic = np.isfinite(curve)
        axes.plot(
            [*curve[ferromagnetic], 60],
            [*temperatures[ferromagnetic], lost[R]],
            f"C{k}",
            label=f"sums end at $R_c = {R}\\,r_0(0)$",
        )
    axes.text(63, 0.08, "ferromagnet", fontsize=12)
    axes.text(82, 0.5, "layered antiferromagnet", fontsize=12)
    axes.set(xlabel=r"angle $\theta$ [degrees]", ylabel="$T / T_c$", xlim=(60, 90), ylim=(0, 1))
    axes.set_title("(d) boundary, $d = r_0(0)/50$: vertical, unless the sums end somewhere")
    axes.legend(loc="lower right", frameon=False)

    axes = panels["e"]
    axes.plot(radii[::8] / r0, summed[::8], "o", color="0.6", ms=4, label="sum over pairs")
    axes.plot(radii / r0, formula, "C3", label="infinite lattice less tail")
    axes.axhline(advantage(60.0, r0), color="k", ls="--", label="infinite lattice")
    axes.axhline(0, color="k", lw=0.8)
    axes.plot(flip / r0, 0, "ko", mfc="w")
    axes.annotate(f"{flip / r0:.2f}", (flip / r0, 0), (5.1, 0.1))
    axes.set(xlabel="$R_c / r_0$", ylabel=r"$E_{\rm FM} - E_{\rm AFM}$  $[J^*/d^2]$")
    axes.set(title="Why: triangular lattice, sums up to $R_c$", ylim=(-0.4, 1.0))
    axes.legend(frameon=False)
    picture = Path("results") / "demo_lattice_order.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=100)
    print(f"picture: {picture}")
