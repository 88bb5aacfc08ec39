"""Pearl length and strength of impurities from the parameters of a material, at T = 0, in SI.

A superfluid weight D [J] gives κ = e²D/ħ² [1/H] and the Pearl length r0 = 2/(μ0 κ). An impurity of
moment |m| with the exchange interaction J0 m·σ δ(r) drives the anomalous current Γ m × ẑ, and

    J* = Γ²/(2πκ)   [J m²]

is the scale of the couplings: J∥ ≈ J⊥ ≈ J*/r² for r ≪ r0.

``DiracSurface`` and ``RashbaLayer`` are clean and have an s-wave gap. Their D and Γ are the uniform
(q → 0) linear response of the Bogoliubov–de Gennes Hamiltonian to a vector potential and to an
exchange field, minus the same response of the normal state where that must vanish. So they hold to
first order in J0, and for distances well above the range of the response: the decay length ħv_F/Δ
of the pair propagator, which is π times the coherence length, and the Fermi wavelength 2π/k_F.

Temperature: on a Dirac surface Γ/κ = ħJ0|m|/(e ħv) at any temperature, because exchange field and
vector potential enter the Hamiltonian in the same way; D(T) is D(0) w with the clean weight w of
``pearlfem.analytic.bcs`` for Δ ≪ μ (where Δ/μ = 1/3 at T = 0, as in Fe(Se,Te), D(T) is 2 % above
that at Tc/2 and 10 % near Tc). In a Rashba layer D(T) is D(0) w, and the bracket of Γ becomes

    g(T) = πT Σ_n Δ²(αk_F)² / {(ω_n² + Δ²)^{3/2} [ω_n² + Δ² + (αk_F)²]}      (n over all integers)

which is g(0) w only where αk_F ≫ Δ(0). For αk_F = 10 Δ(0) Γ(T) is 1.3 % smaller than Γ(0) w at
0.9 Tc; for αk_F = Δ(0) 11 % at Tc/2 and 34 % at 0.9 Tc; for αk_F = 0.1 Δ(0) 21 % and 50 %.

Paper: Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023). The formulas were derived anew and
agree with the response of the Hamiltonians integrated over momenta (tests/references/bdg.py).
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import AfterValidator
from pydantic.dataclasses import dataclass
from scipy import constants

from pearlfem.analytic import infinite_film
from pearlfem.analytic.infinite_film import Couplings
from pearlfem.quantities.annotated import FORBID_EXTRA, Finite, Positive, not_zero
from pearlfem.quantities.units import in_si

Energy = Annotated[Positive, in_si("J")]
Mass = Annotated[Positive, in_si("kg")]
Velocity = Annotated[Positive, in_si("J*m")]  # times ħ
SpinOrbit = Annotated[Finite, AfterValidator(not_zero), in_si("J*m")]
Exchange = Annotated[Finite, AfterValidator(not_zero), in_si("J*m^2")]

_E, _HBAR, _MU0 = float(constants.e), float(constants.hbar), float(constants.mu_0)


class ValidityWarning(UserWarning):
    """A formula is used outside its range of validity."""


class Material(ABC):
    """A superconducting layer with magnetic impurities on it, at T = 0."""

    @property
    @abstractmethod
    def stiffness(self) -> float:
        """D [J], the superfluid weight: the free energy per area is ½ D (e/ħ)² A²."""

    @property
    @abstractmethod
    def strength(self) -> float:
        """Γ [A m] of one impurity, with the sign of its exchange."""

    @property
    @abstractmethod
    def coherence_length(self) -> float:
        """Length ξ = ħv_F/(πΔ) [m] of the clean limit, over which an anomalous current spreads."""

    @property
    @abstractmethod
    def fermi_wavelength(self) -> float:
        """λ_F = 2π/k_F [m], of the smallest Fermi circle."""

    @property
    def response_range(self) -> float:
        """Range [m] of the response to a point: the larger one of πξ = ħv_F/Δ and λ_F.

        Nearer than this the response depends on the wave number, and Γ and D are not enough.
        """
        return max(math.pi * self.coherence_length, self.fermi_wavelength)

    @property
    def superfluid_weight(self) -> float:
        """κ = e²D/ħ² [1/H], in K = −κ (A + a − ∇χ)."""
        return (_E / _HBAR) ** 2 * self.stiffness

    @property
    def pearl_length(self) -> float:
        """Pearl length r0 = 2/(μ0 κ) [m]."""
        return 2.0 / (_MU0 * self.superfluid_weight)

    @property
    def coupling_constant(self) -> float:
        """J* = Γ²/(2πκ) [J m²]."""
        return self.strength**2 / (2.0 * math.pi * self.superfluid_weight)


@dataclass(frozen=True, config=FORBID_EXTRA)
class DiracSurface(Material):
    """The surface state of a topological insulator or superconductor: H0 = ħv (k × σ)_z − μ.

        D = (1/4π) [E + (Δ²/μ) ln((μ + E)/Δ)],   E = √(μ² + Δ²)
        Γ = e D J0|m| / (ħ · ħv)

    D → μ/4π for Δ ≪ μ (the Drude weight of the cone), D → Δ/2π for μ ≪ Δ. An exchange field h in
    the plane acts like the vector potential (ħ/e)(h × ẑ)/ħv: hence Γ/κ = ħJ0|m|/(e ħv), and
    J* = (D/2π)(J0|m|/ħv)².

    Numbers are in SI, texts have a unit of their own, such as "0.216 eV*angstrom".

    Args:
        velocity: ħv [J m].
        chemical_potential: μ [J], from the Dirac point, > 0.
        gap: Δ [J] at T = 0.
        exchange: J0 [J m²], of either sign, not zero.
        moment: |m|, in the unit for which J0 is.

    Raises:
        pydantic.ValidationError: A value out of range, or of a wrong dimension (a ``ValueError``).

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023): H0, and a Γ from the T matrix.
    """

    velocity: Velocity
    chemical_potential: Energy
    gap: Energy
    exchange: Exchange
    moment: Positive = 1.0

    @property
    def stiffness(self) -> float:
        """D [J]."""
        mu, ratio = self.chemical_potential, self.chemical_potential / self.gap
        # (Δ²/μ) ln((μ + E)/Δ) = Δ asinh(μ/Δ)/(μ/Δ)
        return (math.hypot(mu, self.gap) + self.gap * math.asinh(ratio) / ratio) / (4.0 * math.pi)

    @property
    def strength(self) -> float:
        """Γ [A m]."""
        return _E / _HBAR * self.stiffness * self.exchange * self.moment / self.velocity

    @property
    def coherence_length(self) -> float:
        """ξ = ħv/(πΔ) [m]."""
        return self.velocity / (math.pi * self.gap)

    @property
    def fermi_wavelength(self) -> float:
        """λ_F = 2πħv/μ [m]."""
        return 2.0 * math.pi * self.velocity / self.chemical_potential


@dataclass(frozen=True, config=FORBID_EXTRA)
class RashbaLayer(Material):
    """A clean electron gas with Rashba coupling: H0 = ħ²k²/2M + α (k × σ)_z − μ.

        Γ = (e/ħ) J0|m| (Mα/2πħ²) g,   g = 1 − asinh y / (y √(1 + y²)),   y = αk_F/Δ
        D = ħ²k_F²/(2πM) + (Mα²/2πħ²) (2 − g),   k_F = √(2Mμ)/ħ

    for Δ ≪ μ: corrections are of order (Δ/μ)². g → 2y²/3 for y ≪ 1 and 1 for y ≫ 1. D is the
    diamagnetic weight ħ²n/M minus the contribution of transitions between the helicity bands;
    μ > 0 is measured from their crossing point.

    Numbers are in SI, texts have a unit of their own, such as "0.1 electron_mass".

    Args:
        mass: M [kg].
        rashba: α [J m], of either sign, not zero; Γ has its sign times that of J0.
        chemical_potential: μ [J].
        gap: Δ [J] at T = 0.
        exchange: J0 [J m²], of either sign, not zero.
        moment: |m|, in the unit for which J0 is.

    Raises:
        pydantic.ValidationError: A value out of range, or of a wrong dimension (a ``ValueError``).

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), for the idea.
    """

    mass: Mass
    rashba: SpinOrbit
    chemical_potential: Energy
    gap: Energy
    exchange: Exchange
    moment: Positive = 1.0

    @property
    def stiffness(self) -> float:
        """D [J]."""
        spin_orbit_energy = self.mass * (self.rashba / _HBAR) ** 2
        return (2.0 * self.chemical_potential + spin_orbit_energy * (2.0 - self._interband)) / (
            2.0 * math.pi
        )

    @property
    def strength(self) -> float:
        """Γ [A m]."""
        wave_number = self.mass * self.rashba / (2.0 * math.pi * _HBAR**2)
        return _E / _HBAR * self.exchange * self.moment * wave_number * self._interband

    @property
    def coherence_length(self) -> float:
        """ξ = ħv_F/(πΔ) [m], v_F = √(2μ/M + α²/ħ²) of both helicity bands."""
        velocity = math.hypot(
            math.sqrt(2.0 * self.chemical_potential / self.mass), self.rashba / _HBAR
        )
        return _HBAR * velocity / (math.pi * self.gap)

    @property
    def fermi_wavelength(self) -> float:
        """λ_F = 2π/(√(k_F² + k_α²) − k_α) [m], k_α = Mα/ħ², of the smaller helicity band."""
        spin_orbit = self.mass * abs(self.rashba) / _HBAR**2
        momentum = math.sqrt(2.0 * self.mass * self.chemical_potential) / _HBAR
        # √(k² + a²) − a without cancellation
        return 2.0 * math.pi * (math.hypot(momentum, spin_orbit) + spin_orbit) / momentum**2

    @property
    def _interband(self) -> float:
        """The bracket g."""
        momentum = math.sqrt(2.0 * self.mass * self.chemical_potential) / _HBAR
        y = abs(self.rashba) * momentum / self.gap
        if y < 1e-2:  # where the difference cancels; the next term is −128y⁸/315
            return y**2 * (2.0 / 3.0 - y**2 * (8.0 / 15.0 - y**2 * 16.0 / 35.0))
        return 1.0 - math.asinh(y) / (y * math.hypot(1.0, y))


FE_SE_TE = DiracSurface(
    velocity=0.216 * constants.eV * constants.angstrom,
    chemical_potential=4.5e-3 * constants.eV,
    gap=1.5e-3 * constants.eV,
    exchange=50e-3 * constants.eV * (0.4 * constants.nano) ** 2,
    moment=5.0,
)
"""Iron impurities on the surface state of Fe(Se,Te).

