"""One page of HTML for a result or a sweep: pictures, curves and style inside, no scripts.

Titles, names and texts of files are not to be trusted: Jinja escapes all of them, and the page's
policy lets a browser load nothing from anywhere.
"""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path

import jinja2

from pearlfem.errors import StudyError
from pearlfem.io.folder import SUMMARY
from pearlfem.io.html import sweep, text
from pearlfem.io.html.result import is_result, result_content

PAGE = sweep.PAGE


def write_page(folder: Path) -> Path:
    """Write report.html into the folder of a result or of a sweep; return its path.

    It is written anew, and replaces an earlier one as a whole.

    Raises:
        StudyError: ``folder`` holds neither, a file in it is missing or damaged, or the page cannot
            be written.

    Note:
        Not collective: call it on one rank.
    """
    if is_result(folder):
        page = _environment().get_template("result.html").render(result_content(folder))
    elif sweep.is_sweep(folder):
        page = _environment().get_template("sweep.html").render(sweep.sweep_content(folder))
    else:
        raise StudyError(f"{folder}: holds no {SUMMARY} of a run and no {sweep.TABLE} of a sweep")
    return _replace(folder / PAGE, page)


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


def _replace(path: Path, content: str) -> Path:
    new = path.with_name(f".unfinished-{uuid.uuid4().hex}")
    try:
        try:
            new.write_text(content, encoding="utf-8")
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise StudyError(f"{path}: cannot be written: {error.strerror}") from None
    return path
