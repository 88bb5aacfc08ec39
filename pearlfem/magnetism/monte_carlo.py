"""Moments in the plane at a finite temperature, by the Monte Carlo method of Metropolis.

Angles are distributed as exp(−F/k_B T) with F = ½ Σ m_i · T_ij · m_j. A move turns one moment by a
random angle. It is accepted with the probability min(1, exp(−ΔF/k_B T)), where

    ΔF = δ · h_i + ½ δ · T_ii · δ,   δ = m_i' − m_i,   h_i = Σ_j T_ij · m_j

A sweep tries to turn each moment once, in order. Many independent chains are computed together.

References:
    Metropolis, Rosenbluth, Rosenbluth, Teller, Teller, J. Chem. Phys. 21, 1087 (1953).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pearlfem.errors import StudyError
from pearlfem.magnetism._checks import at_least, symmetric_matrix, without_shift
from pearlfem.magnetism.averages import Average, average
from pearlfem.magnetism.order import net_moment

_WANTED_ACCEPTANCE = 0.5
_FEWEST_SWEEPS = 32  # the error bar of a single chain needs 32 blocks

_Array = NDArray[np.float64]
Observable = Callable[[_Array], _Array]


@dataclass(frozen=True)
class ThermalAverages:
    """Thermal averages at one temperature; autocorrelation times are in sweeps.

    Attributes:
        temperature: k_B T, in the tensor's unit.
        energy: Mean of F, in the tensor's unit.
        specific_heat: (⟨F²⟩ − ⟨F⟩²)/(n (k_B T)²), per impurity [k_B].
        net_moment: Mean of |Σ m_i|/n.
        observables: Means of the requested observables, by name.
        acceptance: Fraction of the moves that were accepted.
        angles: The last state of each chain ``(chains, n)`` [rad].
    """

    temperature: float
    energy: Average
    specific_heat: Average
    net_moment: Average
    observables: Mapping[str, Average]
    acceptance: float
    angles: _Array


def metropolis(
    tensor: ArrayLike,
    temperature: float,
    *,
    sweeps: int,
    discarded: int | None = None,
    chains: int = 32,
    seed: int = 0,
    observables: Mapping[str, Observable] = MappingProxyType({}),
) -> ThermalAverages:
    """Thermal averages of the moments at k_B T, with error bars.

    Chains start at random and cool down to k_B T in the first half of the discarded sweeps. All
    discarded sweeps also adapt the largest turn of each impurity, so that about half of its moves
    are accepted. After these sweeps the rules of the walk no longer change.

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy].
        temperature: k_B T > 0, in the tensor's unit.
        sweeps: Number of sweeps of each chain that are averaged, >= 32.
        discarded: Number of sweeps before these; None for half as many, but at least 100.
        chains: Number of chains, >= 1. Error bars come from the scatter between 32 or more chains,
            or between blocks of fewer chains.
        seed: Seed of the random numbers; the same seed gives the same result.
        observables: More quantities to average, by name: functions of angles ``(chains, n)`` that
            return ``(chains,)``, like those of `pearlfem.magnetism.order`.

    Raises:
        StudyError: The tensor is not symmetric or not ``(n, n, 2, 2)``, or a number is out of
            range.

    Note:
        Error bars do not include states that no chain has reached. If `autocorrelation_time` comes
        near the number of sweeps, as at low temperatures, chains are stuck: take more sweeps.
    """
    matrix, shift = without_shift(symmetric_matrix(tensor))
    kT = _positive_temperature(temperature)
    count = at_least("sweeps", sweeps, _FEWEST_SWEEPS)
    warmup = max(count // 2, 100) if discarded is None else at_least("discarded", discarded, 0)
    rng = np.random.default_rng(at_least("seed", seed, 0))
    walk = _Walk(matrix, at_least("chains", chains, 1), rng)
    measured = {"net_moment": net_moment, **observables}
    _check_observables(measured, walk.angles)
    walk.thermalise(kT, warmup)

    samples = {name: np.empty((chains, count)) for name in measured}
    energies, accepted = np.empty((chains, count)), 0
    energy = walk.energy()
    for k in range(count):
        change, moved = walk.sweep(kT)
        energy = energy + change
        energies[:, k], accepted = energy, accepted + int(np.count_nonzero(moved))
        for name, observable in measured.items():
            samples[name][:, k] = observable(walk.angles)

    n = len(matrix) // 2
    averages = {name: average(values) for name, values in samples.items()}
    return ThermalAverages(
        temperature=kT,
        energy=average(shift + energies),
        # The error of the mean energy changes this only to second order.
        specific_heat=average((energies - energies.mean()) ** 2 / (n * kT**2)),
        net_moment=averages["net_moment"],
        observables={name: averages[name] for name in observables},
        acceptance=accepted / (n * chains * count),
        angles=walk.angles,
    )


class _Walk:
    """The moments of all chains, and the moves that change them.

    Attributes:
        theta: Angles ``(n, chains)`` [rad].
        m: Their unit vectors ``(n, 2, chains)``.
        width: The largest turn of each impurity ``(n, 1)`` [rad].
    """

    def __init__(self, matrix: _Array, chains: int, rng: np.random.Generator) -> None:
        n = len(matrix) // 2
        self._matrix, self._rng = matrix, rng
        self._rows = list(matrix.reshape(n, 2, 2 * n))
        self._diagonal = np.stack([matrix[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] for i in range(n)])
        self.theta = rng.uniform(-np.pi, np.pi, (n, chains))
        self.m = _unit_vectors(self.theta)
        self.width = np.full((n, 1), np.pi)

    @property
    def angles(self) -> _Array:
        """A copy of the angles ``(chains, n)`` [rad]."""
        return self.theta.T.copy()

    def energy(self) -> _Array:
        """Return F of each chain ``(chains,)``."""
        flat = self.m.reshape(len(self._matrix), -1)
        return 0.5 * np.sum(flat * (self._matrix @ flat), axis=0)

    def thermalise(self, kT: float, sweeps: int) -> None:
        """Cool down to k_B T, and adapt the largest turns."""
        hot = max(kT, float(np.abs(self._matrix).sum(axis=1).mean()))
        for k in range(sweeps):
            cooled = min(1.0, 2.0 * (k + 1) / sweeps)
            _, moved = self.sweep(hot * (kT / hot) ** cooled)
            self.width *= np.exp(moved.mean(axis=1, keepdims=True) - _WANTED_ACCEPTANCE)
            np.minimum(self.width, np.pi, out=self.width)

    def sweep(self, kT: float) -> tuple[_Array, NDArray[np.bool_]]:
        """Try to turn each moment once.

        Returns:
            The change of F ``(chains,)``, and which moves were accepted ``(n, chains)``.
        """
        turn = self.width * self._rng.uniform(-1.0, 1.0, self.theta.shape)
        trial = self.theta + turn
        new = _unit_vectors(trial)
        delta = new - self.m
        quadratic = 0.5 * np.sum(delta * (self._diagonal @ delta), axis=1)
        # Accept if ΔF <= −k_B T ln u with u uniform: the probability is min(1, exp(−ΔF/k_B T)).
        allowed = kT * self._rng.exponential(size=turn.shape) - quadratic
        work, moved = np.empty_like(turn), np.empty(turn.shape, dtype=bool)
        flat = self.m.reshape(len(self._matrix), -1)
        for i, row in enumerate(self._rows):
            product = delta[i] * (row @ flat)  # flat shares memory with m: earlier moves count
            np.add(product[0], product[1], out=work[i])
            np.less_equal(work[i], allowed[i], out=moved[i])
            np.copyto(self.m[i], new[i], where=moved[i])
        self.theta = np.where(moved, trial, self.theta)
        return np.sum((work + quadratic) * moved, axis=0), moved


def _unit_vectors(theta: _Array) -> _Array:
    return np.stack([np.cos(theta), np.sin(theta)], axis=1)


def _positive_temperature(temperature: float) -> float:
    if np.ndim(temperature) != 0 or not np.isfinite(temperature) or temperature <= 0:
        raise StudyError(f"temperature = {temperature!r}: must be a finite number > 0 (k_B T)")
    return float(temperature)


def _check_observables(observables: Mapping[str, Observable], angles: _Array) -> None:
    for name, observable in observables.items():
        shape = np.shape(observable(angles))
        if shape != angles.shape[:1]:
            raise StudyError(
                f"observable {name!r} has shape {shape} for angles of shape {angles.shape}: "
                f"must be {angles.shape[:1]}"
            )