ħv = 0.216 eV Å, μ = E_F = 4.5 meV, Δ = 1.5 meV, |m| = 5, J0 = 50 meV × (0.4 nm)²: the values that
Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023) take from K. Jiang, X. Dai, Z. Wang, Phys.
Rev. X 9, 011033 (2019) and V. Thampy et al., Phys. Rev. Lett. 108, 107002 (2012).

They give D = 0.450 meV, κ = 1.66e8/H, r0 = 9.6 mm, Γ = 2.03e-16 A m and couplings of 2.45 μeV at
10 nm; the paper has "of the order of meV" there. This is linear response of the surface state
only: the bulk of a crystal screens more, 10 nm is less than ħv/Δ = 14 nm and λ_F = 30 nm, and
J0|m| = 1.9 nm × ħv is treated to first order (demos/demo_iron_selenide.py has the T matrix).
"""


def pair_couplings(
    material: Material, distance: ArrayLike, sample_size: float = math.inf
) -> Couplings:
    """Couplings J⊥ and J∥ [eV] of two point impurities on an infinite film of a material.

    F = J⊥ m1⊥ m2⊥ − J∥ m1∥ m2∥, with components along and perpendicular to the line between them.

    Args:
        material: Film and impurities.
        distance: r [m], any shape, > 0.
        sample_size: Size [m] of the real film, for a warning.

    Returns:
        J⊥ and J∥ [eV], each of the shape of ``distance``.

    Raises:
        ValueError: A distance or the size is not positive, or not a number.

    Warns:
        ValidityWarning: Distances below the range of the response (``Material.response_range``), or
            a Pearl length beyond the size.

    References:
        Lu, Tokatly, Bergeret, Phys. Rev. B 108, L180506 (2023), Eqs. (8) and (9).
    """
    r, r0 = np.asarray(distance, dtype=np.float64), material.pearl_length
    if not np.all(r > 0):
        raise ValueError(f"distance = {distance!r}: every entry must be > 0")
    if not sample_size > 0:
        raise ValueError(f"sample_size = {sample_size!r}: must be a number > 0")
    _warn_of_limits(material, float(r.min(initial=math.inf)), sample_size)
    # In units of r0, where J* is 1/4π
    scale = 4.0 * math.pi * material.coupling_constant / r0**2 / constants.eV
    reduced = infinite_film.couplings(r / r0)
    return Couplings(scale * reduced.perpendicular, scale * reduced.parallel)


def _warn_of_limits(material: Material, nearest: float, sample_size: float) -> None:
    """Warn if couplings of points on an infinite film do not hold for these lengths."""
    if nearest < material.response_range:
        overlap = nearest < material.coherence_length
        warnings.warn(
            f"distance {nearest:.3g} m < {material.response_range:.3g} m, the larger one of "
            f"ħv_F/Δ = {math.pi * material.coherence_length:.3g} m and the Fermi wavelength "
            f"{material.fermi_wavelength:.3g} m: the uniform linear response is stretched"
            + ", and anomalous currents overlap (other couplings matter)"
            * overlap,
            ValidityWarning,
            stacklevel=3,
        )
    if material.pearl_length > sample_size:
        warnings.warn(
            f"Pearl length {material.pearl_length:.3g} m > sample size {sample_size:.3g} m: its "
            "edges, not the screening, end the couplings; solve for the device instead",
            ValidityWarning,
            stacklevel=3,
        )
