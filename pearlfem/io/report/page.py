"""One HTML page of a result or a sweep, with pictures, curves and style inside and no scripts.

Titles, names and texts in files may come from anywhere: Jinja escapes all of them, and the policy
of the page forbids the browser to load anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from pearlfem.errors import StudyError
from pearlfem.io.report import sweep, text
from pearlfem.io.report.result import is_result, result_content
from pearlfem.io.results.folder import PAGE, SUMMARY, held_folder
from pearlfem.io.results.sweep_folder import CSV
from pearlfem.runtime.atomic import atomic_file
from pearlfem.runtime.files import AnyPath


def write_page(folder: AnyPath) -> Path:
    """Write report.html into the folder of a result or of a sweep; return its path.

    It replaces an earlier page at once.

    Raises:
        StudyError: ``folder`` holds neither, a file in it is missing or damaged, a run writes to it
            now, or the page cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    folder = Path(folder)
    if is_result(folder):
        with held_folder(folder):  # otherwise a run may replace the result meanwhile
            return _render(folder, "result.html", result_content(folder))
    if sweep.is_sweep(folder):
        return _render(folder, "sweep.html", sweep.sweep_content(folder))
    raise StudyError(f"{folder}: holds no {SUMMARY} of a run and no {CSV} of a sweep")


def _render(folder: Path, template: str, content: Mapping[str, Any]) -> Path:
    return _write(folder / PAGE, _environment().get_template(template).render(content))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (text.number, text.bounded, text.unit, text.greek)
    environment.filters |= {function.__name__: function for function in filters}
    return environment


def _write(path: Path, content: str) -> Path:
    try:
        with atomic_file(path) as part:
            part.write_text(content, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be written: {error.strerror}") from None
    return path
