"""The impurities of a result: points with moments for ParaView, and their interaction tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import meshio
import numpy as np

from pearlfem.errors import StudyError
from pearlfem.io.fields.blocks import label_units
from pearlfem.io.results.arrays import read_arrays
from pearlfem.model.sources.impurity import Impurity
from pearlfem.quantities.arrays import Array
from pearlfem.quantities.units import ReducedUnits, Units

INTERACTION = "interaction.npz"


def write_impurities(
    folder: Path, impurities: Sequence[Impurity], units: Units | ReducedUnits
) -> Path:
    """Write ``impurities.vtu``: points with the unit vector ``moment``, ``strength``, ``size``.

    Raises:
        OSError: It cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    flat = np.zeros((len(impurities), 1))
    points = np.hstack([np.array([i.position for i in impurities]), flat])
    data = {
        "moment": np.hstack([np.array([i.moment for i in impurities]), flat]),
        "strength": units.from_reduced(np.array([i.strength for i in impurities]), "strength"),
        "size": units.from_reduced(np.array([i.size for i in impurities]), "length"),
    }
    cells = [("vertex", np.arange(len(points))[:, None])]
    path = folder / "impurities.vtu"
    meshio.Mesh(units.from_reduced(points, "length"), cells, data).write(path)
    label_units(path, {"strength": units.name("strength"), "size": units.name("length")})
    return path


def write_interaction(
    folder: Path,
    impurities: Sequence[Impurity],
    tensors: Mapping[str, Array],
    units: Units | ReducedUnits,
) -> Path:
    """Write ``interaction.npz``: impurities, tensors and units, for ``numpy.load``.

    Its arrays are ``positions`` (n, 2), ``angles`` [degrees], ``strengths`` and ``sizes`` (n,), a
    tensor (n, n, c, c) named after each formulation, and the names of the units ``length``,
    ``strength`` and ``energy``.

    Args:
        folder: Folder of the file.
        impurities: The n impurities.
        tensors: T of each formulation [μ0Γ²/L].
        units: Units of the numbers in the file.

    Raises:
        OSError: It cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    path = folder / INTERACTION
    np.savez_compressed(
        path,
        allow_pickle=False,
        positions=units.from_reduced(np.array([i.position for i in impurities]), "length"),
        angles=np.array([i.angle for i in impurities]),
        strengths=units.from_reduced(np.array([i.strength for i in impurities]), "strength"),
        sizes=units.from_reduced(np.array([i.size for i in impurities]), "length"),
        length=np.array(units.name("length")),
        strength=np.array(units.name("strength")),
        energy=np.array(units.name("energy")),
        **{name: units.from_reduced(tensor, "energy") for name, tensor in tensors.items()},
    )
    return path


def read_angles(path: Path) -> Array:
    """Return the angles of the moments [degrees] in ``path``, shape ``(n,)``.

    Raises:
        StudyError: It is not what ``write_interaction`` wrote.
    """
    try:
        angles = read_arrays(path, "angles")["angles"].astype(float)
    except ValueError:
        angles = np.array(np.nan)
    if angles.ndim != 1 or not np.isfinite(angles).all():
        raise StudyError(f"{path}: is damaged: its angles are not a row of numbers")
    return angles
