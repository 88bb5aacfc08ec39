"""Films in space: each lies in a plane z = const."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pearlfem.errors import StudyError
from pearlfem.model.film import Film


@dataclass(frozen=True)
class Layer:
    """A film at its height.

    Args:
        film: The film.
        height: z of its plane [length].
        name: Name of the film; a single film may have none.
    """

    film: Film
    height: float = 0.0
    name: str = ""

    def group(self, part: str) -> str:
        """Return the name of the mesh group of a part: "film", "plane" or "hole NAME"."""
        return f"{self.name}: {part}" if self.name else part


Films = Film | Sequence[Layer]


def layers_of(films: Films) -> tuple[Layer, ...]:
    """Return ``films`` as layers, the lowest first; a film alone lies in z = 0.

    Raises:
        StudyError: There is no film, or two films have the same name.
    """
    if isinstance(films, Film):
        return (Layer(films),)
    names = [layer.name for layer in films]
    if not names or len(set(names)) < len(names):
        raise StudyError(f"film: names {names}: not allowed; allowed: at least one, all different")
    return tuple(sorted(films, key=lambda layer: layer.height))
