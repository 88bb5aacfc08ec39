# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Iron impurities on Fe(Se,Te): how strong is the coupling?
#
# [1] estimates the coupling of two iron impurities on the Dirac surface state of Fe(Se,Te), 10 nm
# apart, as "of the order of meV, comparable with the superconducting gap". The same parameters and
# the formulas below give 2.5 μeV. Here is every step.
#
# **Equations.** Superfluid weight of the Dirac cone, and what follows from it:
#
# $$D = \frac{1}{4\pi}\Big[E + \frac{\Delta^2}{\mu}\ln\frac{\mu+E}{\Delta}\Big],\quad
# E = \sqrt{\mu^2+\Delta^2},\qquad
# \kappa = \frac{e^2D}{\hbar^2},\quad r_0 = \frac{2}{\mu_0\kappa},$$
#
# $$\Gamma = \frac{e}{\hbar}\,D\,\frac{J_0|m|}{\hbar v},\qquad
# J^* = \frac{\Gamma^2}{2\pi\kappa} = \frac{D}{2\pi}\Big(\frac{J_0|m|}{\hbar v}\Big)^2,\qquad
# J_\parallel\approx J_\perp\approx\frac{J^*}{r^2}\quad (r\ll r_0).$$
#
# This is **linear response of the surface state only**. It is uniform response, which is stretched
# at 10 nm: $\hbar v/\Delta$ is 14 nm and the Fermi wavelength 30 nm.
#
# **What we do not know.** [1] takes $\Gamma$ from the T matrix of the impurity, in its supplement,
# which we did not have; the $\Gamma$ used here is of first order in $J_0$ (a T matrix changes it by
# a few percent, see below). We cannot tell where a factor of 1000 may come from: $\Gamma$, $D$,
# units or something else. And we do not claim that the coupling in the material is 2.5 μeV: the
# bulk below the surface is left out, and the parameters are rough.
#
# [1] Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023).

# %%
import warnings
from pathlib import Path

import matplotlib
from mpi4py import MPI

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy import constants

from pearlfem.model.materials import FE_SE_TE, ValidityWarning, pair_couplings

comm = MPI.COMM_WORLD
r = 10.0  # nm
milli_ev = 1e-3 * constants.eV


def say(text, end="\n"):
    if comm.rank == 0:
        print(text, end=end)


# %% [markdown]
# ## Step by step
# Each number by hand in meV and nm, beside that of `pearlfem.model.materials` in SI units.

# %%
velocity, mu, gap = 21.6, 4.5, 1.5  # ħv [meV nm], μ and Δ [meV]
exchange = 50 * 0.4**2 * 5  # J0 |m| [meV nm²]
E = np.hypot(mu, gap)
D = (E + gap**2 / mu * np.log((mu + E) / gap)) / (4 * np.pi)  # meV
kappa = constants.e**2 * D * milli_ev / constants.hbar**2  # 1/H
r0 = 2 / (constants.mu_0 * kappa)  # m
Gamma = constants.e / constants.hbar * D * milli_ev * exchange / velocity * 1e-9  # A m
J_star = D / (2 * np.pi) * (exchange / velocity) ** 2  # meV nm²
coupling = J_star / r**2  # meV

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    couplings = pair_couplings(FE_SE_TE, r * 1e-9)
assert [warning.category for warning in caught] == [ValidityWarning]
say(f"warning: {caught[0].message}\n")
steps = (
    ("D", "meV", D, FE_SE_TE.stiffness / milli_ev),
    ("κ", "1/H", kappa, FE_SE_TE.superfluid_weight),
    ("r0", "mm", r0 * 1e3, FE_SE_TE.pearl_length * 1e3),
    ("Γ", "A m", Gamma, FE_SE_TE.strength),
    ("J*", "μeV nm²", J_star * 1e3, FE_SE_TE.coupling_constant / milli_ev * 1e21),
    ("J∥ at 10 nm", "μeV", coupling * 1e3, couplings.parallel * 1e6),
)
for name, unit, by_hand, computed in steps:
    say(f"{name:12s}{by_hand:12.5g}{computed:12.5g} {unit}")
    assert np.isclose(by_hand, computed, rtol=1e-5)
assert abs(couplings.parallel * 1e6 - 2.455) < 1e-3  # μeV
temperature = couplings.parallel * constants.eV / constants.k * 1e3
say(f"as a temperature: {temperature:.1f} mK; 1 meV is 11.6 K")

