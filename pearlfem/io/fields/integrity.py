"""Checks that files are complete: a copy may be damaged or cut off.

VTK trusts the numbers in a file: a wrong number crashes the whole program.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import pyvista

from pearlfem.errors import StudyError

_CORNERS = 6  # of a quadratic triangle


def check_film(folder: Path) -> None:
    """Refuse a damaged film.vtu or film.pvtu in ``folder``; a missing one is not an error.

    Raises:
        StudyError: The file is not what a run writes.

    Note:
        Not collective: call it on one rank.
    """
    for path in sorted(folder.glob("film.*vtu")):
        kept = logging.root.manager.disable
        logging.disable()  # PyVista logs the messages of VTK
        try:
            with pyvista.vtk_verbosity("off"), warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # otherwise PyVista goes on
                _check_grid(pyvista.read(path))
        except Exception as error:  # PyVista may raise any error
            reason = " ".join(str(error).split())
            raise StudyError(f"{path}: cannot be read, or is damaged: {reason}") from None
        finally:
            logging.disable(kept)


def _check_grid(grid: pyvista.UnstructuredGrid) -> None:
    cells = np.asarray(grid.cells)
    rows = cells.reshape(-1, _CORNERS + 1)
    places = np.arange(len(grid.points)).reshape(-1, _CORNERS)
    if not len(rows) or np.any(rows[:, 0] != _CORNERS):
        raise ValueError("its cells are not triangles")
    if np.any(rows[:, 1:] < 0) or np.any(rows[:, 1:] > places.max()) or len(rows) != len(places):
        raise ValueError("its triangles have wrong corners")
    if not np.isfinite(grid.points).all():
        raise ValueError("a corner has no coordinates")
    if np.shape(grid["K"]) != (places.size, 3) or not np.isfinite(grid["K"]).any():
        raise ValueError("it has no sheet current K")
