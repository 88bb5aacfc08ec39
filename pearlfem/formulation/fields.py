"""The functions that a formulation's unknowns stand for."""

from __future__ import annotations

from typing import NamedTuple

from dolfinx import fem


class Fields(NamedTuple):
    """Unknowns as functions, ghosts up to date; g only in the stream formulation."""

    potential: fem.Function
    stream_function: fem.Function | None
