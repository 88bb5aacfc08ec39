"""The standard view of a result in ParaView: sheet current, current lines, moments.

    pvbatch demos/paraview/standard_view.py DIR [PICTURE.png]

opens DIR/result.vtm, draws |K| on the film in logarithmic colours, current lines (level lines of g)
and the moments as arrows, saves the picture and prints as JSON what the files hold. In ParaView
itself: Tools > Python Shell > Run Script draws the folder named in the environment as PEARLFEM_DIR.
"""

import json
import os
import sys

import numpy as np
from paraview import servermanager
from paraview.simple import (
    Calculator,
    ColorBy,
    Contour,
    CreateView,
    ExtractBlock,
    GetColorTransferFunction,
    GetScalarBar,
    Glyph,
    MergeBlocks,
    OpenDataFile,
    SaveScreenshot,
    Show,
    Tessellate,
)
from vtkmodules.util.numpy_support import vtk_to_numpy

LINES_PER_SIGN = 10


def block(result, name):
    """The data set ``name`` of a result, its pieces put together; None if it has none."""
    names = [f"/Root/{name}"]
    found = ExtractBlock(Input=result, Assembly="Hierarchy", Selectors=names)
    found.UpdatePipeline()
    merged = MergeBlocks(Input=found, MergePoints=0)
    merged.UpdatePipeline()
    return merged if merged.GetDataInformation().GetNumberOfPoints() else None


def arrays(source):
    """Points, cells and arrays with their components and the ranges of each."""
    information = source.GetDataInformation()
    found = {}
    for array in source.PointData:
        parts = array.GetNumberOfComponents()
        ranges = [list(array.GetRange(k)) for k in range(parts)]
        found[array.GetName()] = {"components": parts, "ranges": ranges}
    return {
        "points": information.GetNumberOfPoints(),
        "cells": information.GetNumberOfCells(),
        "arrays": found,
        "units": units(source),
    }


def units(source):
    """The units in the field data: of each array, and of length."""
    data = servermanager.Fetch(source).GetFieldData()
    names = [data.GetAbstractArray(k).GetName() for k in range(data.GetNumberOfArrays())]
    start = "unit of "
    return {
        name[len(start) :]: data.GetAbstractArray(name).GetValue(0)
        for name in names
        if name.startswith(start)
    }


def visible_width(film, impurities):
    """The centre and half the height of what is worth looking at."""
    box = film.GetDataInformation().GetBounds()
    spread = box if impurities is None else impurities.GetDataInformation().GetBounds()
    center = [(spread[0] + spread[1]) / 2, (spread[2] + spread[3]) / 2]
    whole = max(box[1] - box[0], box[3] - box[2]) / 2
    own = max(spread[1] - spread[0], spread[3] - spread[2])
    # A film that fills the plane ends far from the impurities.
    endless = impurities is not None and own > 0 and whole > 20 * own
    return (
        (center, 2.0 * own) if endless else ([(box[0] + box[1]) / 2, (box[2] + box[3]) / 2], whole)
    )


def largest_currents(film, points, center, half):
    """The largest |K| and |g| in the view; with ``points`` (infinite there) on 98.5 % of it."""
    data = servermanager.Fetch(film)
    places = vtk_to_numpy(data.GetPoints().GetData()).reshape(-1, 6, 3)  # of quadratic triangles
    visible = (np.abs(places[..., :2] - center) < half).all(axis=(1, 2))
    (x1, y1), (x2, y2) = (places[visible, k, :2].T - places[visible, 0, :2].T for k in (1, 2))
    areas = np.abs(x1 * y2 - x2 * y1)
    found = []
    for name in ("K", "g"):
        array = data.GetPointData().GetArray(name)
        if array is None:
            found.append(0.0)
            continue
        values = vtk_to_numpy(array).reshape(len(places), 6, -1)[visible]
        sizes = np.nan_to_num(np.linalg.norm(values, axis=2))
        means = sizes.mean(axis=1)
        order = np.argsort(means)
        covered = np.cumsum(areas[order])
        most = means[order][np.searchsorted(covered, 0.985 * covered[-1])]
        found.append(float(most if points else sizes.max()))
    return found


def draw(result, picture):
    """Draw the standard view into a PNG; return what the blocks hold."""
    blocks = {name: block(result, name) for name in ("film", "space", "impurities")}
    film, impurities = blocks["film"], blocks["impurities"]
    center, half = visible_width(film, impurities)
    points = impurities is not None and impurities.PointData["size"].GetRange()[0] == 0.0
    largest, top = largest_currents(film, points, center, half)
    view = CreateView("RenderView")
    view.ViewSize = [1500, 1200]
    view.UseColorPaletteForBackground = 0
    view.Background = [0.41, 0.41, 0.41]
    view.OrientationAxesVisibility = 0

    flat = Tessellate(Input=film, OutputDimension=2, MaximumNumberofSubdivisions=2)
    current = Calculator(Input=flat, ResultArrayName="|K|", Function="mag(K)")
    shown = Show(current, view)
    ColorBy(shown, ("POINTS", "|K|"))
    shown.Ambient, shown.Diffuse = 1.0, 0.0
    colors = GetColorTransferFunction("|K|")
    colors.ApplyPreset("Inferno (matplotlib)", True)
    colors.RescaleTransferFunction(largest / 1e3, largest)
    colors.MapControlPointsToLogSpace()
    colors.UseLogScale = 1
    bar = GetScalarBar(colors, view)
    bar.Title, bar.ComponentTitle = "sheet current", f"[{units(film)['K']}]"
    shown.SetScalarBarVisibility(view, True)

    if top > 0:
        levels = [top * (k / (LINES_PER_SIGN + 1)) ** 2 for k in range(1, LINES_PER_SIGN + 1)]
        lines = Contour(Input=flat, ContourBy=["POINTS", "g"])
        lines.Isosurfaces = [-level for level in levels] + levels
        drawn = Show(lines, view)
        drawn.ColorArrayName = ["POINTS", ""]
        drawn.AmbientColor = drawn.DiffuseColor = [1.0, 1.0, 1.0]
        drawn.Ambient, drawn.Diffuse, drawn.LineWidth = 1.0, 0.0, 1.5

    if impurities is not None:
        arrows = Glyph(Input=impurities, GlyphType="Arrow", GlyphMode="All Points")
        arrows.OrientationArray = ["POINTS", "moment"]
        arrows.ScaleArray = ["POINTS", "No scale array"]
        arrows.ScaleFactor = 0.16 * half
        drawn = Show(arrows, view)
        drawn.ColorArrayName = ["POINTS", ""]
        drawn.AmbientColor = drawn.DiffuseColor = [0.0, 0.75, 1.0]
        drawn.Position = [0.0, 0.0, 0.1 * half]

    view.InteractionMode = "2D"
    view.CameraParallelProjection = 1
    view.CameraFocalPoint = [*center, 0.0]
    view.CameraPosition = [*center, 10 * half]
    view.CameraViewUp = [0.0, 1.0, 0.0]
    view.CameraParallelScale = 1.1 * half
    SaveScreenshot(picture, view)
    return {name: arrays(source) for name, source in blocks.items() if source is not None}


def main(arguments):
    """Draw the folder and picture that the arguments name."""
    folder = arguments[0] if arguments else os.environ.get("PEARLFEM_DIR", ".")
    picture = arguments[1] if len(arguments) > 1 else os.path.join(folder, "paraview.png")
    result = OpenDataFile(os.path.join(folder, "result.vtm"))
    result.UpdatePipeline()
    print(json.dumps(draw(result, picture)))


main(sys.argv[1:])
