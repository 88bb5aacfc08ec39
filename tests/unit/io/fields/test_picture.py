"""The picture: there, of its size, and with the film's current in it."""

import numpy as np
import pytest
import pyvista
from helpers import write_film

from pearlfem.io.fields.nodal import nodal_values
from pearlfem.io.fields.picture import draw_film
from pearlfem.quantities.units import ReducedUnits
from pearlfem.study.study import parse_study


@pytest.fixture(scope="module")
def study(tiny_study, film, impurities):
    return parse_study(tiny_study).model_copy(update={"film": film, "impurities": impurities})


@pytest.fixture(scope="module")
def image(tmp_path_factory, study, solution):
    folder = tmp_path_factory.mktemp("picture")
    fields = write_film(folder, nodal_values(solution, ReducedUnits()))
    draw_film(folder / "film.png", fields, study)
    return pyvista.read(folder / "film.png")


def test_picture_is_an_image_of_a_useful_size(image):
    width, height, _ = image.dimensions
    assert min(width, height) >= 800


def test_picture_shows_something_in_colour(image):
    red, green, blue = image.active_scalars.reshape(-1, image.active_scalars.shape[-1]).T[:3]
    colours = red.astype(int) << 16 | green.astype(int) << 8 | blue
    assert len(np.unique(colours)) > 200  # a colour map, not a blank page
    assert (np.abs(red.astype(int) - blue) > 50).mean() > 0.05  # not grey


def test_file_that_is_missing_is_an_error(tmp_path, study):
    with pytest.raises(OSError, match="nowhere"):
        draw_film(tmp_path / "film.png", tmp_path / "nowhere.vtu", study)
