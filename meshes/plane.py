"""The half ball over the whole plane, fine at two impurities half a Pearl length apart.

Usage: ``python meshes/plane.py [FILE.msh]``
"""

import sys
from pathlib import Path

from pearlfem import Film, Impurity, Plane
from pearlfem.mesh.generate import write_mesh

FILM = Film(Plane(), pearl_length=1.0)
IMPURITIES = [Impurity((-0.25, 0.0), size=0.1), Impurity((0.25, 0.0), size=0.1)]


def write(path: Path) -> int:
    """Write the mesh and return its number of cells."""
    return write_mesh(path, FILM, IMPURITIES, resolution=0.5, far=10.0)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_suffix(".msh")
    print(f"{target}: {write(target):,} cells")
