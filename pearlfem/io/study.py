"""The study in a result's folder, with the files that it names: the folder needs no other."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import tomlkit

from pearlfem.model.study import Study

STUDY = "study.toml"
_COPY = re.compile(r"(study_\d+_)+")


def write_study(folder: Path, study: Study) -> None:
    """Write ``study.toml``, and beside it a copy of each file named by a relative path.

    The copies are ``study_1_NAME``, ``study_2_NAME``, …, which the text then names; all else in it
    stays as it is.

    Raises:
        OSError: A file is gone, or cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    content = tomlkit.parse(study.text)
    copies: dict[Path, str] = {}
    for table in _naming_files(content):
        given = Path(table["file"])
        if given.is_absolute():
            continue
        source = (study.folder / given).resolve()
        if source not in copies:
            # Of a study that is a copy itself, the name of the original.
            copies[source] = f"study_{len(copies) + 1}_{_COPY.sub('', given.name, count=1)}"
            shutil.copyfile(source, folder / copies[source])
        table["file"] = copies[source]
    (folder / STUDY).write_text(tomlkit.dumps(content), encoding="utf-8")


def _naming_files(content: Any) -> Iterator[MutableMapping[str, Any]]:
    """Yield the tables in ``content``, however deep, that name a file."""
    if isinstance(content, MutableMapping):
        if isinstance(content.get("file"), str):
            yield content
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _naming_files(each)
