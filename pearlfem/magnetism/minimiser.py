"""Ground states: the lowest energy of moments that turn in the plane.

Many starts, a race of descents from kicked copies of what they found, and Newton's method down to
round-off. Nothing proves that the lowest state found is the lowest there is, except the
bound from below where it touches the energy: so the answer tells both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize

from pearlfem.errors import ConvergenceError
from pearlfem.magnetism._checks import at_least, symmetric_matrix, without_shift
from pearlfem.magnetism.bounds import multiplier_bound, multipliers, relaxed_moments, row_sums
from pearlfem.magnetism.moments import hessian, moments, value_and_gradient

# Torques and curvatures are in units of the row sums of |T|; energies in the largest, times n.
_ROUGH = 1e-5  # torques while searching
_FINE = 1e-8  # torques before Newton's method
_ALLOWED = 1e-8  # torques that an answer may have at most
_EXACT = 1e-13  # torques that Newton's method aims at
_NEAR = 1e-8  # energies that are looked at more closely
_TIE = 1e-13  # energies closer than this are the same to round-off
_FLAT = 1e-9  # a curvature below this is zero to round-off
_ALIKE = 1e-4  # distance of moments below which two states are one
_NEWTON_STEPS = 40
_LONGEST_STEP = 0.1  # of an angle, in Newton's method [rad]
_EIGENVECTORS = 3  # starts made of the lowest eigenvectors of T

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class GroundState:
    """The lowest state found, a local minimum of the energy to round-off.

    Attributes:
        angles: θ ``(n,)`` [rad] in [−π, π). Turning all moments round leaves the energy: of the
            two states this is the one whose first moment has m_x >= 0.
        energy: F = ½ Σ m_i · T_ij · m_j, in the tensor's unit.
        lower_bound: No state is below this energy.
        states: Every state of this energy, to round-off, that was found ``(k, n)`` [rad], the
            first one being `angles`; states that differ by turning all moments round count once.
        stiffness: Lowest eigenvalue of the Hessian, >= 0 to round-off [energy/rad²]: what the
            softest turn of the moments costs.
        starts: Number of starts.
        reached: Number of starts that ended at this energy: 1 of many says that a lower
            state may well have been missed.
    """

    angles: _Array
    energy: float
    lower_bound: float
    states: _Array
    stiffness: float
    starts: int
    reached: int

    @property
    def degenerate(self) -> bool:
        """Whether several states of this energy were found: a few of a symmetry, or of a family."""
        return len(self.states) > 1

    @property
    def gap(self) -> float:
        """How far the true ground state may be below, `energy` − `lower_bound`."""
        return self.energy - self.lower_bound


def ground_state(
    tensor: ArrayLike, *, starts: int = 16, kicks: int = 10, seed: int = 0
) -> GroundState:
    """Return the moments in the plane of lowest energy.

        min ½ Σ_ij m_i · T_ij · m_j,   |m_i| = 1

    Starts: the best of all uniform states, the lowest eigenvectors of T, and random ones, half of
    them directions of the relaxed problem of `lower_bound`. Each is descended (L-BFGS-B). Unless
    the bound touches the lowest, each is kicked: an impurity and those it couples to most are
    turned, the result is descended, and kept if lower. The better half goes on with twice as many
    kicks, and so on.

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy]; an isotropic part of T_ii shifts the energy alone.
        starts: Number of random starts, >= 1, beside the others.
        kicks: Number of kicks of each start in the first round, >= 0. In random layouts it is
            kicks, more than starts, that lower the energy.
        seed: Of the random numbers; the same seed gives the same answer.

    Raises:
        StudyError: The tensor is no symmetric ``(n, n, 2, 2)``, or a number is out of range.
        ConvergenceError: A minimum could not be found to 1e-8 of the largest torque there can be.

    References:
        Luttinger, Tisza, Phys. Rev. 70, 954 (1946). Goemans, Williamson, J. ACM 42, 1115 (1995),
        for directions from the relaxed problem.
    """
    matrix, shift = without_shift(symmetric_matrix(tensor))
    unit = float(row_sums(matrix).max()) or 1.0
    matrix /= unit  # SciPy's tolerances are for energies near 1
    at_least("starts", starts, 1)
    at_least("kicks", kicks, 0)
    rng = np.random.default_rng(at_least("seed", seed, 0))
    relaxed = relaxed_moments(matrix)
    found = [_descend(matrix, x, _ROUGH) for x in _starts(matrix, relaxed, starts, rng)]
    states, reached = _lowest(matrix, found)
    if not _proved(matrix, states[0]):
        states, reached = _lowest(matrix, _race(matrix, found, kicks, rng))
    angles = states[0]
    stiffness = linalg.eigh(hessian(angles, matrix), eigvals_only=True, subset_by_index=[0, 0])[0]
    return GroundState(
        angles=angles,
        energy=shift + unit * value_and_gradient(angles, matrix)[0],
        lower_bound=shift + unit * _best_bound(matrix, angles, relaxed),
        states=states,
        stiffness=unit * float(stiffness),
        starts=len(found),
        reached=reached,
    )


def _best_bound(matrix: _Array, angles: _Array, relaxed: _Array) -> float:
    """Return the highest bound of three choices of multipliers.

    Those of the state itself touch its energy if it is the ground state and the bound is tight.
    """
    choices = (
        np.zeros(len(angles)),
        multipliers(matrix, relaxed),
        multipliers(matrix, moments(angles).reshape(-1, 1)),
    )
    return max(multiplier_bound(matrix, mu) for mu in choices)


def _proved(matrix: _Array, angles: _Array) -> bool:
    """Whether the bound of the state's own multipliers touches its energy, to round-off."""
    bound = multiplier_bound(matrix, multipliers(matrix, moments(angles).reshape(-1, 1)))
    energy = value_and_gradient(angles, matrix)[0]
    # The bound is lowered by n² eps for round-off.
    return bool(energy - bound <= 8 * np.finfo(float).eps * len(angles) ** 2)


