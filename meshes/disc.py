"""The half ball over a disc, fine at its edge and at an impurity in its centre.

Usage: ``python meshes/disc.py [FILE.msh]``
"""

import sys
from pathlib import Path

from pearlfem import Disc, Film, Impurity
from pearlfem.mesh.generate import write_mesh

FILM = Film(Disc(radius=1.0), pearl_length=1.0)
IMPURITIES = [Impurity((0.0, 0.0), size=0.1)]


def write(path: Path) -> int:
    """Write the mesh and return its number of cells."""
    return write_mesh(path, FILM, IMPURITIES, resolution=0.25, far=10.0)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_suffix(".msh")
    print(f"{target}: {write(target):,} cells")
