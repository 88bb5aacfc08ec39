"""Tables for people: numbers of the solver beside the exact infinite film, or its lattice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.table import Table

from pearlfem.analytic import infinite_film, lattice
from pearlfem.model.boundary import Boundary, Open
from pearlfem.model.film import Film
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.base import Impurity
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.workflow.inductance import Inductance

_OPEN = Open()


class Comparison(NamedTuple):
    """A number of the solver beside its reference; ``scale`` is the unit of their difference."""

    name: str
    computed: float
    reference: float
    scale: float
    tolerance: float | None = None

    @property
    def difference(self) -> float:
        """Relative difference, computed minus reference."""
        return (self.computed - self.reference) / self.scale

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance, if there is one."""
        return self.tolerance is None or abs(self.difference) <= self.tolerance

    def scaled(self, factor: float) -> Comparison:
        """Return the same in a unit ``factor`` times smaller."""
        computed, reference, scale = (factor * x for x in self[1:4])
        return Comparison(self.name, computed, reference, scale, self.tolerance)


def coupling_comparisons(
    film: Film,
    impurities: Sequence[Impurity],
    tensor: npt.NDArray[np.float64],
    tolerance: float | None = None,
    boundary: Boundary = _OPEN,
) -> Iterator[Comparison]:
    """Yield the self-energies and couplings of ``tensor`` beside those on the infinite film.

    In a periodic space both are those with all images of an impurity, in the film without end; in
    any other they are those of impurities in open space. Entries that symmetry forbids are left
    out; all are where two impurities of a lattice are at one place, for which there is no sum.
    """
    periodic = boundary if isinstance(boundary, Periodic) else None
    if periodic is None:
        exact = infinite_film.interaction_tensor(
            [i.position for i in impurities],
            film.least_pearl_length,
            [i.strength for i in impurities],
            [i.size for i in impurities],
        )
    else:
        try:
            sites = lattice.Lattice(periodic.cell, [i.position for i in impurities])
        except ValueError:  # two at one place
            return
        exact = _lattice_tensor(film, impurities, sites)
    for i, own in enumerate(impurities):
        for a, axis in enumerate("xy") if own.size > 0 else ():  # that of a point is infinite
            energy = exact[i, i, a, a] / 2
            images = "" if periodic is None else " and images"
            name = f"self-energy {i + 1}{images}, m along {axis}"
            yield Comparison(name, tensor[i, i, a, a] / 2, energy, abs(energy), tolerance)
        for j in range(i):
            offset = np.subtract(own.position, impurities[j].position)
            r = np.hypot(*offset) if periodic is None else periodic.distance(offset)
            for a, b in np.ndindex(2, 2):
                reference = exact[j, i, a, b]
                if abs(reference) > 1e-9 * np.abs(exact[j, i]).max():
                    name = f"T_{'xy'[a]}{'xy'[b]}, pair {j + 1}-{i + 1}, r = {r:.4g}"
                    computed = tensor[j, i, a, b]
                    yield Comparison(name, computed, reference, abs(reference), tolerance)


def _lattice_tensor(
    film: Film, impurities: Sequence[Impurity], sites: lattice.Lattice
) -> npt.NDArray[np.float64]:
    """Return T of one cell, shape ``(n, n, 2, 2)`` [μ0Γ²/length]."""
    sizes, strengths = [i.size for i in impurities], np.array([i.strength for i in impurities])
    tensor = lattice.gaussian_interaction(sites, sizes, film.least_pearl_length)
    scale = np.outer(strengths, strengths) * film.least_pearl_length / (4 * np.pi)  # J*
    return np.asarray(scale[..., None, None] * tensor.transpose(0, 2, 1, 3))


def holes_table(holes: Sequence[Mapping[str, Any]], units: Mapping[str, str]) -> Table:
    """Return a table of the holes of a summary."""
    table = Table(title="holes", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading, kind in (("current", "current"), ("flux", "flux"), ("fluxoid", "flux")):
        table.add_column(f"{heading}, {units[kind]}", justify="right", no_wrap=True)
    for hole in holes:
        numbers = (f"{hole[key]:.6g}" for key in ("current", "flux", "fluxoid"))
        table.add_row(hole["name"], *numbers)
    return table


def order_tables(order: Mapping[str, Any]) -> Iterator[Table]:
    """Yield a table of the ground state in a summary, and one of the thermal averages if any."""
    energy = order["energy"]
    table = Table(title="ground state of the moments", title_justify="left", show_header=False)
    table.add_row(f"energy, {energy['unit']}", f"{energy['value']:.9g}")
    table.add_row("no state is below", f"{energy['lower']:.9g}")
    table.add_row("starts that reached it", f"{order['reached']} of {order['starts']}")
    table.add_row("other states of this energy", "yes" if order["degenerate"] else "none found")
    for name, value in order["parameters"].items():
        table.add_row(name.replace("_", " "), f"{value:.4f}")
    yield table
    if order["thermal"]:
        names = ["energy", "specific_heat", "net_moment"]
        names += [name for name in order["parameters"] if name not in names]
        unit = order["thermal"][0]["unit"]
        table = Table(title=f"thermal averages, energies in {unit}", title_justify="left")
        table.add_column("kT")
        for one in order["thermal"]:
            table.add_column(f"{one['kT']:.5g}", justify="right", no_wrap=True)
        for name in names:
            cells = (
                f"{one[name]['mean']:.5g} ± {one[name]['error']:.1g}" for one in order["thermal"]
            )
            table.add_row(name.replace("_", " "), *cells)
        yield table


def inductance_table(found: Inductance, units: Units | ReducedUnits) -> Table:
    """Return a table of the inductances of all pairs of holes."""
    unit = units.name("inductance")
    table = Table(title=f"inductance, {unit}", title_justify="left")
    table.add_column("", no_wrap=True)
    bounds = found.lower is not None and found.upper is not None
    for heading in ("L", "at least", "at most") if bounds else ("L",):
        table.add_column(heading, justify="right", no_wrap=True)
    for i, one in enumerate(found.holes):
        for j, other in enumerate(found.holes[: i + 1]):
            arrays = (found.matrix, found.lower, found.upper)
            entries = [a[i, j] for a in arrays if a is not None]
            numbers = (f"{units.from_reduced(float(e), 'inductance'):.8g}" for e in entries)
            table.add_row(one if i == j else f"{other}, {one}", *numbers)
    return table


def comparison_table(rows: Iterable[Comparison], *, title: str, reference: str) -> Table:
    """Return a table of ``rows``; the column of references is headed ``reference``."""
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("FEM", reference, "rel. difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        style = None if row.passed else "bold red"
        numbers = (f"{row.computed:.9g}", f"{row.reference:.9g}", f"{row.difference:+.1e}")
        table.add_row(row.name, *numbers, style=style)
    return table