def _starts(
    matrix: _Array, relaxed: _Array, count: int, rng: np.random.Generator
) -> Iterator[_Array]:
    """Yield the angles ``(n,)`` of every start."""
    n = len(matrix) // 2
    together = matrix.reshape(n, 2, n, 2).sum(axis=(0, 2))
    uniform = np.tile(linalg.eigh(together)[1][:, 0], n)
    several = [0, min(_EIGENVECTORS, 2 * n) - 1]
    for vector in (uniform, *linalg.eigh(matrix, subset_by_index=several)[1].T):
        # A little noise: a state of high symmetry may be a saddle.
        yield _angles(vector) + 1e-3 * rng.normal(size=n)
    for k in range(count):
        if k % 2:
            yield rng.uniform(-np.pi, np.pi, n)
        else:
            yield _angles(relaxed @ rng.normal(size=relaxed.shape[1]))


def _angles(vector: _Array) -> _Array:
    """Return the directions ``(n,)`` of the moments in a vector ``(2n,)``."""
    return np.arctan2(vector[1::2], vector[0::2])


def _descend(matrix: _Array, theta: _Array, torque: float) -> _Array:
    """Return a minimum near ``theta``, to the torque given."""
    stretch = _stretch(matrix)

    def stretched(x: _Array) -> tuple[float, _Array]:
        energy, torques = value_and_gradient(x / stretch, matrix)
        return energy, torques / stretch

    options = {"gtol": torque, "ftol": 1e-15, "maxcor": 20, "maxiter": 10000}
    found = optimize.minimize(
        stretched, theta * stretch, method="L-BFGS-B", jac=True, options=options
    )
    return np.asarray(found.x / stretch)


def _stretch(matrix: _Array) -> _Array:
    """Return factors of the angles ``(n,)`` that make turns of all impurities cost about alike.

    Without them close pairs would hide the others, whose couplings are orders of magnitude weaker.
    """
    sums = row_sums(matrix)
    return np.sqrt(np.where(sums > 0, sums, 1.0))


def _race(
    matrix: _Array, states: list[_Array], kicks: int, rng: np.random.Generator
) -> list[_Array]:
    """Kick the states; the better half goes on with twice the kicks, until one is left.

    Returns:
        Every state as it was when it dropped out.
    """
    dropped: list[_Array] = []
    while states:
        states = sorted(
            (_kicked(matrix, theta, kicks, rng) for theta in states),
            key=lambda theta: value_and_gradient(theta, matrix)[0],
        )
        half = len(states) // 2
        dropped, states, kicks = dropped + states[half:], states[:half], 2 * kicks
    return dropped


