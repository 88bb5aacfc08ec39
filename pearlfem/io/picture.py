"""A picture of the film: |K| in colour, current lines, moments; drawn off screen from the VTU files.

K = ∇g × ẑ, so the current lines are the level lines of g.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyvista

from pearlfem.mesh.grading import device_extent
from pearlfem.model.film import Disc, Film
from pearlfem.model.sources import Impurity

_PIXELS = (1400, 1200)
_LINES_PER_SIDE = 10


def draw_film(path: Path, fields: Path, film: Film, impurities: Sequence[Impurity]) -> None:
    """Draw the film of ``fields`` (film.vtu or film.pvtu) into the PNG file ``path``.

    Raises:
        OSError: ``fields`` cannot be read or ``path`` not written.

    Note:
        Not collective: call it on one rank.
    """
    (x, y), half_width = _view(film, impurities)
    surface = pyvista.read(fields)
    centers = surface.cell_centers().points
    near = np.abs(centers[:, :2] - (x, y)).max(axis=1) < 1.5 * half_width
    surface = surface.extract_cells(near).extract_surface(nonlinear_subdivision=2)
    surface["|K|"] = np.linalg.norm(surface["K"], axis=1)
    plotter = pyvista.Plotter(off_screen=True, window_size=list(_PIXELS))
    plotter.add_mesh(
        surface,
        scalars="|K|",
        cmap="inferno",
        lighting=False,
        scalar_bar_args={"title": "sheet current |K|   [Gamma / length^2]", "color": "black"},
    )
    _add_current_lines(plotter, surface, half_width)
    _add_moments(plotter, impurities, half_width)
    plotter.camera_position = [(x, y, half_width), (x, y, 0.0), (0.0, 1.0, 0.0)]
    plotter.enable_parallel_projection()
    plotter.camera.parallel_scale = half_width
    plotter.camera.clipping_range = (0.01 * half_width, 10 * half_width)
    plotter.screenshot(path)
    plotter.close()


def _view(film: Film, impurities: Sequence[Impurity]) -> tuple[tuple[float, float], float]:
    """Return the centre and the half width of what is worth looking at."""
    extent = device_extent(film, impurities)
    if isinstance(film.shape, Disc):
        return extent.center, 1.1 * extent.size
    reach = max(math.dist(extent.center, i.position) + 4 * i.size for i in impurities)
    return extent.center, 1.3 * reach


def _add_current_lines(plotter: pyvista.Plotter, surface: pyvista.PolyData, width: float) -> None:
    """Add level lines of g, denser where g is small, with cones that point along K."""
    top = np.abs(surface["g"]).max()
    levels = top * (np.arange(1, _LINES_PER_SIDE + 1) / (_LINES_PER_SIDE + 1)) ** 2
    lines = surface.contour([*-levels[::-1], *levels], scalars="g")
    if lines.n_points == 0:
        return
    plotter.add_mesh(lines, color="white", line_width=1.5, opacity=0.7, lighting=False)
    strips = lines.strip(join=True)
    middles = [strips.get_cell(k).points for k in range(strips.n_cells)]
    heads = pyvista.PolyData(np.array([points[len(points) // 3] for points in middles]))
    heads = heads.sample(surface)
    heads["direction"] = heads["K"] / np.linalg.norm(heads["K"], axis=1, keepdims=True)
    cones = heads.glyph(
        orient="direction", scale=False, factor=0.035 * width, geom=pyvista.Cone(resolution=16)
    )
    plotter.add_mesh(cones, color="white", lighting=False)


def _add_moments(plotter: pyvista.Plotter, impurities: Sequence[Impurity], width: float) -> None:
    """Add an arrow for each moment, centred on its impurity and above the film."""
    length = 0.16 * width
    for impurity in impurities:
        direction = np.array([*impurity.moment, 0.0])
        start = np.array([*impurity.position, 0.1 * width]) - length / 2 * direction
        arrow = pyvista.Arrow(start, direction, scale=length, shaft_radius=0.06, tip_radius=0.16)
        plotter.add_mesh(arrow, color="deepskyblue", lighting=False)
