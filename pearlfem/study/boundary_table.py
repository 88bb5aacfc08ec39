"""[boundary] of a study file: what surrounds the film."""

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
    """[boundary]: what surrounds the film; each kind has its own keys.

    Args:
        kind: Open space, superconducting walls (B·n = 0), magnetic walls (n × H = 0), or a lattice.
        box: Sizes along x, y, z of the box whose faces are the walls [length]; x and y may be inf.
        center: Centre (x, y, z) of the box [length]; without it the film's centre.
        cell: The two vectors that repeat the cell of a lattice [length].
    """

    kind: Literal["open", "shield", "magnetic-wall", "periodic"] = "open"
    box: Box | None = None
    center: Position | None = None
    cell: Cell | None = None

    def build(self, film: Film) -> Boundary:
        """Return what surrounds ``film``.

        Raises:
            StudyError: A key is missing, or belongs to another kind.
        """
        if self.kind in ("open", "periodic"):
            self._refuse(("box", "center"), "kind = 'shield' or 'magnetic-wall'")
        if self.kind != "periodic":
            self._refuse(("cell",), "kind = 'periodic'")
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
