"""The order of a study's moments, from their interaction tensor: ground state and averages."""

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
    """Order of the moments, in reduced units.

    Args:
        ground: The ground state.
        parameters: Order parameters of the ground state, by name.
        thermal: Averages at each temperature.
    """

    ground: GroundState
    parameters: Mapping[str, float]
    thermal: tuple[ThermalAverages, ...]


def check_orderable(study: Study) -> None:
    """Refuse studies whose moments do not order by their interaction alone.

    Raises:
        StudyError: There is no impurity, or another source, whose field would turn the moments.
    """
    if not study.impurities:
        raise StudyError("impurity: none given; only moments of impurities have an order")
    if study.others:
        raise StudyError(
            f"{len(study.others)} sources besides the impurities (vortices, fluxoids, applied "
            "fields): not allowed, because they turn the moments; allowed: impurities alone"
        )


def find_order(study: Study, tensor: Array) -> Order:
    """Return the order of the impurities of ``study``.

    Args:
        study: Its [order] sets the effort of the search and the temperatures.
        tensor: Interaction tensor of the impurities, shape ``(n, n, 2, 2)`` [μ0Γ²/length].

    Raises:
        ConvergenceError: The minimiser found no minimum.

    Note:
        Not collective: call it on one rank.
    """
    options = study.order
    ground = ground_state(tensor, starts=options.starts, seed=options.seed)
    parameters = _order_parameters(study)
    values = {"net_moment": float(net_moment(ground.angles))}
    for name, parameter in parameters.items():
        values[name] = float(parameter(ground.angles))
    thermal = tuple(
        metropolis(tensor, kT, sweeps=options.sweeps, seed=options.seed, observables=parameters)
        for kT in options.temperatures
    )
    return Order(ground, values, thermal)


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
        "thermal": [_averages(each, units) for each in order.thermal],
    }


def _order_parameters(study: Study) -> dict[str, Any]:
    """Return the order parameters besides the net moment, as functions of the angles."""
    positions = np.array([impurity.position for impurity in study.impurities])
    parameters: dict[str, Any] = {}
    if len(positions) > 1:
        parameters["vorticity"] = partial(vorticity, positions=positions)
    if study.lattice is not None:
        names = ("layered_along_a2", "layered_along_a1", "alternating")
        for name, k in zip(names, layer_wavevectors(study.lattice), strict=True):
            parameters[name] = partial(layered_order, positions=positions, wavevectors=k)
    return parameters


def _averages(thermal: ThermalAverages, units: Units | ReducedUnits) -> dict[str, Any]:
    """Return the averages at one temperature for summary.json."""

    def numbers(average: Average, kind: Kind | None = None) -> dict[str, float]:
        value, error = average.mean, average.error
        if kind is not None:
            value, error = units.from_reduced(value, kind), units.from_reduced(error, kind)
        return {"mean": value, "error": error, "sweeps": average.autocorrelation_time}

    return {
        "kT": units.from_reduced(thermal.temperature, "energy"),
        "unit": units.name("energy"),
        "energy": numbers(thermal.energy, "energy"),
        "specific_heat": numbers(thermal.specific_heat),
        "net_moment": numbers(thermal.net_moment),
        **{name: numbers(average) for name, average in thermal.observables.items()},
        "acceptance": thermal.acceptance,
    }
