"""The tables of keys on the page demos/STUDY.md, made from the schema of study files.

    python .site/study_reference.py        # writes them anew

A comment ``<!-- keys of FilmTable -->`` on the page is followed by the keys of that class, and more
classes share one table. All the rest of the page is written by hand.
"""

import json
import re
from pathlib import Path
from typing import Any

from docstring_parser import DocstringStyle, parse
from pydantic.json_schema import GenerateJsonSchema

from pearlfem.study.schema import Node
from pearlfem.study.tables import StudyTable

PAGE = Path(__file__).parents[1] / "demos" / "STUDY.md"
KEYS = re.compile(r"<!-- keys of ([\w ]+) -->\n(?:\|.*\n)*")
HEAD = "| key | unit | default | allowed | meaning |\n|---|---|---|---|---|\n"


class DescribedSchema(GenerateJsonSchema):
    """The schema with the lines of the docstrings as descriptions of the keys."""

    def model_schema(self, schema: Any) -> dict[str, Any]:
        """Return the schema of a pydantic model."""
        return described(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        """Return the schema of a pydantic dataclass."""
        return described(super().dataclass_schema(schema), schema["cls"])


def described(content: dict[str, Any], table: type) -> dict[str, Any]:
    """Return the schema of a table with the line of each key, the first sentence under Args.

    Raises:
        KeyError: A key has no line.
    """
    classes = [each for each in table.__mro__ if each.__module__.startswith("pearlfem.")]
    docstrings = [parse(each.__doc__ or "", DocstringStyle.GOOGLE) for each in classes]
    lines = {line.arg_name: line.description or "" for each in docstrings for line in each.params}
    for key, value in content["properties"].items():
        line = docstrings[0].short_description if "const" in value else lines[key]
        value["description"] = re.split(r"(?<=\.)\s", " ".join(line.split()))[0]
    return content


def tables() -> dict[str, Node]:
    """Return all tables of a study file by the names of their classes."""
    study = StudyTable.model_json_schema(schema_generator=DescribedSchema)
    named = {"StudyTable": study, **study["$defs"]}
    return {name: Node(content, study["$defs"]) for name, content in named.items()}


def page(text: str) -> str:
    """Return the page ``text`` with tables of keys as the schema has them now.

    Raises:
        ValueError: A table of the schema is missing, or stands on the page more than once.
    """
    known = tables()
    named = [name for match in KEYS.finditer(text) for name in match[1].split()]
    if sorted(named) != sorted(known):
        raise ValueError(f"keys of {sorted(named)} on the page; needed: {sorted(known)}, once")

    def made(match: re.Match[str]) -> str:
        rows = [line for name in match[1].split() for line in rows_of(known[name])]
        return f"<!-- keys of {match[1]} -->\n{HEAD}" + "".join(rows)

    return KEYS.sub(made, text)


def rows_of(table: Node) -> list[str]:
    """Return the lines of the keys of a table; the key that tells it from others comes first."""
    needed = table.content.get("required", [])
    ordered = sorted(table.keys.items(), key=lambda item: "const" not in item[1].content)
    return [row(key, node, key in needed) for key, node in ordered]


def row(key: str, node: Node, needed: bool) -> str:
    """Return the line of one key."""
    text = node.content["description"]
    meaning = re.sub(r" \[[a-z].*?\]", "", text)  # the unit has its own column
    meaning = re.sub(r'"[\w-]+"', r"`\g<0>`", meaning.replace("``", "`"))
    if "const" in node.content:
        return f"| **`{key} = {json.dumps(node.content['const'])}`** | | | | **{meaning}** |\n"
    cells = (
        f"`{node.tag if node.inline else key}`",
        unit(node, text),
        "needed" if needed else default(node),
        allowed(node),
        meaning,
    )
    return f"| {' | '.join(cells)} |\n"


def unit(node: Node, text: str) -> str:
    """Return what a number measures: a key of [units], or the first words in brackets."""
    while node.element(0).content:
        node = node.element(0)
    brackets = re.search(r" \[([a-z].*?)\]", text)
    return node.quantity or (brackets[1] if brackets else "")


def default(node: Node) -> str:
    """Return the default; a table has none, but its keys have."""
    value = node.content.get("default")
    return "–" if value in (None, []) or node.is_table else code(value)


def code(value: object) -> str:
    """Return a value as in a study file."""
    return f"`{json.dumps(value)}`"


def allowed(node: Node, plural: str = "") -> str:
    """Return what a value may be, in words; ``plural`` is "s" if there are several values."""
    content = node.content
    if node.inline:
        return ", ".join(map(code, node.choices))
    if node.is_table:
        return f"table{plural}"
    if node.choices:
        found = [allowed(each) for each in node.choices.values()]
        return " or ".join(each for each in found if each != "integer" or "number" not in found)
    if "enum" in content:
        return ", ".join(map(code, content["enum"]))
    match content.get("type"):
        case "boolean":
            return "`true`, `false`"
        case "string":
            return f"text{plural}"
        case "array":
            words = (f"list{plural} of", node.length, allowed(node.element(0), "s"))
            return " ".join(filter(None, words))
        case "number" | "integer" as noun:
            return f"{noun}{plural}{limits(content)}"
    return f"value{plural}"


def limits(content: dict[str, Any]) -> str:
    """Return the range of a number, in words."""
    if content.get("not") == {"const": 0}:
        return " ≠ 0"
    if "minimum" in content and "maximum" in content:
        return f" from {content['minimum']:,.9g} to {content['maximum']:,.9g}"
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<"}
    found = [f"{sign} {content[word]:,.9g}" for word, sign in signs.items() if word in content]
    return " " + " and ".join(found) if found else ""


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
