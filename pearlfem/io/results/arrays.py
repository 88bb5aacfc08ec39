"""Arrays in a .npz file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pearlfem.errors import StudyError


def read_arrays(path: Path, *names: str) -> dict[str, npt.NDArray[Any]]:
    """Return arrays of a .npz file.

    Args:
        path: The file.
        names: Names of the arrays to read; all arrays if there is no name.

    Raises:
        StudyError: The file is missing or damaged, or has no array of such a name.

    Note:
        Not collective: call it on one rank.
    """
    try:
        # Opened here, because NumPy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            return {name: content[name] for name in names or content.files}
    except FileNotFoundError:
        raise StudyError(f"{path}: is missing") from None
    except Exception as error:  # NumPy and zipfile raise many kinds of errors
        raise StudyError(f"{path}: is damaged: {error}") from None
