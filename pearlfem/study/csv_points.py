"""Points from a CSV file, as a probe."""

from __future__ import annotations

from pathlib import Path

from pydantic import (
    TypeAdapter,
    ValidationError,
)

from pearlfem.errors import StudyError
from pearlfem.model.probes import MOST_SAMPLES, PointsProbe, PositionOrPoint
from pearlfem.quantities.units import ReducedUnits, Units
from pearlfem.study.csv_rows import cell_value, csv_rows

_PLACE: TypeAdapter[tuple[float, float, float]] = TypeAdapter(PositionOrPoint)


def read_points(path: Path, name: str, units: Units | ReducedUnits) -> PointsProbe:
    """Return the probe ``name`` of the points in a CSV file with columns x, y and, maybe, z.

    Without z they lie on the film.

    Raises:
        StudyError: The file cannot be read, or a number in it is none.
    """
    points = []
    for row, cells in csv_rows(path, str(path), ("x", "y"), ("z",), MOST_SAMPLES):
        given = [cell_value(cells[axis]) for axis in "xyz" if axis in cells]
        try:
            points.append(_PLACE.validate_python(given, context=units))
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            column = "xyz"[int(fault["loc"][0])]
            raise StudyError(
                f"{path}: row {row}, column {column} = {cells[column]!r}: not allowed; "
                f"{fault['msg']}"
            ) from None
    try:
        return PointsProbe(name=name, points=tuple(points))
    except ValidationError as error:
        raise StudyError(f"{path}: {error.errors(include_url=False)[0]['msg']}") from None
