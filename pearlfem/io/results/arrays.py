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
        names: Which arrays; all if there is none.

    Raises:
        StudyError: The file is missing or damaged, or has no array of such a name.

    Note:
        Not collective: call it on one rank.
    """
    try:
        # Opened here, for NumPy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            return {name: content[name] for name in names or content.files}
    except FileNotFoundError:
        raise StudyError(f"{path}: is missing") from None
    except Exception as error:  # a damaged file makes NumPy and zipfile raise anything
        raise StudyError(f"{path}: is damaged: {error}") from None