# %% [markdown]
# ## What 1 meV would take
# $J = \Gamma^2/2\pi\kappa r^2$, so 1 meV needs a 20 times larger $\Gamma$, or a distance below the
# coherence length, where the formula does not hold. $J_0|m|$ times the density of states of the
# cone, $\mu/2\pi(\hbar v)^2$, is 0.06.
#
# To all orders in $J_0$, for a static moment, the part of the T matrix that is odd in it is
# $V/(1 - g^2V^2)$ with $V = J_0|m|$ and the local Green's function of the cone (without a gap) up
# to a cut-off $\Lambda$,
#
# $$g = -\frac{\mu}{4\pi(\hbar v)^2}\Big[\ln\Big(\frac{\Lambda^2}{\mu^2} - 1\Big)
# + i\pi\Big].$$
#
# With $\Lambda$ of 10 to 100 meV this changes $\Gamma$ by −1 to +3 %. No reading of strong
# scattering gives meV: whatever $V$, $\Lambda$ and resonance, $|{\rm Im}\,g|$ limits the T matrix
# to $4(\hbar v)^2/\mu$. This is 10 times $V$, and $\Gamma$ would have to be 20 times as large.
#
# The Pearl length is millimetres. So the part of the coupling that prefers the ferromagnet,
# $J_\parallel - J_\perp\approx J^*/r\,r_0$, is only a millionth of the whole for a pair at 10 nm.
# In samples smaller than $r_0$ the edges matter more than this.
#
# %%
factor = np.sqrt(1 / coupling)
coherence = FE_SE_TE.coherence_length * 1e9
weakness = exchange * mu / (2 * np.pi * velocity**2)
preference = (couplings.parallel - couplings.perpendicular) / couplings.parallel
say(
    f"1 meV: Γ times {factor:.1f} at 10 nm, or r = {r / factor:.2f} nm; "
    f"coherence length {coherence:.1f} nm"
)
say(f"J0|m| times density of states: {weakness:.3f};  (J∥ − J⊥)/J∥ = {preference:.2e}")
assert abs(factor - 20.2) < 0.1
assert r / factor < coherence < r
assert weakness < 0.1

cone = mu / (4 * np.pi * velocity**2)  # 1/(meV nm²)
cutoffs = np.geomspace(10, 100, 50)  # Λ [meV]
green = -cone * (np.log(cutoffs**2 / mu**2 - 1) + 1j * np.pi)
changes = (1 / (1 - (green * exchange) ** 2)).real
largest = 1 / (np.pi * cone) / exchange
energies = coupling * 1e3 * changes[[0, -1]] ** 2  # μeV
say(f"T matrix: Γ times {changes[0]:.3f} to {changes[-1]:.3f}, so {energies[0]:.2f} to", end=" ")
say(f"{energies[1]:.2f} μeV; at most times {largest:.1f}, {coupling * largest**2:.2f} meV")
assert np.all(np.diff(changes) > 0) and changes[0] > 0.985 and changes[-1] < 1.03
assert largest < factor / 1.9  # whatever the strength of the exchange
assert np.isclose(preference, r * 1e-9 / r0, rtol=1e-2)

# %% [markdown]
# ## Picture

# %%
distances = np.geomspace(coherence, 1e8, 200)  # nm
with warnings.catch_warnings(action="ignore", category=ValidityWarning):  # grey in the picture
    curve = pair_couplings(FE_SE_TE, distances * 1e-9)
stretched = FE_SE_TE.response_range * 1e9
if comm.rank == 0:
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(12, 4.8), width_ratios=(1.5, 1), layout="constrained"
    )
    near = distances < 1e3
    left.loglog(distances[near], curve.parallel[near] * 1e6, "C3", label=r"$J_\parallel(r)$, here")
    left.plot(r, couplings.parallel * 1e6, "C3o")
    left.annotate(f"{couplings.parallel * 1e6:.3f} μeV", (r, 3), (12, 4), color="C3")
    left.errorbar(
        r,
        1000,
        [[700], [2000]],
        fmt="C0s",
        capsize=4,
        label='published, 10 nm: "of the order of meV"',
    )
    left.axhline(1500, color="k", ls=":", lw=1)
    left.text(990, 1500, "gap 1.5 meV", ha="right", va="bottom", fontsize=9)
    left.axvspan(3, coherence, color="0.85")
    left.axvspan(coherence, stretched, color="0.95")
    left.text(stretched * 0.96, 1.5e-4, "below Fermi wavelength", rotation=90, ha="right")
    left.text(coherence * 0.96, 2e-3, "below coherence length", rotation=90, ha="right")
    left.set(xlim=(3, 1e3), ylim=(1e-4, 1e4), xlabel="distance $r$ [nm]")
    left.set(ylabel=r"$J_\parallel$ [μeV]", title="Coupling of two iron impurities on Fe(Se,Te)")
    left.legend(frameon=False, loc="center right")
    right.loglog(distances / 1e6, 1 - curve.perpendicular / curve.parallel, "k")
    right.axvline(r0 * 1e3, color="0.6", ls="--")
    right.text(r0 * 1e3 * 0.8, 1e-6, "$r_0$", ha="right")
    right.plot(r / 1e6, preference, "ko")
    right.set(xlabel="distance $r$ [mm]", ylabel=r"$(J_\parallel - J_\perp)/J_\parallel$")
    right.set_title("The part that prefers the ferromagnet")
    picture = Path("results") / "demo_iron_selenide.png"
    picture.parent.mkdir(exist_ok=True)
    figure.savefig(picture, dpi=100)
    print(f"picture: {picture}")
