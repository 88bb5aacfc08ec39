"""What an interaction tensor says about the moments of a study: ground state and order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pearlfem.errors import StudyError
from pearlfem.magnetism import (
    Average,
    GroundState,
    ThermalAverages,
    ground_state,
    layer_wavevectors,
    layered_order,
    metropolis,
    net_moment,
    vorticity,
)
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.units import Kind, ReducedUnits, Units
from pearlfem.study.study import Study


class Order(NamedTuple):
    """Ground state of the moments and thermal averages, in reduced units.

    ``parameters`` are order parameters of the ground state, by name.
    """

    ground: GroundState
    parameters: Mapping[str, float]
    thermal: tuple[ThermalAverages, ...]


def check_orderable(study: Study) -> None:
    """Refuse studies whose moments do not order by their interaction alone.

    Raises:
        StudyError: There is no impurity, or another source, whose field would turn them.
    """
    if not study.impurities:
        raise StudyError("impurity: none given; the order is that of moments, at least one")
    if study.others:
        raise StudyError(
            f"{len(study.others)} sources besides the impurities (vortices, fluxoids, applied "
            "fields): not allowed, for they turn the moments; allowed: impurities alone"
        )


def find_order(study: Study, tensor: Array) -> Order:
    """Return the order of the impurities of ``study`` with the interaction ``tensor``.

    Args:
        study: Its [order] says how hard to look, and at what temperatures.
        tensor: Of the impurities, shape ``(n, n, 2, 2)``.

    Raises:
        ConvergenceError: The minimiser found no minimum.

    Note:
        Not collective: call it on one rank.
    """
    table = study.order
    ground = ground_state(tensor, starts=table.starts, seed=table.seed)
    parameters = _parameters(study)
    thermal = (
        metropolis(tensor, kT, sweeps=table.sweeps, seed=table.seed, observables=parameters)
        for kT in table.temperatures
    )
    found = {"net_moment": net_moment, **parameters}
    return Order(
        ground, {name: float(of(ground.angles)) for name, of in found.items()}, tuple(thermal)
    )


def order_as_dict(order: Order, units: Units | ReducedUnits) -> dict[str, Any]:
    """Return ``order`` for summary.json, in ``units``."""
    ground = order.ground
    return {
        "angles": np.degrees(ground.angles).tolist(),
        "energy": {
            "value": units.from_reduced(ground.energy, "energy"),
            "lower": units.from_reduced(ground.lower_bound, "energy"),
            "unit": units.name("energy"),
        },
        "degenerate": ground.degenerate,
        "starts": ground.starts,
        "reached": ground.reached,
        "parameters": dict(order.parameters),
        "thermal": [_thermal(one, units) for one in order.thermal],
    }


def _parameters(study: Study) -> dict[str, Any]:
    """Return order parameters besides the net moment, as functions of angles."""
    positions = np.array([impurity.position for impurity in study.impurities])
    found: dict[str, Any] = {}
    if len(positions) > 1:
        found["vorticity"] = partial(vorticity, positions=positions)
    if study.lattice is not None:
        names = ("layered_along_a2", "layered_along_a1", "alternating")
        for name, k in zip(names, layer_wavevectors(study.lattice), strict=True):
            found[name] = partial(layered_order, positions=positions, wavevectors=k)
    return found


def _thermal(one: ThermalAverages, units: Units | ReducedUnits) -> dict[str, Any]:
    def numbers(average: Average, kind: Kind | None = None) -> dict[str, float]:
        value, error = average.mean, average.error
        if kind is not None:
            value, error = units.from_reduced(value, kind), units.from_reduced(error, kind)
        return {"mean": value, "error": error, "sweeps": average.autocorrelation_time}

    return {
        "kT": units.from_reduced(one.temperature, "energy"),
        "unit": units.name("energy"),
        "energy": numbers(one.energy, "energy"),
        "specific_heat": numbers(one.specific_heat),
        "net_moment": numbers(one.net_moment),
        **{name: numbers(average) for name, average in one.observables.items()},
        "acceptance": one.acceptance,
    }
