"""Solutions, energies and tensors of a study's sources, from its assembled problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pearlfem.observables.crossing import gaps_of
from pearlfem.observables.energy import mutual_energies, tensor_bracket
from pearlfem.problem import MaxwellLondon
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.result_shapes import Bounded
from pearlfem.quantities.tensors import as_tensor
from pearlfem.runtime.phases import Progress, timed
from pearlfem.solution import FormulationName, Solution, superpose
from pearlfem.study.study import Study
from pearlfem.workflow.adaptivity import Round


class SourceSolutions(NamedTuple):
    """The solutions of one formulation, and the energies of all their pairs, ``(k, k)``.

    There is one solution for each component of each impurity, and one for all other sources
    together, if there are any.
    """

    solutions: list[Solution]
    energies: Array


class TotalSolution(NamedTuple):
    """The solution of all sources together, its free energy, and the tensor of the impurities.

    The tensor is None without impurities.
    """

    tensor: Array | None
    solution: Solution
    energy: float


def solve_each_source(
    study: Study, problem: MaxwellLondon, seconds: dict[str, float], progress: Progress
) -> SourceSolutions:
    """Solve for each source of ``study`` alone (collective)."""
    with timed(seconds, "solve") as timer:
        solutions = problem.solve_each(study.impurities) if study.impurities else []
        if study.others:
            solutions = [*solutions, problem.solve(study.others)]
        energies = mutual_energies(solutions)
    progress(
        f"solve     {timer():6.1f} s   {len(solutions)} loads, at most "
        f"{max(s.iterations for s in solutions)} iterations, {problem.formulation} formulation"
    )
    return SourceSolutions(solutions, energies)


def combine(study: Study, response: SourceSolutions) -> TotalSolution:
    """Return the solution for all sources of ``study`` with its moments (collective)."""
    weights = [weight for impurity in study.impurities for weight in impurity.weights]
    weights += [1.0] if study.others else []
    energy = float(np.array(weights) @ response.energies @ weights)
    tensor = tensor_of(study, response) if study.impurities else None
    return TotalSolution(tensor, superpose(response.solutions, weights), energy)


def tensor_of(study: Study, response: SourceSolutions) -> Array:
    """Return the interaction tensor of the impurities of ``study``."""
    components = len(study.impurities[0].components)
    moments = slice(components * len(study.impurities))
    return 2.0 * as_tensor(response.energies[moments, moments], components)


def bounds_of(
    answers: Mapping[FormulationName, TotalSolution], rounds: Sequence[Round], guaranteed: bool
) -> tuple[Bounded, Bounded | None]:
    """Return free energy and interaction tensor with the bounds that are known.

    The free energy takes the bounds of ``rounds`` too, which are for the same mesh and moments: the
    tolerance is about them.

    Args:
        answers: What each formulation gives.
        rounds: Rounds of refinement with the same moments.
        guaranteed: Whether the energies are bounds (``MaxwellLondon.guaranteed``).

    Raises:
        CrossingError: Bounds cross.
    """
    stream, vector = answers.get("stream"), answers.get("vector")
    lower = upper = None
    if stream is not None:
        lower = max([stream.energy, *(one.lower for one in rounds if one.lower is not None)])
    if vector is not None:
        upper = min([vector.energy, *(one.upper for one in rounds if one.upper is not None)])
    if lower is None or upper is None:
        (only,) = answers.values()
        tensor = None if only.tensor is None else Bounded(only.tensor, guaranteed=False)
        value = upper if lower is None else lower
        return Bounded(value, lower, upper, guaranteed), tensor
    gaps_of(lower, upper, "free energy", guaranteed)
    energy = Bounded((lower + upper) / 2, min(lower, upper), max(lower, upper), guaranteed)
    assert stream is not None and vector is not None
    if stream.tensor is None or vector.tensor is None:
        return energy, None
    bracket = tensor_bracket(stream.tensor, vector.tensor, guaranteed)
    return energy, Bounded((stream.tensor + vector.tensor) / 2, *bracket, guaranteed)


def best_bounds(rounds: Sequence[Round], guaranteed: bool) -> Bounded:
    """Return the free energy of the round with the smallest error."""
    best = min(rounds, key=lambda one: one.error)
    known = [bound for bound in (best.lower, best.upper) if bound is not None]
    return Bounded(sum(known) / len(known), best.lower, best.upper, guaranteed)
