"""The impurities of a result: couplings as tables, moments as arrows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pearlfem.errors import StudyError
from pearlfem.io.report.charts import Chart, Series, chart
from pearlfem.io.report.contents import Interaction
from pearlfem.io.results.arrays import read_arrays
from pearlfem.io.results.impurities import INTERACTION
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.result_shapes import AXES
from pearlfem.quantities.tensors import as_matrix

FEW = 4  # impurities whose tensor is shown as a whole
_LARGEST = 12  # couplings that are listed if there are more
_MOST_DOTS = 3000
_MAP = 420.0  # px of the map of moments
_NUMBERS = ("positions", "angles", "strengths", "sizes")


@dataclass(frozen=True)
class Impurities:
    """The n impurities of interaction.npz, in the units that it names."""

    positions: Array  # (n, 2)
    angles: Array  # degrees
    strengths: Array
    sizes: Array
    length: str
    strength: str


class Entry(NamedTuple):
    """A number of the tensor with its bounds; a self-energy has no ``distance``."""

    name: str
    distance: float | None
    value: float
    lower: float | None
    upper: float | None

    @property
    def gap(self) -> float | None:
        """Upper minus lower bound."""
        return None if self.lower is None or self.upper is None else self.upper - self.lower


class Pair(NamedTuple):
    """The coupling T_ij of two impurities, and the energy m_i·T_ij·m_j of their moments.

    Impurities are counted from 1.
    """

    i: int
    j: int
    distance: float
    tensor: Array  # (c, c)
    energy: float
    gap: float | None


class Arrow(NamedTuple):
    """A moment on the map: the corners of its arrow [px], and its hue [degrees]."""

    points: str
    hue: int


def read_impurities(path: Path) -> Impurities:
    """Return the impurities in interaction.npz.

    Raises:
        StudyError: The file is missing, or is not what a run writes.
    """
    found = read_arrays(path, *_NUMBERS, "length", "strength")
    try:
        positions, angles, strengths, sizes = (found[name].astype(float) for name in _NUMBERS)
    except ValueError as error:
        raise StudyError(f"{path}: is damaged: {error}") from None
    n = len(positions)
    if positions.shape != (n, 2) or any(
        array.shape != (n,) for array in (angles, strengths, sizes)
    ):
        raise StudyError(f"{path}: is damaged: arrays of different lengths")
    units = str(found["length"]), str(found["strength"])
    return Impurities(positions, angles, strengths, sizes, *units)


class Couplings:
    """The interaction tensor with its impurities.

    Raises:
        ValueError: The tensor is for another number of impurities, or bounds have another shape.
    """

    def __init__(self, interaction: Interaction, impurities: Impurities) -> None:
        tensor, self._lower, self._upper = interaction.arrays()
        assert tensor is not None
        if len(tensor) != len(impurities.positions):
            n = len(impurities.positions)
            raise ValueError(f"{len(tensor)} impurities, but {n} in {INTERACTION}")
        self.guaranteed = interaction.guaranteed  # whether bounds are more than estimates
        self.tensor, self._impurities, self.unit = tensor, impurities, interaction.unit

    @property
    def few(self) -> bool:
        """Whether there are so few impurities that the whole tensor is shown."""
        return len(self.tensor) <= FEW

    @property
    def bounded(self) -> bool:
        """Whether both bounds are known."""
        return self._lower is not None and self._upper is not None

    @property
    def components(self) -> int:
        """Number of components of a moment."""
        return int(self.tensor.shape[-1])

    def pairs_of_axes(self) -> list[str]:
        """Return the names of the entries of T_ij: xx, xy and so on."""
        return [a + b for a in self._axes for b in self._axes]

    def matrix(self) -> list[tuple[str, list[float]]]:
        """Return T as named rows of numbers, one for each component of each impurity."""
        return list(zip(self.labels(), as_matrix(self.tensor).tolist(), strict=True))

    def labels(self) -> list[str]:
        """Return the names of rows and columns: 1x, 1y, 2x and so on."""
        return [f"{i + 1}{axis}" for i in range(len(self.tensor)) for axis in self._axes]

    def entries(self) -> Iterator[Entry]:
        """Yield each self-energy T_ii/2 and each coupling T_ij, i < j, with its bounds."""
        for i in range(len(self.tensor)):
            for a, axis in enumerate(self._axes):
                name = f"self-energy {i + 1}, m along {axis}"
                yield self._entry(name, (i, i, a, a), 0.5, None)
            for j in range(i + 1, len(self.tensor)):
                for a, b in np.ndindex(self.components, self.components):
                    name = f"T_{self._axes[a]}{self._axes[b]}, pair {i + 1}–{j + 1}"
                    yield self._entry(name, (i, j, a, b), 1.0, self._distance(i, j))

    def largest_pairs(self) -> list[Pair]:
        """Return the couplings with the largest norm of T_ij; with few impurities all, in order."""
        n = len(self.tensor)
        first, second = np.triu_indices(n, 1)
        norms = np.linalg.norm(self.tensor[first, second], axis=(1, 2))
        chosen = range(len(norms)) if self.few else np.argsort(-norms, kind="stable")[:_LARGEST]
        return [self._pair(int(first[k]), int(second[k])) for k in chosen]

    def self_energies(self) -> tuple[float, float, float]:
        """Return the least, mean and largest energy of one moment alone, over all directions."""
        own = self.tensor[np.arange(len(self.tensor)), np.arange(len(self.tensor))] / 2
        values = np.linalg.eigvalsh((own + own.swapaxes(1, 2)) / 2)
        return float(values.min()), float(values.mean()), float(values.max())

    def energy_of_pairs(self) -> float:
        """Return the energy of all pairs, Σ_{i<j} m_i·T_ij·m_j."""
        m = self._moments()
        every = np.einsum("ia,ijab,jb->ij", m, self.tensor, m)
        return float((every.sum() - np.trace(every)) / 2)

    def against_distance(self) -> Chart:
        """Return a chart of the norm of all couplings against the distance of the impurities."""
        pairs = list(combinations(range(len(self.tensor)), 2))
        pairs = pairs[:: -(-len(pairs) // _MOST_DOTS)]
        r = [self._distance(i, j) for i, j in pairs]
        size = [float(np.linalg.norm(self.tensor[i, j], 2)) for i, j in pairs]
        return chart(
            "couplings against distance",
            ("r", self._impurities.length),
            ("‖T‖", self.unit),
            [Series("", r, size)],
            points=True,
        )

    @property
    def _axes(self) -> tuple[str, ...]:
        return AXES[: self.components]

    def _entry(
        self, name: str, at: tuple[int, int, int, int], factor: float, distance: float | None
    ) -> Entry:
        sides = (self.tensor, self._lower, self._upper)
        value, lower, upper = (None if s is None else factor * float(s[at]) for s in sides)
        assert value is not None
        return Entry(name, distance, value, lower, upper)

    def _pair(self, i: int, j: int) -> Pair:
        m, block = self._moments(), self.tensor[i, j]
        gap = None
        if self._lower is not None and self._upper is not None:
            gap = float((self._upper[i, j] - self._lower[i, j]).max())
        energy = float(m[i] @ block @ m[j])
        return Pair(i + 1, j + 1, self._distance(i, j), block, energy, gap)

    def _distance(self, i: int, j: int) -> float:
        return float(np.hypot(*(self._impurities.positions[i] - self._impurities.positions[j])))

    def _moments(self) -> Array:
        """Return the moments, which lie in the plane, ``(n, c)``."""
        radians = np.radians(self._impurities.angles)
        moments = np.zeros((len(radians), self.components))
        moments[:, :2] = np.column_stack([np.cos(radians), np.sin(radians)])
        return moments


def arrows(impurities: Impurities) -> list[Arrow]:
    """Return all moments as arrows on a square map, coloured by direction."""
    places = impurities.positions
    center = (places.max(axis=0) + places.min(axis=0)) / 2
    extent = float(np.ptp(places, axis=0).max()) or 1.0
    length = min(60.0, 1.6 * _MAP / np.sqrt(len(places)) / 2)
    scale = (_MAP - 1.4 * length) / extent
    shape = length * np.array(
        [
            (-0.5, 0.05),
            (0.1, 0.05),
            (0.1, 0.18),
            (0.5, 0),
            (0.1, -0.18),
            (0.1, -0.05),
            (-0.5, -0.05),
        ]
    )
    return [
        _arrow(_MAP / 2 + scale * (place - center) * (1, -1), angle, shape)
        for place, angle in zip(places, impurities.angles, strict=True)
    ]


def _arrow(at: Array, angle: float, shape: Array) -> Arrow:
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    corners = at + shape @ np.array([[c, -s], [s, c]])  # in a picture, y points down
    return Arrow(" ".join(f"{x:.1f},{y:.1f}" for x, y in corners), round(angle) % 360)
