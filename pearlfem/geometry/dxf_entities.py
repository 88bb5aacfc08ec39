"""The entities that a DXF drawing shows on each layer, with those of inserted blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pearlfem.errors import StudyError
from pearlfem.geometry.words import listed, shortened

_MOST_ENTITIES = 200_000  # after all blocks are resolved

_ANNOTATION = {"TEXT", "MTEXT", "ATTDEF", "ATTRIB", "DIMENSION", "LEADER", "MULTILEADER", "POINT"}
_IGNORED = {*_ANNOTATION, "VIEWPORT"}
_EXTERNAL = 4 | 8 | 16  # flags of a block that stands in another file


class _Placed(NamedTuple):
    """An entity and its layer; ``fault`` says why it cannot be used, or is empty."""

    layer: str
    entity: Any
    fault: str = ""


def entities_of_layer(document: Any, layer: str, name: str) -> list[Any]:
    """Return the visible entities on a layer, with inserted blocks and without annotations.

    An entity of a block that is on layer 0 goes to the layer of the insertion. Left out are
    invisible entities and blocks, and blocks that are inserted on a frozen layer.

    Args:
        document: An ``ezdxf`` drawing.
        layer: Name of the layer, in upper or lower case.
        name: Name of the file for messages.

    Raises:
        StudyError: The layer is empty, off or frozen; it has parts of a block that is clipped,
            missing or in another file; there are too many entities, or one cannot be inserted.
    """
    explosion = _Explosion(document, name)
    layers: dict[str, list[_Placed]] = {}
    for number, placed in enumerate(explosion.placed(document.modelspace(), "0", "", ())):
        if number >= _MOST_ENTITIES:
            raise StudyError(
                f"{name}: too many entities; allowed: {_MOST_ENTITIES}, those of inserted blocks "
                "included"
            )
        layers.setdefault(placed.layer, []).append(placed)
    found = [each for key, many in layers.items() if key.lower() == layer.lower() for each in many]
    name = f"{name}, layer {shortened(repr(layer))}"
    if not found:
        names = listed(map(repr, sorted(layers)))
        raise StudyError(f"{name}: nothing is drawn on this layer; allowed: {names}")
    if state := explosion.hidden.get(layer.lower()):
        raise StudyError(f"{name}: this layer is {state} in the drawing; allowed: a visible layer")
    for each in found:
        if each.fault:
            raise StudyError(f"{name}: {each.fault}")
    return [each.entity for each in found]


class _Explosion:
    """Takes blocks apart. ``hidden`` has the state of layers that are not shown, in lower case."""

    def __init__(self, document: Any, name: str) -> None:
        self._name = name
        self.hidden = {
            layer.dxf.name.lower(): "frozen" if layer.is_frozen() else "off"
            for layer in document.layers
            if layer.is_frozen() or layer.is_off()
        }

    def placed(
        self, entities: Iterable[Any], layer: str, fault: str, blocks: tuple[str, ...]
    ) -> Iterator[_Placed]:
        """Yield all visible entities, also those of blocks.

        Args:
            entities: Those of the drawing or of a block.
            layer: On which the block is inserted.
            fault: Why the block cannot be used, or empty.
            blocks: Names of the block and of those around it.
        """
        for entity in entities:
            if entity.dxf.get("invisible", 0) or entity.dxftype() in _IGNORED:
                continue
            own = layer if entity.dxf.layer == "0" else entity.dxf.layer
            if entity.dxftype() != "INSERT":
                yield _Placed(own, entity, fault)
            elif self.hidden.get(own.lower()) != "frozen":
                yield from self._inserted(entity, own, fault, blocks)

    def _inserted(
        self, insert: Any, layer: str, fault: str, blocks: tuple[str, ...]
    ) -> Iterator[_Placed]:
        key = insert.dxf.name.lower()
        words = f"block {shortened(repr(insert.dxf.name))}"
        if key in blocks:
            raise StudyError(
                f"{self._name}: {words} is inserted in itself; allowed: blocks in other blocks"
            )
        if insert.mcount > _MOST_ENTITIES:
            raise StudyError(
                f"{self._name}: a block is inserted {insert.mcount} times; "
                f"allowed: {_MOST_ENTITIES}"
            )
        block = insert.block()
        if block is None or block.block.dxf.flags & _EXTERNAL:
            where = "missing" if block is None else "in another file"
            yield _Placed(
                layer,
                insert,
                f"{words} is {where}; allowed: blocks of this file",
            )
            return
        if _is_clipped(insert):
            fault = (
                f"{words} is clipped (XCLIP) where it is inserted; allowed: blocks that are drawn "
                "whole"
            )
        for one in insert.multi_insert() if insert.mcount > 1 else (insert,):
            inner = one.virtual_entities(skipped_entity_callback=self._refuse)
            yield from self.placed(inner, layer, fault, (*blocks, key))

    def _refuse(self, entity: Any, reason: str) -> None:
        raise StudyError(
            f"{self._name}: {entity.dxftype()} in a block cannot be inserted: {reason}"
        )


def _is_clipped(insert: Any) -> bool:
    """Return whether an insertion shows only a part of its block; copies do not know it."""
    from ezdxf.xclip import XClip

    clip = XClip(insert.origin_of_copy or insert)
    return bool(clip.has_clipping_path and clip.is_clipping_enabled)
