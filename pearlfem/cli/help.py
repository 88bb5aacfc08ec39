"""Texts that the help of the command line ends with: a study file, and the files of a result."""

from __future__ import annotations

from pearlfem.quantities.formats import FORMATS
from pearlfem.quantities.results import FIELDS


def _other_formats() -> str:
    """Return the output formats but the first, as the help names them."""
    texts = [f'"{name}"' + f" ({each.about})" * bool(each.about) for name, each in FORMATS.items()]
    return ", ".join(texts[1:-1]) + f" or {texts[-1]}"


def _fields(*, on_film: bool) -> str:
    """Return the names of the fields in the file of the film, or in that of space."""
    names = [field.name for field in FIELDS if field.on_film is on_film]
    return ", ".join(names[:-1]) + f" and {names[-1]}"


EXAMPLE = f"""\
\b
A study file:
  title = "two impurities on an infinite film"
  [film]
  shape = "plane"            # or "disc" with radius and center
  pearl_length = 1.0         # r0 = 2 lambda^2/d, in your unit of length
  [[impurity]]               # one such table for each
  position = [-0.25, 0.0]
  angle = 0.0                # of the moment in the plane, degrees
  strength = 1.0             # Gamma
  size = 0.1                 # Gaussian width xi
  [boundary]
  kind = "open"              # or walls: "shield" (B.n = 0) or "magnetic-wall" (n x H = 0)
  # box = [4.0, 4.0, 2.0]    # with walls: sizes of the box; x and y may both be inf
  # center = [0.0, 0.0, 0.0] # of the box; default: around the film
  # kind = "periodic"        # a lattice: the impurities are those of one cell,
  # cell = [[1, 0], [0, 1]]  # which these vectors repeat
  [mesh]
  resolution = 1.0           # 2.0: cells half as large
  far = 100.0                # far boundary, in sizes of the device
  # refinements = 1          # up to 3: each cuts all cells into 8, on all ranks at once
  # file = "space.msh"       # or a mesh of pearlfem mesh, in place of resolution and far
  [solve]
  formulation = "stream"     # energies from below; "vector" from above; "both" bounds them
  degree = 3                 # of the elements, 1 to 3
  # tolerance = 1e-4         # refine until the relative error of the free energy is this small
  # max_dofs = 2000000       # largest mesh allowed in doing so
  [output]
  fields = "vtu"             # {_other_formats()}
  picture = true
  solution = false           # or true: keep it for pearlfem probe

\b
Then:
  pearlfem run pair.toml --out results/pair
  mpiexec -n 4 pearlfem run pair.toml --out results/pair
"""


RESULT = f"""\
\b
DIR then holds
  summary.json   energies, interaction tensor, sizes, times, versions
  result.vtm     all fields and impurities: open this in ParaView
  film.vtu       on the film: {_fields(on_film=True)}
  space.vtu      in space: {_fields(on_film=False)}, for z >= 0 if space is symmetric
                 (film.pvtu and space.pvtu on several ranks)
  film.png       |K|, current lines and moments
  study.toml     the study itself

If summary.json is there, the answer has converged. An earlier result stays until the new one is
complete.
Exit codes: 0 converged, 2 unusable input, 3 the solver did not converge, or the tolerance was
not reached: then partial.json has the best bounds; 143 ended by SIGTERM.
"""
