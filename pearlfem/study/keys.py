"""Keys of a study, written as in messages.

Tables count from 1, as in ``impurity 2.angle``, and numbers in a list from 0: ``applied.field[2]``.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from pearlfem.errors import StudyError

KeyPath = tuple[str | int, ...]  # keys of tables, and indices of lists from 0

_STEP = re.compile(r"([A-Za-z_]\w*)(?: ([1-9]\d{0,5}))?((?:\[\d{1,6}\])*)")


def parse_key(key: str) -> KeyPath:
    """Return the path to ``key``.

    Raises:
        StudyError: It is not written as a key.
    """
    path: list[str | int] = []
    for step in key.split("."):
        match = _STEP.fullmatch(step)
        if match is None:
            raise StudyError(
                f"{key!r} is not a key; allowed: keys as in messages, such as 'film.pearl_length', "
                "'impurity 1.angle' or 'applied.field[2]'"
            )
        name, number, indices = match.groups()
        path += [name, *([int(number) - 1] if number else [])]
        path += [int(index) for index in re.findall(r"\d+", indices)]
    return tuple(path)


def set_key(content: dict[str, Any], key: str, value: Any) -> None:
    """Set ``key`` of a study's ``content``; missing tables are made, missing list entries are not.

    Raises:
        StudyError: A list or an entry on the way to the key is missing, or something else is there.
    """
    path = parse_key(key)
    node: Any = content
    for part, after in pairwise(path):
        _check_step(key, node, part)
        if isinstance(part, str) and isinstance(after, str):
            node = node.setdefault(part, {})
        elif isinstance(part, str) and part not in node:
            raise StudyError(f"{key!r} is not there: the study has no {part!r}")
        else:
            node = node[part]
    _check_step(key, node, path[-1])
    node[path[-1]] = value


def _check_step(key: str, node: Any, part: str | int) -> None:
    if isinstance(part, str) != isinstance(node, dict) or not isinstance(node, dict | list):
        raise StudyError(f"{key!r} is not there: {_described(node)} stands before {part!r}")
    if isinstance(part, int) and part >= len(node):
        raise StudyError(f"{key!r} is not there: the study has {len(node)} of them")


def _described(node: Any) -> str:
    if isinstance(node, dict | list):
        return "a table" if isinstance(node, dict) else "a list"
    return f"the value {node!r}"
