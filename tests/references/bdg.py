"""Linear response of clean superconductors with spin–orbit coupling, integrated over momenta.

    H = (h(k) − μ) τ3 + Δ τ1,   h = k²/2M + α (k × σ)_z       (ħ = 1; a Dirac cone has no k²/2M)

The basis takes holes as time-reversed electrons, so vector potentials and exchange fields have the
matrix τ0. The second derivatives of the grand potential per area are
½ Σ_nm V_nm W_mn (f_n − f_m)/(ε_n − ε_m), with the numerical eigenvectors of the 4 × 4 matrices. We
subtract the response of the normal state: the same integral with Δ = 0, at a temperature that
smears the Fermi edge slightly. Its true value is zero, once the diamagnetic term and momenta beyond
the cut-off are included; so both of these cancel in the difference.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

_X = np.array([[0, 1], [1, 0]], dtype=complex)
_Y = np.array([[0, -1j], [1j, 0]])
_ONE, _Z = np.eye(2), np.diag([1.0, -1.0])
_COLD = 50  # Δ/T in place of T = 0: excitations are e^{−50}


class Response(NamedTuple):
    """Current per vector potential, D (e = 1), and current per exchange field."""

    weight: float
    exchange: float


class Bands(NamedTuple):
    """α, μ and 1/M; for a Dirac cone 1/M is 0 and α is the velocity."""

    spin_orbit: float
    mu: float
    inverse_mass: float = 0.0

    def edges(self, width):
        """Ends of panels of k: short at the Fermi momenta, where energies vary by ``width``."""
        a, b = self.spin_orbit, self.inverse_mass
        speed = np.sqrt(a**2 + 2 * self.mu * b)
        fermi = [self.mu / a] if b == 0 else [(speed - a) / b, (speed + a) / b]
        top = 1e5 * max(fermi)
        steps = np.linspace(0, 1, 100)
        edges = [0.0, top]
        for k in fermi:
            fine = width / speed
            edges += list(k + fine * np.sinh(steps * np.arcsinh((top - k) / fine)))
            edges += list(k - fine * np.sinh(steps * np.arcsinh(k / fine)))
        edges = np.array(edges)
        return np.unique(edges[(edges >= 0) & (edges <= top)])


def response(bands, gap, temperature=None):
    """Return the response of the superconductor minus that of the normal state."""
    if temperature is None:
        temperature = gap / _COLD
    edges = bands.edges(min(gap, max(temperature, gap / 4)))
    below = bands.mu / 30
    normal = integrate(bands, 0.0, below, bands.edges(below))
    return Response(*np.subtract(integrate(bands, gap, temperature, edges), normal))


def integrate(bands, gap, temperature, edges):
    """Return both integrals over d²k/(2π)², up to the last of the ``edges``."""
    x, w = np.polynomial.legendre.leggauss(16)
    half = np.diff(edges)[:, None] / 2
    k = (edges[:-1, None] + half * (1 + x)).ravel()
    measure = (half * w).ravel() * k / (2 * np.pi)
    # Isotropic: the mean of both directions at one angle is the mean over all angles.
    unit = np.array([np.cos(0.3), np.sin(0.3)])
    sigma = [_Y, -_X]  # (k × σ)_z = k·(σ_y, −σ_x)
    free = bands.inverse_mass * k[:, None, None] ** 2 / 2 * _ONE
    spin = k[:, None, None] * (unit[0] * sigma[0] + unit[1] * sigma[1])
    h = free + bands.spin_orbit * spin - bands.mu * _ONE
    energies, states = np.linalg.eigh(np.kron(_Z, h) + gap * np.kron(_X, _ONE))
    kernel = _quotients(energies, temperature)
    integrals = np.zeros(2)
    for direction, s in zip(unit, sigma, strict=True):
        moment = np.kron(_ONE, s)
        velocity = (bands.inverse_mass * direction * k)[:, None, None] * np.eye(4)
        velocity = velocity + bands.spin_orbit * moment
        v, m = (states.conj().swapaxes(1, 2) @ matrix @ states for matrix in (velocity, moment))
        for number, other in enumerate((v, m)):
            summed = np.einsum("knm,kmn,knm->k", v, other, kernel).real / 2
            integrals[number] += measure @ summed / 2
    return integrals


def _quotients(energies, temperature):
    """(f_n − f_m)/(ε_n − ε_m), or the derivative of f where this is 0/0."""
    upper, lower = energies[:, :, None], energies[:, None, :]
    difference = upper - lower
    near = np.abs(difference) < 1e-5 * temperature
    middle = expit(-(upper + lower) / 2 / temperature)
    slope = -middle * (1 - middle) / temperature
    jump = expit(-upper / temperature) - expit(-lower / temperature)
    return np.where(near, slope, jump / np.where(near, 1.0, difference))
