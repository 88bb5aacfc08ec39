"""Ground states: the lowest energy of moments that turn in the plane.

The search descends to minima from many starts, kicks them and descends again, and ends with
Newton's method down to round-off. It cannot exclude that a lower state exists, unless the lower
bound reaches the energy: therefore the result has both.
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

# Torques and curvatures are in units of the row sums of |T|, energies in units of n times the
# largest of these sums.
_ROUGH = 1e-5  # torques at the end of a descent while searching
_FINE = 1e-8  # torques at the end of a descent before Newton's method
_ALLOWED = 1e-8  # largest torques that a result may have
_EXACT = 1e-13  # largest torques at which Newton's method stops
_NEAR = 1e-8  # minima this close to the lowest are polished, to see which is lowest
_TIE = 1e-13  # energies closer than this are equal up to round-off
_FLAT = 1e-9  # a curvature below this is zero up to round-off
_ALIKE = 1e-4  # states whose moments differ by less than this are the same
_NEWTON_STEPS = 40
_LONGEST_STEP = 0.1  # of an angle, in Newton's method [rad]
_EIGENVECTORS = 3  # starts from the lowest eigenvectors of T

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class GroundState:
    """The lowest state that the search has reached, a minimum of the energy up to round-off.

    Attributes:
        angles: θ ``(n,)`` [rad] in [−π, π). Reversing all moments does not change the energy; of
            the two states this is the one whose first moment has m_x >= 0.
        energy: F = ½ Σ m_i · T_ij · m_j, in the tensor's unit.
        lower_bound: No state has a lower energy than this.
        states: All states of this energy (up to round-off) that the search has reached ``(k, n)``
            [rad]; the first one is `angles`. States that differ by reversing all moments count
            once.
        stiffness: Lowest eigenvalue of the Hessian, >= 0 up to round-off [energy/rad²]: the
            curvature of the energy along the softest turn of the moments.
        starts: Number of starts.
        reached: Number of starts that ended at this energy. If it is 1 of many, a lower state may
            have been missed.
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
        """Whether `states` has several states, related by symmetry or in a continuous set."""
        return len(self.states) > 1

    @property
    def gap(self) -> float:
        """Optimality gap, `energy` − `lower_bound`: no state is lower than `energy` by more."""
        return self.energy - self.lower_bound


def ground_state(
    tensor: ArrayLike, *, starts: int = 16, kicks: int = 10, seed: int = 0
) -> GroundState:
    """Find the moments in the plane that have the lowest energy.

        min ½ Σ_ij m_i · T_ij · m_j,   |m_i| = 1

    The starts are the best uniform state, the lowest eigenvectors of T, and random states; half of
    the random ones take their directions from the relaxed problem of `lower_bound`. L-BFGS-B
    descends from each to a minimum. Unless the bound proves that the lowest minimum is the ground
    state, a race follows: all minima are kicked, that is, an impurity and those it couples to most
    are turned, and the new minimum is kept if it is lower. The better half of the minima goes on
    with twice as many kicks, and so on.

    Args:
        tensor: T ``(n, n, 2, 2)`` [energy]; an isotropic part of T_ii only shifts the energy.
        starts: Number of random starts, >= 1.
        kicks: Number of kicks of each minimum in the first round, >= 0. In random layouts more
            kicks help more than more starts.
        seed: Seed of the random numbers; the same seed gives the same result.

    Raises:
        StudyError: The tensor is not symmetric or not ``(n, n, 2, 2)``, or a number is out of
            range.
        ConvergenceError: Torques could not be reduced to 1e-8 of the largest possible one.

    References:
        Luttinger, Tisza, Phys. Rev. 70, 954 (1946). Goemans, Williamson, J. ACM 42, 1115 (1995),
        for starts from the relaxed problem.
    """
    matrix, shift = without_shift(symmetric_matrix(tensor))
    unit = float(row_sums(matrix).max()) or 1.0
    matrix /= unit  # SciPy's tolerances assume energies near 1
    at_least("starts", starts, 1)
    at_least("kicks", kicks, 0)
    rng = np.random.default_rng(at_least("seed", seed, 0))
    relaxed = relaxed_moments(matrix)
    minima = [_descend(matrix, theta, _ROUGH) for theta in _starts(matrix, relaxed, starts, rng)]
    states, reached = _lowest(matrix, minima)
    if not _is_ground_state(matrix, states[0]):
        states, reached = _lowest(matrix, _race(matrix, minima, kicks, rng))
    angles = states[0]
    stiffness = linalg.eigh(hessian(angles, matrix), eigvals_only=True, subset_by_index=[0, 0])[0]
    return GroundState(
        angles=angles,
        energy=shift + unit * value_and_gradient(angles, matrix)[0],
        lower_bound=shift + unit * _best_bound(matrix, angles, relaxed),
        states=states,
        stiffness=unit * float(stiffness),
        starts=len(minima),
        reached=reached,
    )


def _best_bound(matrix: _Array, angles: _Array, relaxed: _Array) -> float:
    """Return the highest lower bound that three choices of multipliers give.

    The multipliers of the state itself reach its energy if it is the ground state and the bound is
    tight.
    """
    choices = (
        np.zeros(len(angles)),
        multipliers(matrix, relaxed),
        multipliers(matrix, moments(angles).reshape(-1, 1)),
    )
    return max(multiplier_bound(matrix, mu) for mu in choices)


