"""The folder of a sweep: a folder for each point, and a table of all that are done.

A point is done when its summary.json is there. Any number of jobs may work on different points of
one sweep at the same time, and any of them may be killed at any time: files are replaced whole.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from filecmp import cmp
from pathlib import Path
from typing import Any

from pearlfem.errors import StudyError
from pearlfem.io.results.folder import SUMMARY, held_folder
from pearlfem.io.results.lock import HIDDEN
from pearlfem.io.results.study import STUDY, self_contained
from pearlfem.io.results.sweep_rows import Row, as_columns, result_cells
from pearlfem.runtime.atomic import atomic_file
from pearlfem.study.sweep import Sweep, SweepPoint

FAILED = "failed.txt"
SWEEP = "sweep.toml"
CSV, PARQUET = "table.csv", "table.parquet"
POINT = re.compile(r"\d{4,6}")


class SweepFolder:
    """Folder of a sweep.

    Args:
        path: Path of the folder.
        sweep: The sweep whose results it holds.

    Note:
        Its methods are not collective: call them on one rank.
    """

    def __init__(self, path: Path, sweep: Sweep) -> None:
        self.path, self.sweep = path, sweep
        self._rows: dict[int, Row] = {}

    def open(self, *, force: bool = False) -> None:
        """Make the folder if it is missing, and bring its table up to date.

        Args:
            force: Remove the points of another sweep.

        Raises:
            StudyError: The folder holds something else and ``force`` is not set, or it cannot be
                written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._remove_strangers(force)
            self._settle()
            text = self.sweep.text
            with atomic_file(self.path / SWEEP) as new:
                new.write_text(text, encoding="utf-8")
            self.update_table()
        except OSError as error:
            raise StudyError(
                f"output folder {self.path}: cannot be written: {error.strerror}"
            ) from None

    def is_done(self, point: SweepPoint) -> bool:
        """Return whether there is a result of ``point``."""
        return (self.path / point.folder / SUMMARY).is_file()

    def failure(self, point: SweepPoint) -> str | None:
        """Return the reason why ``point`` failed; None if it did not."""
        try:
            return (self.path / point.folder / FAILED).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    def note_failure(self, point: SweepPoint, reason: str) -> None:
        """Write the reason why ``point`` failed."""
        folder = self.path / point.folder
        folder.mkdir(exist_ok=True)
        with atomic_file(folder / FAILED) as new:
            new.write_text(reason + "\n", encoding="utf-8")

    def forget_failure(self, point: SweepPoint) -> None:
        """Remove the reason that ``note_failure`` wrote."""
        (self.path / point.folder / FAILED).unlink(missing_ok=True)

    def update_table(self) -> None:
        """Write table.csv and table.parquet again if more points are done.

        Other jobs may do the same at the same time. After writing, each job looks for new points
        again, so the last one to write has all of them.
        """
        while self._read_rows():
            columns = as_columns([self._rows[number] for number in sorted(self._rows)])
            with atomic_file(self.path / CSV) as new:
                _write_csv(columns, new)
            with atomic_file(self.path / PARQUET) as new:
                _write_parquet(columns, new)

    def _read_rows(self) -> bool:
        """Read the summaries of new points; return whether there are any."""
        before, columns = len(self._rows), self.sweep.columns
        for point in self.sweep.points:
            if point.number not in self._rows:
                with suppress(FileNotFoundError):
                    text = (self.path / point.folder / SUMMARY).read_text(encoding="utf-8")
                    given = dict(zip(columns, self.sweep.cells(point), strict=True))
                    results = result_cells(json.loads(text))
                    self._rows[point.number] = {"point": point.number} | given | results
        return len(self._rows) > before

    def _settle(self) -> None:
        """Tidy up the folders of points whose jobs were killed."""
        for point in self.sweep.points:
            folder = self.path / point.folder
            if (folder / HIDDEN).exists():
                with suppress(StudyError), held_folder(folder):  # a running job keeps its lock
                    pass

    def _remove_strangers(self, force: bool) -> None:
        """Refuse everything that does not belong to this sweep, or remove points of another."""
        visible = [path for path in self.path.iterdir() if not path.name.startswith(".")]
        if visible and not (self.path / SWEEP).is_file() and not force:
            raise StudyError(
                f"output folder {self.path}: is not empty, and no sweep; allowed: a new or empty "
                "folder, that of the same sweep, or --force"
            )
        points = self.sweep.points
        own = {p.folder: self_contained(p.text, p.origin) for p in points}
        found = [path for path in visible if POINT.fullmatch(path.name)]
        strangers = [path for path in found if _other_study(path, own.get(path.name))]
        if strangers and not force:
            raise StudyError(
                f"output folder {self.path}: holds points of another sweep, or of files that have "
                f"changed, such as {min(strangers).name}; allowed: the same sweep, a new or empty "
                "folder, or --force to remove them"
            )
        for path in strangers:
            shutil.rmtree(path)
        if strangers:
            (self.path / CSV).unlink(missing_ok=True)
            (self.path / PARQUET).unlink(missing_ok=True)


def _other_study(folder: Path, own: tuple[str, Mapping[Path, str]] | None) -> bool:
    """Return whether ``folder`` has the result of another study, or of files that changed since.

    Args:
        folder: Folder of a point.
        own: ``self_contained`` of the study of this point; None if the sweep has no such point.
    """
    try:
        text = (folder / STUDY).read_text(encoding="utf-8")
        if own is None or text != own[0]:
            return True
        return not all(cmp(file, folder / copy, shallow=False) for file, copy in own[1].items())
    except FileNotFoundError:  # a failed run, or another job publishes now
        return False


def _write_csv(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))  # None is an empty cell


def _write_parquet(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    import pyarrow  # takes a moment to load
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(dict(columns)), path)
