"""Names from files in messages, which stay short whatever is in the file."""

from __future__ import annotations

from collections.abc import Iterable

_MOST_LISTED = 12
_LONGEST = 80  # characters of a name


def listed(words: Iterable[str]) -> str:
    """Return words with commas between them: the first ones, and how many more there are."""
    all_words = [shortened(word) for word in words]
    more = len(all_words) - _MOST_LISTED
    ending = [f"and {more} more"] if more > 0 else []
    return ", ".join(all_words[:_MOST_LISTED] + ending) or "none"


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return a text on one line, cut off where it is too long, that can be printed."""
    line = " ".join(text.encode(errors="replace").decode().split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
