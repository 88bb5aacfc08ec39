"""The table [boundary] of a study file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from pearlfem.errors import StudyError
from pearlfem.model.boundary import Boundary, Box, Open, Position, Walls
from pearlfem.model.film import Film
from pearlfem.model.periodic import Cell, Periodic
from pearlfem.quantities.annotated import Table


class BoundaryTable(Table):
    """[boundary]: what surrounds the film; each kind has its own keys."""

    kind: Literal["open", "shield", "magnetic-wall", "periodic"] = "open"
    box: Box | None = None
    center: Position | None = None
    cell: Cell | None = None

    def boundary(self, film: Film) -> Boundary:
        """Return what surrounds ``film``, walls by default around its centre.

        Raises:
            StudyError: A key is missing, or belongs to another kind.
        """
        if self.kind in ("open", "periodic"):
            walls = "kind = 'shield' or 'magnetic-wall', whose walls it places"
            self._refuse(("box", "center"), walls)
        if self.kind != "periodic":
            self._refuse(("cell",), "kind = 'periodic', whose vectors it gives")
        if self.kind == "open":
            return Open()
        if self.kind == "periodic":
            if self.cell is None:
                raise self._missing("cell", "the vectors [[ax, ay], [bx, by]] of the cell")
            return Periodic(self.cell)
        if self.box is None:
            raise self._missing("box", "the sizes [x, y, z] of the box whose faces are walls")
        return Walls(self.kind, self.box, self.center or (*film.center, 0.0))

    def _missing(self, key: str, allowed: str) -> StudyError:
        return StudyError(
            f"boundary.{key}: missing, but needed with kind = {self.kind!r}; allowed: {allowed}"
        )

    def _refuse(self, keys: Sequence[str], allowed: str) -> None:
        for key in keys:
            if (value := getattr(self, key)) is not None:
                raise StudyError(
                    f"boundary.{key} = {np.array(value).tolist()}: not allowed with "
                    f"kind = {self.kind!r}; allowed: {allowed}"
                )