def _kicked(matrix: _Array, theta: _Array, kicks: int, rng: np.random.Generator) -> _Array:
    """Return the lowest minimum found from kicked copies of a minimum."""
    n = len(theta)
    lowest = value_and_gradient(theta, matrix)[0]
    for _ in range(kicks):
        site = rng.integers(n)
        coupling = np.sum(matrix[2 * site : 2 * site + 2] ** 2, axis=0).reshape(n, 2).sum(axis=1)
        coupling[site] = np.inf
        turned = np.argsort(-coupling)[: rng.integers(1, max(2, n // 8) + 1)]
        trial = theta.copy()
        trial[turned] += np.pi if rng.random() < 0.5 else rng.uniform(-np.pi, np.pi, len(turned))
        trial = _descend(matrix, trial, _ROUGH)
        energy = value_and_gradient(trial, matrix)[0]
        if energy < lowest:
            theta, lowest = trial, energy
    return theta


def _lowest(matrix: _Array, found: list[_Array]) -> tuple[_Array, int]:
    """Return the distinct states of lowest energy ``(k, n)``, and how many were found there."""
    fine = np.array([_descend(matrix, theta, _FINE) for theta in found])
    energies = np.array([value_and_gradient(theta, matrix)[0] for theta in fine])
    size = len(matrix) // 2
    near = fine[energies <= energies.min() + _NEAR * size]
    groups = _groups(near, 100 * _ALIKE)
    states = np.array([_polish(matrix, near[group[0]]) for group in groups])
    energies = np.array([value_and_gradient(theta, matrix)[0] for theta in states])
    ties = [k for k in np.argsort(energies) if energies[k] <= energies.min() + _TIE * size]
    reached = sum(len(groups[k]) for k in ties)
    states = states[ties]
    states = states[[group[0] for group in _groups(states, _ALIKE)]]
    states += np.where(np.cos(states[:, :1]) < 0, np.pi, 0.0)
    return (states + np.pi) % (2 * np.pi) - np.pi, reached


def _groups(states: _Array, distance: float) -> list[list[int]]:
    """Gather states whose moments are alike, up to turning all of them round."""
    m = moments(states)
    groups: list[list[int]] = []
    for k in range(len(states)):
        for group in groups:
            first = m[group[0]]
            if min(np.abs(m[k] - first).max(), np.abs(m[k] + first).max()) <= distance:
                group.append(k)
                break
        else:
            groups.append([k])
    return groups


def _polish(matrix: _Array, theta: _Array) -> _Array:
    """Return the minimum near ``theta`` by Newton's method, to round-off of the torques.

    Raises:
        ConvergenceError: What is left of the torques is too much, or it is a saddle.
    """
    stretch = _stretch(matrix)
    for _ in range(_NEWTON_STEPS):
        torques = value_and_gradient(theta, matrix)[1] / stretch
        worst = np.abs(torques / stretch).max()
        curvature, modes = linalg.eigh(hessian(theta, matrix) / np.outer(stretch, stretch))
        if curvature[0] < -_FLAT:  # a saddle: go down on its lower side
            turn = modes[:, 0] / np.abs(modes[:, 0]).max()
            sides = [_descend(matrix, theta + sign * 0.3 * turn, _FINE) for sign in (-1, 1)]
            theta = min(sides, key=lambda side: value_and_gradient(side, matrix)[0])
            continue
        if worst <= _EXACT:
            return theta
        firm = curvature > _FLAT
        step = modes[:, firm] @ ((modes[:, firm].T @ torques) / curvature[firm]) / stretch
        trial = theta - step / max(1.0, np.abs(step).max() / _LONGEST_STEP)
        left = np.abs(value_and_gradient(trial, matrix)[1] / stretch**2).max()
        if left >= worst:  # round-off
            if worst <= _ALLOWED:
                return theta
            break
        theta = trial
    raise ConvergenceError(
        f"no minimum of the energy within {_NEWTON_STEPS} Newton steps: torques up to {worst:.3g} "
        f"of the largest there can be are left, {_ALLOWED:g} are allowed"
    )