def _is_ground_state(matrix: _Array, angles: _Array) -> bool:
    """Return whether the bound of the state's multipliers proves it the ground state."""
    bound = multiplier_bound(matrix, multipliers(matrix, moments(angles).reshape(-1, 1)))
    energy = value_and_gradient(angles, matrix)[0]
    # multiplier_bound subtracts about n² eps for round-off.
    return bool(energy - bound <= 8 * np.finfo(float).eps * len(angles) ** 2)


def _starts(
    matrix: _Array, relaxed: _Array, count: int, rng: np.random.Generator
) -> Iterator[_Array]:
    """Yield the angles ``(n,)`` of every start."""
    n = len(matrix) // 2
    summed = matrix.reshape(n, 2, n, 2).sum(axis=(0, 2))
    uniform = np.tile(linalg.eigh(summed)[1][:, 0], n)
    lowest = [0, min(_EIGENVECTORS, 2 * n) - 1]
    for vector in (uniform, *linalg.eigh(matrix, subset_by_index=lowest)[1].T):
        # A little noise, because a state of high symmetry may be a saddle.
        yield _angles(vector) + 1e-3 * rng.normal(size=n)
    for k in range(count):
        if k % 2:
            yield rng.uniform(-np.pi, np.pi, n)
        else:
            yield _angles(relaxed @ rng.normal(size=relaxed.shape[1]))


def _angles(vector: _Array) -> _Array:
    """Return the directions ``(n,)`` [rad] of the moments in a vector ``(2n,)``."""
    return np.arctan2(vector[1::2], vector[0::2])


def _descend(matrix: _Array, theta: _Array, torque: float) -> _Array:
    """Return a minimum near ``theta``, with torques of at most ``torque``."""
    scales = _angle_scales(matrix)

    def scaled_energy(x: _Array) -> tuple[float, _Array]:
        energy, torques = value_and_gradient(x / scales, matrix)
        return energy, torques / scales

    options = {"gtol": torque, "ftol": 1e-15, "maxcor": 20, "maxiter": 10000}
    result = optimize.minimize(
        scaled_energy, theta * scales, method="L-BFGS-B", jac=True, options=options
    )
    return np.asarray(result.x / scales)


def _angle_scales(matrix: _Array) -> _Array:
    """Return factors ``(n,)`` for the angles, so that the energy is about as stiff in each of them.

    Otherwise close pairs would hide all other impurities, whose couplings are orders of magnitude
    weaker.
    """
    sums = row_sums(matrix)
    return np.sqrt(np.where(sums > 0, sums, 1.0))


def _race(
    matrix: _Array, states: list[_Array], kicks: int, rng: np.random.Generator
) -> list[_Array]:
    """Kick all states; the better half goes on with twice as many kicks, until none is left.

    Returns:
        Each state as it was when it dropped out.
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
    """Return the lowest of a minimum and the minima reached from kicked copies of it."""
    n = len(theta)
    lowest = value_and_gradient(theta, matrix)[0]
    for _ in range(kicks):
        site = rng.integers(n)
        coupling = np.sum(matrix[2 * site : 2 * site + 2] ** 2, axis=0).reshape(n, 2).sum(axis=1)
        coupling[site] = np.inf
        sites = np.argsort(-coupling)[: rng.integers(1, max(2, n // 8) + 1)]
        trial = theta.copy()
        trial[sites] += np.pi if rng.random() < 0.5 else rng.uniform(-np.pi, np.pi, len(sites))
        trial = _descend(matrix, trial, _ROUGH)
        energy = value_and_gradient(trial, matrix)[0]
        if energy < lowest:
            theta, lowest = trial, energy
    return theta


def _lowest(matrix: _Array, minima: list[_Array]) -> tuple[_Array, int]:
    """Return the distinct states of lowest energy ``(k, n)``, and how many minima ended there."""
    fine = np.array([_descend(matrix, theta, _FINE) for theta in minima])
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
    """Group states that have the same moments, or all moments reversed; return their numbers."""
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
    """Return the minimum near ``theta`` by Newton's method, until torques are round-off.

    Raises:
        ConvergenceError: The torques left are too large, or every point reached is a saddle.
    """
    scales = _angle_scales(matrix)
    for _ in range(_NEWTON_STEPS):
        torques = value_and_gradient(theta, matrix)[1] / scales
        worst = np.abs(torques / scales).max()
        curvature, modes = linalg.eigh(hessian(theta, matrix) / np.outer(scales, scales))
        if curvature[0] < -_FLAT:  # a saddle: leave it on its lower side
            turn = modes[:, 0] / np.abs(modes[:, 0]).max()
            sides = [_descend(matrix, theta + sign * 0.3 * turn, _FINE) for sign in (-1, 1)]
            theta = min(sides, key=lambda side: value_and_gradient(side, matrix)[0])
            continue
        if worst <= _EXACT:
            return theta
        firm = curvature > _FLAT  # along flat modes (a continuous family) there is nothing to gain
        step = modes[:, firm] @ ((modes[:, firm].T @ torques) / curvature[firm]) / scales
        trial = theta - step / max(1.0, np.abs(step).max() / _LONGEST_STEP)
        left = np.abs(value_and_gradient(trial, matrix)[1] / scales**2).max()
        if left >= worst:  # only round-off is left
            if worst <= _ALLOWED:
                return theta
            break
        theta = trial
    raise ConvergenceError(
        f"no minimum of the energy in {_NEWTON_STEPS} Newton steps: the largest torque left is "
        f"{worst:.3g} of the largest possible one; allowed: {_ALLOWED:g}"
    )
