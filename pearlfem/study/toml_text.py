"""The text of a study file as tables and lists; texts that are nested too deeply are refused."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from pearlfem.errors import StudyError

DEEPEST = 64  # levels of tables and lists; a union in a union adds two
_SHOWN = 40  # characters that a message shows of a key that is too long

_PART = r"""(?:[\w-]++|"(?:\\.|[^"\\\n])*+"|'[^'\n]*+')[ \t]*+"""
# tomllib needs time in proportion to the square of the parts of a key, so count them before.
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+((?:{_PART}\.[ \t]*+){{{DEEPEST}}})", re.MULTILINE)


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Return the content of a TOML file.

    Args:
        text: The file.
        name: What messages call it.

    Raises:
        StudyError: ``text`` is not TOML, or has more levels than ``DEEPEST``.
    """
    if match := _LONG_KEY.search(text):
        raise StudyError(
            f"{name}: {match[1][:_SHOWN]}…: a key of more than {DEEPEST} parts; allowed: at most "
            f"{DEEPEST}"
        )
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # also a plain ValueError, for a number of 5000 digits
        raise StudyError(f"{name}: not a TOML file: {error}") from None
    except RecursionError:
        raise StudyError(f"{name}: not a study: too many brackets inside each other") from None
    for key, value in content.items():
        if (depth := _depth(value)) >= DEEPEST:
            raise StudyError(
                f"{name}: {key}: tables and lists {depth + 1} deep inside each other; allowed: at "
                f"most {DEEPEST}"
            )
    return content


def _depth(value: Any) -> int:
    """Return how many levels of tables and lists there are."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [x for each in level for x in (each.values() if isinstance(each, dict) else each)]
    return depth
