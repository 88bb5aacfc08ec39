"""The schema of a study file: pydantic's JSON schema of the tables, and how to walk along it.

It has two words that JSON Schema does not have. ``quantity`` says what a number measures.
``inline`` marks a table whose keys stand among the keys of the table that holds it.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from pydantic import BaseModel, Field

from pearlfem.quantities.units import Kind

INLINE = Field(json_schema_extra={"inline": True})


class Node:
    """A part of a schema: a table, a list, a value, or a choice between several of these.

    A reference, or a value that may be left out, has the content of what it stands for.

    Args:
        content: The part, in the words of JSON Schema.
        definitions: The parts that references name.
    """

    def __init__(self, content: dict[str, Any], definitions: dict[str, Any]) -> None:
        self._definitions = definitions
        self.content = self._resolved(content)

    def _resolved(self, content: dict[str, Any]) -> dict[str, Any]:
        others = {word: value for word, value in content.items() if word not in ("$ref", "anyOf")}
        if "$ref" in content:
            name = content["$ref"].rpartition("/")[2]
            return self._resolved(self._definitions[name] | others)
        choices = [choice for choice in content.get("anyOf", ()) if choice.get("type") != "null"]
        if len(choices) == 1:
            return self._resolved(choices[0] | others)
        return others | {"anyOf": choices} if choices else others

    def _node(self, content: dict[str, Any]) -> Node:
        return Node(content, self._definitions)

    @cached_property
    def keys(self) -> dict[str, Node]:
        """What stands in this table, by key; empty if this is no table."""
        properties = self.content.get("properties", {})
        return {key: self._node(content) for key, content in properties.items()}

    @cached_property
    def choices(self) -> dict[str, Node]:
        """What this may be: by the value of ``tag``, or without a tag by the name of its type."""
        if self.tag is None:
            nodes = [self._node(content) for content in self.content.get("anyOf", ())]
            return {str(n.content.get("title", n.content.get("type"))): n for n in nodes}
        nodes = [self._node(content) for content in self.content["oneOf"]]
        return {node.keys[self.tag].content["const"]: node for node in nodes}

    @property
    def tag(self) -> str | None:
        """The key that says which of several tables this is, such as ``shape``."""
        discriminator = self.content.get("discriminator")
        return None if discriminator is None else str(discriminator["propertyName"])

    @property
    def inline(self) -> bool:
        """Whether the keys of this table stand among the keys of the table that holds it."""
        return bool(self.content.get("inline"))

    @property
    def is_table(self) -> bool:
        """Whether this is a table, or one of several tables."""
        return bool(self.keys) or self.tag is not None

    @cached_property
    def quantity(self) -> Kind | None:
        """What this number, or one of the ``choices``, measures; None if it has no unit."""
        kinds = [self.content.get("quantity"), *(node.quantity for node in self.choices.values())]
        return next((kind for kind in kinds if kind is not None), None)

    @cached_property
    def positive(self) -> bool:
        """Whether this number, or one of the ``choices``, may not be negative."""
        limits = self.content.keys() & {"exclusiveMinimum", "minimum"}
        return bool(limits) or any(node.positive for node in self.choices.values())

    @property
    def length(self) -> str:
        """How many entries this list may have, in words; empty if any number is allowed."""
        least, most = self.content.get("minItems", 0), self.content.get("maxItems")
        if most is None:
            return f"{least} or more" if least else ""
        return f"{least}" if least == most else f"{least} to {most}"

    def element(self, index: int) -> Node:
        """Return what stands in this list at ``index``; an empty node if nothing is allowed."""
        return self._fixed[index] if index < len(self._fixed) else self._items

    @cached_property
    def _fixed(self) -> list[Node]:
        return [self._node(content) for content in self.content.get("prefixItems", ())]

    @cached_property
    def _items(self) -> Node:
        return self._node(self.content.get("items", {}))

    def find(self, key: str, table: Any) -> Node:
        """Return what ``key`` is in this table; an empty node if it is not allowed.

        Args:
            key: The key.
            table: The table as a study has it, whose tag says which of several tables it is.
        """
        if key in self.keys:
            return self.keys[key]
        tag = table.get(self.tag) if isinstance(table, dict) else None
        inner = [node for node in self.keys.values() if node.inline]
        inner += [node for name, node in self.choices.items() if self.tag is None or name == tag]
        nodes = [node.find(key, table) for node in inner]
        return next((node for node in nodes if node.content), self._node({}))


@cache
def schema(table: type[BaseModel]) -> Node:
    """Return the schema of a table."""
    content = table.model_json_schema()
    return Node(content, content.get("$defs", {}))
