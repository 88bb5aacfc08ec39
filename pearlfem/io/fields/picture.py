"""A picture of the film: |K| in colour, current lines and moments, drawn off screen.

K = ∇g × ẑ, so the current lines are the level lines of g.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

if "DISPLAY" not in os.environ:  # otherwise VTK looks for an X server first, and warns
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import numpy as np
import pyvista
from scipy.spatial import KDTree

from pearlfem.mesh.sizes.grading import device_extent
from pearlfem.model.periodic import Periodic
from pearlfem.model.sources.base import Source
from pearlfem.model.sources.flux import Vortex
from pearlfem.model.sources.impurity import Impurity, has_points
from pearlfem.quantities.arrays import Array
from pearlfem.study.study import Study

_PIXELS = (1500, 1200)
_LINES_PER_SIGN = 10
_FEWEST_LINES = 4  # with many impurities, around each of which there are lines
_MANY_CELLS = 20_000  # so many cells are so small that each may be drawn coarsely
_CONE = 0.035  # length of the cones, in units of half the height of the picture


def draw_film(path: Path, fields: Path, study: Study) -> None:
    """Draw the film of ``study`` from ``fields`` (film.vtu or film.pvtu) into the PNG ``path``.

    Raises:
        OSError: ``fields`` cannot be read or ``path`` not written.

    Note:
        Not collective: call it on one rank.
    """
    center, half_width = _view(study)
    surface = _visible_surface(fields, center, 1.5 * half_width)
    # The current at a point impurity is infinite: the brightest 1.5 % of the area do not count.
    share = 0.985 if has_points(study.impurities) else 1.0
    plotter = pyvista.Plotter(off_screen=True, window_size=list(_PIXELS))
    plotter.add_mesh(
        surface,
        scalars="|K|",
        cmap="inferno",
        log_scale=True,
        clim=_color_range(surface, share),
        lighting=False,
        scalar_bar_args={
            "title": f"sheet current\n[{study.units.name('sheet_current')}]\n",
            "color": "white",
            "vertical": True,
            "position_x": 0.85,
            "position_y": 0.2,
            "height": 0.6,
            "fmt": "%.3g",
        },
    )
    edge = surface.clean(tolerance=1e-6 * half_width, absolute=True).extract_feature_edges(
        boundary_edges=True, feature_edges=False, non_manifold_edges=False, manifold_edges=False
    )
    plotter.add_mesh(edge, color="white", line_width=3, lighting=False)
    if "g" in surface.array_names:
        count = len(study.impurities)
        sparsity = max(_FEWEST_LINES / _LINES_PER_SIGN, min(1.0, 20 / max(count, 1)))
        _add_current_lines(plotter, surface, center, half_width, share, sparsity)
    _add_moments(plotter, study.impurities, half_width)
    _add_vortices(plotter, study.others, half_width)
    _add_scale(plotter, center, half_width, study.units.name("length"))
    # The colour bar is on the right, so the camera looks a little to the right of the centre.
    x, y = center[0] + 0.12 * half_width, center[1]
    plotter.camera_position = [(x, y, half_width), (x, y, 0.0), (0.0, 1.0, 0.0)]
    plotter.enable_parallel_projection()
    plotter.camera.parallel_scale = half_width
    plotter.camera.clipping_range = (0.01 * half_width, 10 * half_width)
    plotter.background_color = "dimgray"
    plotter.screenshot(path)
    plotter.close()


def _view(study: Study) -> tuple[tuple[float, float], float]:
    """Return the centre and half the height of the region to show."""
    film, sources, boundary = study.film, study.sources, study.boundary
    if isinstance(boundary, Periodic):
        extent = device_extent(film, sources, boundary)
        return extent.center, 0.55 * float(np.abs(boundary.vectors).sum(axis=0).max())
    extent = device_extent(film, sources)
    if film.bounded:
        return extent.center, 1.1 * extent.size
    cores = [core for source in sources for core in source.cores]
    reach = max(math.dist(extent.center, c.position) + 4 * c.size for c in cores)
    # A single point impurity has no size: the extent of the device takes its place.
    return extent.center, 1.3 * max(reach, extent.size if film.openings or not reach else 0.0)


def _visible_surface(
    fields: Path, center: tuple[float, float], half_width: float
) -> pyvista.PolyData:
    """Return the film around ``center`` with |K|, each quadratic cell as 16 or 4 flat ones."""
    grid = pyvista.read(fields)
    nearest = np.abs(grid.points.reshape(-1, 6, 3)[:, :, :2] - center).max(axis=2).min(axis=1)
    visible = grid.extract_cells(nearest < half_width)
    surface = visible.extract_surface(
        nonlinear_subdivision=2 if visible.n_cells < _MANY_CELLS else 1, algorithm="dataset_surface"
    )
    # Fields are NaN at a point impurity: the brightest colour, and no current line.
    current = np.nan_to_num(np.linalg.norm(surface["K"], axis=1), nan=np.inf)
    surface["|K|"] = np.minimum(current, np.finfo(np.float32).max)
    if "g" in surface.array_names:
        surface["g"] = np.nan_to_num(surface["g"])
    return surface


def _largest(surface: pyvista.PolyData, values: Array, share: float) -> float:
    """Return the number that ``values`` exceed nowhere on this ``share`` of the area."""
    triangles = surface.regular_faces
    cells = values[triangles].mean(axis=1)
    order = np.argsort(cells)
    areas = surface.compute_cell_sizes(length=False, volume=False)["Area"][order]
    covered = np.cumsum(areas)
    return float(cells[order][min(np.searchsorted(covered, share * covered[-1]), len(cells) - 1)])


def _color_range(surface: pyvista.PolyData, share: float) -> list[float]:
    """Return the limits of the logarithmic colours: at most three decades."""
    current = surface["|K|"]
    if share == 1.0:
        largest, least = float(current.max()), float(np.quantile(current, 0.01))
    else:
        largest, least = _largest(surface, current, share), _largest(surface, current, 0.01)
    return [max(largest / 1e3, least), largest]


def _add_current_lines(
    plotter: pyvista.Plotter,
    surface: pyvista.PolyData,
    center: tuple[float, float],
    half_width: float,
    share: float,
    sparsity: float,
) -> None:
    """Add level lines of g, denser where g is small, with cones that point along K.

    The number of lines is proportional to ``sparsity``, the size of the cones to its root.
    """
    strength = np.abs(surface["g"])
    top = strength.max() if share == 1.0 else _largest(surface, strength, share)
    count = round(sparsity * _LINES_PER_SIGN)
    levels = top * (np.arange(1, count + 1) / (count + 1)) ** 2
    lines = surface.contour([*-levels[::-1], *levels], scalars="g")
    if lines.n_points == 0:
        return
    plotter.add_mesh(lines, color="white", line_width=1.5, opacity=0.7, lighting=False)
    # Cells share no points, so lines are in pieces until equal points are merged.
    joined = lines.clean(tolerance=1e-6 * half_width, absolute=True).strip(join=True)
    size = _CONE * math.sqrt(sparsity) * half_width
    curves = [joined.get_cell(k).points for k in range(joined.n_cells)]
    places = _places_of_cones(curves, center, half_width, size)
    if not len(places):
        return
    heads = pyvista.PolyData(places).sample(surface, tolerance=1e-6)
    heads["direction"] = heads["K"] / np.linalg.norm(heads["K"], axis=1, keepdims=True)
    cone = pyvista.Cone(resolution=16, height=1.0, radius=0.4)
    cones = heads.glyph(orient="direction", scale=False, factor=size, geom=cone)
    plotter.add_mesh(cones, color="white", lighting=False)


def _places_of_cones(
    curves: Sequence[Array], center: tuple[float, float], half_width: float, size: float
) -> Array:
    """Return a place for a cone of this ``size`` on each long line, ``(n, 3)``.

    The longest lines come first, and no cone is close to another. The place is the point of the
    line farthest from the centre, where lines are farthest apart, but not near an open end.
    """
    found: list[Array] = []
    for points in sorted(curves, key=_length, reverse=True):
        if _length(points) < 4 * size:
            break
        ends = 0 if np.allclose(points[0], points[-1]) else len(points) // 5
        inner = points[ends : len(points) - ends]
        inner = inner[np.abs(inner[:, :2] - center).max(axis=1) < 0.9 * half_width]
        if found and len(inner):
            apart = KDTree(found).query(inner)[0]
            inner = inner[apart > 2 * size]
        if len(inner):
            found.append(inner[np.linalg.norm(inner[:, :2] - center, axis=1).argmax()])
    return np.array(found)


def _length(points: Array) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def _add_moments(plotter: pyvista.Plotter, impurities: Sequence[Impurity], width: float) -> None:
    """Add an arrow for each moment, centred on its impurity and above the film."""
    if not impurities:
        return
    places = np.array([(*impurity.position, 0.1 * width) for impurity in impurities])
    length = 0.16 * width
    if len(places) > 1:
        apart = KDTree(places).query(places, k=2)[0][:, 1]
        length = min(length, max(float(np.median(apart)), 0.04 * width))
    directions = np.array([(*impurity.moment, 0.0) for impurity in impurities])
    arrows = pyvista.PolyData(places - length / 2 * directions)
    arrows["moment"] = directions
    shape = pyvista.Arrow(shaft_radius=0.06, tip_radius=0.16)
    glyphs = arrows.glyph(orient="moment", scale=False, factor=length, geom=shape)
    plotter.add_mesh(glyphs, color="deepskyblue", lighting=False)


def _add_vortices(plotter: pyvista.Plotter, sources: Sequence[Source], width: float) -> None:
    """Add a ring for each vortex."""
    for source in sources:
        if isinstance(source, Vortex):
            place = (*source.position, 0.1 * width)
            disc = pyvista.Disc(center=place, inner=0.018 * width, outer=0.028 * width, c_res=48)
            color = "lime" if source.winding > 0 else "tomato"
            plotter.add_mesh(disc, color=color, lighting=False)


def _add_scale(
    plotter: pyvista.Plotter, center: tuple[float, float], half_width: float, unit: str
) -> None:
    """Add a scale bar of a round length at the lower left."""
    step = 10.0 ** math.floor(math.log10(half_width))
    length = max(f * step for f in (0.1, 0.2, 0.5, 1, 2, 5) if f * step < 0.5 * half_width)
    x, y = center[0] - 1.05 * half_width, center[1] - 0.92 * half_width
    bar = pyvista.Line((x, y, 0.2 * half_width), (x + length, y, 0.2 * half_width))
    plotter.add_mesh(bar, color="white", line_width=6, lighting=False)
    plotter.add_text(
        f"{length:g} {unit}", position=(0.03, 0.055), viewport=True, font_size=14, color="white"
    )
