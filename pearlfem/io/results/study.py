"""The study in the folder of a result, with copies of the files that it names."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import tomlkit

from pearlfem.study.study import Study

STUDY = "study.toml"
_COPY = re.compile(r"(study_\d+_)+")


def write_study(folder: Path, study: Study) -> None:
    """Write ``study.toml``, and beside it copies of the files that it names by relative paths.

    Raises:
        OSError: A file does not exist any more, or cannot be written.

    Note:
        Not collective: call it on one rank.
    """
    text, copies = self_contained(study.text, study.folder)
    for source, name in copies.items():
        shutil.copyfile(source, folder / name)
    (folder / STUDY).write_text(text, encoding="utf-8")


def self_contained(text: str, origin: Path) -> tuple[str, dict[Path, str]]:
    """Return the text of a study that names copies of its files, and the name of each copy.

    A file with a path relative to ``origin`` becomes ``study_1_NAME``, ``study_2_NAME`` and so on.
    The rest of the text stays as it is.
    """
    if not any(_naming_files(tomllib.loads(text))):
        return text, {}
    content = tomlkit.parse(text)  # keeps comments, and is ten times slower
    copies: dict[Path, str] = {}
    for table in _naming_files(content):
        given = Path(table["file"])
        if given.is_absolute():
            continue
        source = (origin / given).resolve()
        # If the study is itself a copy: the name of the original.
        name = f"study_{len(copies) + 1}_{_COPY.sub('', given.name, count=1)}"
        table["file"] = copies.setdefault(source, name)
    return tomlkit.dumps(content), copies


def _naming_files(content: Any) -> Iterator[MutableMapping[str, Any]]:
    """Yield all tables in ``content`` that name a file, at any depth."""
    if isinstance(content, MutableMapping):
        if isinstance(content.get("file"), str):
            yield content
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _naming_files(each)
