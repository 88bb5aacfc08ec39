"""Compute the entries of the tables of results and fields: each names its function."""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from pearlfem.quantities.result_shapes import Result
from pearlfem.quantities.results import RESULTS, Field
from pearlfem.solution import Solution


def function_of(path: str) -> Callable[..., Any]:
    """Return the function with the path ``"module:function"``."""
    function: Callable[..., Any] = resolve_name(path)
    return function


def is_known(entry: Result | Field, solution: Solution) -> bool:
    """Return whether ``solution`` has the result or field ``entry`` (collective)."""
    return not entry.needs or bool(function_of(entry.needs)(solution))


def observe(solution: Solution) -> dict[str, Any]:
    """Return all results of a solution by name, in reduced units.

    The value is None for a result that this solution does not have, for example the magnetic moment
    in the vector formulation. Results of several solutions are not included.

    Note:
        Collective.
    """
    return {
        result.name: function_of(result.function)(solution) if is_known(result, solution) else None
        for result in RESULTS
        if result.function
    }
