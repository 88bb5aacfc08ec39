"""Magnetism of impurities with a given interaction tensor: ground states, order, temperature.

Arrays in, arrays out, with NumPy and SciPy only; the tensor may come from anywhere::

    T = interaction_tensor(solutions)                     # (n, n, 2, 2)
    state = ground_state(T)
    net_moment(state.angles), state.energy, state.lower_bound
    metropolis(T, temperature=0.1, sweeps=1000).net_moment
"""

from pearlfem.magnetism.averages import Average
from pearlfem.magnetism.bounds import lower_bound, luttinger_tisza_bound
from pearlfem.magnetism.minimiser import GroundState, ground_state
from pearlfem.magnetism.moments import energy, energy_gradient, energy_hessian, moments
from pearlfem.magnetism.monte_carlo import ThermalAverages, metropolis
from pearlfem.magnetism.order import (
    layer_wavevectors,
    layered_order,
    mean_moment,
    net_moment,
    vorticity,
)

__all__ = [
    "Average",
    "GroundState",
    "ThermalAverages",
    "energy",
    "energy_gradient",
    "energy_hessian",
    "ground_state",
    "layer_wavevectors",
    "layered_order",
    "lower_bound",
    "luttinger_tisza_bound",
    "mean_moment",
    "metropolis",
    "moments",
    "net_moment",
    "vorticity",
]
