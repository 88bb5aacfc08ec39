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
    ExtractSurface,
    GetColorTransferFunction,
    GetScalarBar,
    Glyph,
    MergeBlocks,
    OpenDataFile,
    SaveScreenshot,
    Show,
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
    }


def units(result):
    """The units in the field data of a result: of each array, and of length."""
    data = servermanager.Fetch(result).GetFieldData()
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


def current_ranges(film, points, center, half):
    """The range of |K| and the largest |g| in the view, with ``points`` on 98.5 % of it."""
    data = servermanager.Fetch(film)
    places = vtk_to_numpy(data.GetPoints().GetData()).reshape(-1, 6, 3)  # of quadratic triangles
    visible = (np.abs(places[..., :2] - center) < 1.3 * half).all(axis=2).any(axis=1)
    (x1, y1), (x2, y2) = (places[visible, k, :2].T - places[visible, 0, :2].T for k in (1, 2))
    areas = np.abs(x1 * y2 - x2 * y1)
    found = []
    for name in ("K", "g"):
        array = data.GetPointData().GetArray(name)
        if array is None:
            found.append((0.0, 0.0))
            continue
        values = vtk_to_numpy(array).reshape(len(places), 6, -1)[visible]
        sizes = np.nan_to_num(np.linalg.norm(values, axis=2))
        means = sizes.mean(axis=1)
        order = np.argsort(means)
        covered = np.cumsum(areas[order])
        shares = np.array([0.01, 0.985]) * covered[-1]
        least, most = means[order][np.searchsorted(covered, shares)]
        found.append((float(least), float(most if points else sizes.max())))
    return found


def draw(result, picture):
    """Draw the standard view into a PNG; return what the blocks hold."""
    blocks = {name: block(result, name) for name in ("film", "space", "impurities")}
    film, impurities = blocks["film"], blocks["impurities"]
    center, half = visible_width(film, impurities)
    points = impurities is not None and impurities.PointData["size"].GetRange()[0] == 0.0
    (least, largest), (_, top) = current_ranges(film, points, center, half)
    view = CreateView("RenderView")
    view.ViewSize = [1500, 1200]
    view.UseColorPaletteForBackground = 0
    view.Background = [0.41, 0.41, 0.41]
    view.OrientationAxesVisibility = 0

    flat = ExtractSurface(Input=film, NonlinearSubdivisionLevel=1 if points else 2)
    current = Calculator(Input=flat, ResultArrayName="|K|", Function="mag(K)")
    shown = Show(current, view)
    ColorBy(shown, ("POINTS", "|K|"))
    shown.Ambient, shown.Diffuse = 1.0, 0.0
    colors = GetColorTransferFunction("|K|")
    colors.ApplyPreset("Inferno (matplotlib)", True)
    colors.RescaleTransferFunction(max(least, largest / 1e3), largest)
    colors.MapControlPointsToLogSpace()
    colors.UseLogScale = 1
    bar = GetScalarBar(colors, view)
    bar.WindowLocation, bar.Position = "Any Location", [0.88, 0.2]
    bar.ScalarBarLength, bar.ScalarBarThickness = 0.6, 30
    bar.Title, bar.ComponentTitle = "sheet current", f"[{units(result)['K']}]"
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
        arrows.GlyphTransform.Translate = [-0.5, 0.0, 0.0]  # centred on the impurity
        drawn = Show(arrows, view)
        drawn.ColorArrayName = ["POINTS", ""]
        drawn.AmbientColor = drawn.DiffuseColor = [0.0, 0.75, 1.0]
        drawn.Ambient, drawn.Diffuse = 1.0, 0.0
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
    print(json.dumps({"blocks": draw(result, picture), "units": units(result)}))


main(sys.argv[1:])
