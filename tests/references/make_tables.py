"""Write the tables in this folder, for tests of the solver with parameters that no other table has.

    PYTHONPATH=tests python -m references.make_tables

Reduced units: μ0 = Φ0 = Γ = 1, κ = 2/r0; discs have unit radius.
The tables have mutual energies W; a single source has F = W/2. T is for two impurities, V_x and V_y
for a vortex (at the first position) and an impurity (at the second) with the angle 0 or 90 degrees,
V_v for two vortices. m_x, m_y and m_v are their magnetic moments. `size` is that of all sources;
size 0 means points, and energies of points at one position are only the part that the edge adds.
`error` is the change with a finer basis, relative to the largest number of the same kind in a row.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from references.annulus import Ring
from references.disc import Field, Impurity, Vortex, mutual_energies

PEARL_LENGTHS = (0.03, 0.3, 3.0)
SIZES = (0.1, 0.03, 0.0)
POSITIONS = ((0.6, 0.0), (0.48, 0.64), (-0.57, 0.76))  # at 0.6, 0.8 and 0.95 from the centre
RINGS = ((0.1, 1.0), (0.4, 1.0), (0.9, 1.0))
DIGITS = ".13g"


def write(name: str, header: str, rows: Iterable[Sequence[float]]) -> None:
    with Path(__file__).with_name(name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split())
        writer.writerows([format(value, DIGITS) for value in row] for row in rows)


def with_error(row: list[float], coarse: Sequence[Sequence[float]], fine) -> list[float]:
    """Add to the row all fine numbers, and the largest change of a group relative to its size."""
    largest = 0.0
    for before, after in zip(coarse, fine, strict=True):
        scale = np.abs(after).max()
        largest = max(largest, np.abs(np.subtract(before, after)).max() / scale)
        row = row + [value if abs(value) > 1e-14 * scale else 0.0 for value in after]
    return [*row, float(f"{largest:.0e}")]


def energies(pearl_length: float, size: float, resolution: float):
    """W of impurities and vortices at all positions, shape (n, 3, n, 3), and moments, (n, 3)."""
    sources = [
        source
        for position in POSITIONS
        for source in (
            Impurity(position, size, 0.0),
            Impurity(position, size, 90.0),
            Vortex(position, size),
        )
    ]
    W = mutual_energies(pearl_length, [*sources, Field()], resolution)
    n = len(POSITIONS)
    return W[:-1, :-1].reshape(n, 3, n, 3), -W[:-1, -1].reshape(n, 3)


def groups(W):
    """Groups of the energies (3, 3) of two positions: impurities, vortex and impurity, vortices."""
    return [W[:2, :2].ravel(), W[2, :2], W[2, 2:]]


def disc_tables() -> tuple[list, list]:
    """Rows for single positions, and rows for pairs of positions."""
    selves, pairs = [], []
    for r0 in PEARL_LENGTHS:
        for size in SIZES:
            (W, m), (finer, moments) = (energies(r0, size, factor) for factor in (1.0, 1.2))
            for i, place in enumerate(POSITIONS):
                coarse = [*groups(W[i, :, i]), m[i, :2], m[i, 2:]]
                fine = [*groups(finer[i, :, i]), moments[i, :2], moments[i, 2:]]
                selves.append(with_error([r0, size, *place], coarse, fine))
                for j in range(i):
                    places = [r0, size, *POSITIONS[j], *place]
                    pairs.append(with_error(places, groups(W[j, :, i]), groups(finer[j, :, i])))
    return selves, pairs


def field_rows() -> Iterator[list[float]]:
    for r0 in PEARL_LENGTHS:
        coarse, fine = (-mutual_energies(r0, [Field()], factor)[0] for factor in (1.0, 1.5))
        yield with_error([r0], [coarse], [fine])


def ring_rows() -> Iterator[list[float]]:
    for inner, outer in RINGS:
        for r0 in PEARL_LENGTHS:
            coarse, fine = (ring_values(Ring(inner, outer, r0, order)) for order in (10, 14))
            yield with_error([inner, outer, r0], coarse, fine)


def ring_values(ring: Ring) -> list[list[float]]:
    trapped, screening = ring.solve(fluxoid=1.0), ring.solve(field=1.0)
    middle = (ring.inner + ring.outer) / 2
    return [
        [1 / trapped.current],
        [2 * trapped.kinetic_energy / trapped.current**2],
        [trapped.hole_flux],
        [trapped.moment],
        [trapped.stream_function(middle)],
        [screening.hole_flux],
        [screening.moment],
        [screening.stream_function(middle)],
    ]


if __name__ == "__main__":
    tensor = "T_xx T_xy T_yx T_yy V_x V_y V_v"
    selves, pairs = disc_tables()
    write("disc_self.csv", f"r0 size x y {tensor} m_x m_y m_v error", selves)
    write("disc_pairs.csv", f"r0 size x1 y1 x2 y2 {tensor} error", pairs)
    write("disc_field.csv", "r0 moment error", field_rows())
    write(
        "ring.csv",
        "inner outer r0 inductance kinetic_inductance hole_flux moment g_middle "
        "field_hole_flux field_moment field_g_middle error",
        ring_rows(),
    )
