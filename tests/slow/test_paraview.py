"""ParaView itself (Debian's): opens result.vtm, sees what pyvista sees and draws a picture."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvista

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "demos" / "paraview" / "standard_view.py"
PACKAGES = ["paraview", "python3-paraview", "xvfb", "xauth"]


@pytest.fixture(scope="module")
def pvbatch():
    """The command that runs a script in ParaView without a screen; installed if it is not there."""
    if not shutil.which("pvbatch") or not shutil.which("xvfb-run"):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            pytest.skip(f"needs {' '.join(PACKAGES)}, or root and apt-get to install them")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
        for command in (["apt-get", "update"], install):
            subprocess.run(command, check=True, timeout=1200, env=environment)
    return ["xvfb-run", "-a", "-s", "-screen 0 1500x1200x24", "pvbatch"]


@pytest.fixture(scope="module", params=[1, 2], ids=["one rank", "two ranks"])
def result(request, tiny_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("result")
    (folder / "tiny.toml").write_text(tiny_study.replace("picture = false", ""), encoding="utf-8")
    run = ["pearlfem", "run", str(folder / "tiny.toml"), "--out", str(folder / "out")]
    ranks = ["mpiexec", "-n", str(request.param)] if request.param > 1 else []
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run([*ranks, *run], check=True, timeout=300, env=os.environ | {"PATH": paths})
    return folder / "out"


@pytest.fixture(scope="module")
def seen(pvbatch, result):
    # ParaView has a Python of its own.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    command = [*pvbatch, str(SCRIPT), str(result), str(result / "paraview.png")]
    run = subprocess.run(
        command, check=True, timeout=600, env=environment, capture_output=True, text=True
    )
    return json.loads(run.stdout.splitlines()[-1])


def test_paraview_sees_what_pyvista_sees(seen, result):
    blocks = pyvista.read(result / "result.vtm")
    assert sorted(seen["blocks"]) == sorted(blocks.keys())
    units = {name: str(blocks.field_data[name][0]) for name in blocks.field_data.keys()}  # noqa: SIM118
    assert {f"unit of {name}": unit for name, unit in seen["units"].items()} == units
    assert {"K", "B", "g", "psi", "length"} <= set(seen["units"])
    for name, found in seen["blocks"].items():
        block = blocks[name]
        pieces = list(block) if isinstance(block, pyvista.MultiBlock) else [block]
        assert found["points"] == sum(piece.n_points for piece in pieces)
        assert found["cells"] == sum(piece.n_cells for piece in pieces)
        assert set(found["arrays"]) == set(pieces[0].point_data)
        for array, what in found["arrays"].items():
            values = np.concatenate([piece[array] for piece in pieces])
            values = values.reshape(len(values), -1)
            expected = np.column_stack([values.min(axis=0), values.max(axis=0)])
            np.testing.assert_allclose(what["ranges"], expected, rtol=1e-12)


def test_paraviews_picture_shows_the_film(seen, result):
    """Of the same size and with the film's colours in it: not compared pixel by pixel."""
    pictures = []
    for name in ("film.png", "paraview.png"):
        image = pyvista.read(result / name)
        width, height, _ = image.dimensions
        assert (width, height) == (1500, 1200)
        pixels = image.active_scalars.reshape(height, width, -1)[..., :3].astype(float)
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 200
        pictures.append(pixels)
    # The colour of a film with current: red over blue, as in the colour map.
    shares = [(pixels[..., 0] - pixels[..., 2] > 50).mean() for pixels in pictures]
    assert min(shares) > 0.05
