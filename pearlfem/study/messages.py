"""What is wrong with a study, in words: the key as the user wrote it, its value, what is allowed.

All of this comes from the error and from the schema of the tables: a new table or key needs no
change here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from pearlfem.errors import StudyError
from pearlfem.study.schema import Node, schema

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_NO_TABLE = ("model_type", "model_attributes_type", "dataclass_type", "dict_type")
_VALUE = 80  # most characters of a value in a message
_LINE = 500  # most characters of a line …
_MESSAGE = 1500  # … and of a message, after which further faults are only counted
_NO_LIST = ("tuple_type", "list_type", "too_short", "too_long")


class _Place(NamedTuple):
    """Where an error is: its key, the schema there, and all keys that may stand beside it."""

    key: str
    node: Node
    allowed_keys: list[str]


def explain(error: ValidationError, table: type[BaseModel], name: str = "") -> str:
    """Return one line for each fault: its key, its value, and what is allowed.

    Args:
        error: What the validation raised.
        table: What was validated.
        name: The key of that table in the study; empty for the whole study.
    """
    faults = error.errors(include_url=False)
    places = [_place(fault["loc"], schema(table), name) for fault in faults]
    lines: dict[str, str] = {}
    for place, fault in zip(places, faults, strict=True):
        key = place.key
        if fault["type"] == "too_short" and _has_inner(key, places):
            continue  # pydantic counts only the entries without a fault
        if key not in lines:
            lines[key or str(len(lines))] = _line(fault, place)
        elif "allowed: " in lines[key]:  # the value is none of several types
            lines[key] += f", or {_allowed(fault, place).removeprefix('allowed: ')}"
    return "\n  ".join(lines.values())


def shown(value: Any) -> str:
    """Return a value as messages show it: its end is left out if it is longer than a line."""
    text = repr(value)
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def brief(message: str) -> str:
    """Return a message of one fault per line, of a length that can be read.

    Left out are the middle of long lines, for the key is at their start and what is allowed at
    their end, and lines at the end of a long message.
    """
    lines = [
        line if len(line) <= _LINE else f"{line[: _LINE // 2]} … {line[-_LINE // 2 :]}"
        for line in message.split("\n")
    ]
    kept, length = lines[:1], len(lines[0])
    for line in lines[1:]:
        length += len(line) + 1
        if length > _MESSAGE:
            break
        kept.append(line)
    if len(kept) < len(lines):
        kept.append(f"  and {len(lines) - len(kept)} more")
    return "\n".join(kept)


def _has_inner(key: str, places: Sequence[_Place]) -> bool:
    """Return whether one of ``places`` is an entry of the list at ``key``."""
    return any(place.key.startswith((f"{key} ", f"{key}[")) for place in places)


def _place(location: tuple[int | str, ...], node: Node, name: str) -> _Place:
    """Return the place at pydantic's ``location``, which also names tags and types of choices."""
    words = [name] if name else []
    keys: list[str] = []
    beside: list[str] = []
    for part in location:
        if node.choices:
            node = node.choices.get(str(part), Node({}, {}))
        elif isinstance(part, int):
            node = node.element(part)
            words[-1] += f" {part + 1}" if node.is_table else f"[{part}]"
        else:
            keys = [key for key, each in node.keys.items() if not each.inline] + beside
            node = node.keys.get(part, Node({}, {}))
            beside = keys if node.inline else []
            words += [] if node.inline else [part]
    return _Place(".".join(words), node, keys)


def _line(fault: Mapping[str, Any], place: _Place) -> str:
    key, node, value = place.key, place.node, shown(fault["input"])
    match fault["type"]:
        case "missing":
            return f"{key}: missing, but needed"
        case "union_tag_not_found":
            return f"{key}.{node.tag}: missing, but needed; allowed: {_listed(node)}"
        case "union_tag_invalid":
            wrong = shown(fault["ctx"]["tag"])
            return f"{key}.{node.tag} = {wrong}: not allowed; allowed: {_listed(node)}"
        case kind if kind in _UNKNOWN_KEY:
            allowed = ", ".join(place.allowed_keys)
            return f"{key} = {value}: not a key that this version knows; allowed here: {allowed}"
    if isinstance(error := fault.get("ctx", {}).get("error"), StudyError):
        return f"{key}: {error}" if key else str(error)
    return f"{key} = {value}: not allowed; {_allowed(fault, place)}"


def _allowed(fault: Mapping[str, Any], place: _Place) -> str:
    if fault["type"] in _NO_TABLE:
        return f"allowed: {_table(place.node)}"
    if fault["type"] in _NO_LIST:
        return f"allowed: {_list(place)}"
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return re.sub("^[Ii]nput should be ", "allowed: ", reason)


def _table(node: Node) -> str:
    """Return how a table should be, in words."""
    if node.tag is not None:
        return f"a table with {node.tag} = {_listed(node)}"
    keys = [str(each.tag) if each.inline else key for key, each in node.keys.items()]
    return f"a table with the key{'s' if len(keys) > 1 else ''} {', '.join(keys)}"


def _list(place: _Place) -> str:
    """Return how a list should be, in words."""
    tables = place.node.element(0).is_table
    words = ("a list of", place.node.length, "tables" if tables else "values")
    header = f", written as [[{place.key}]]" if tables and " " not in place.key else ""
    return " ".join(filter(None, words)) + header


def _listed(node: Node) -> str:
    return ", ".join(map(repr, node.choices))
