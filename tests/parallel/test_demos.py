"""Every demo runs on two ranks, and its asserts hold; long ones are slow tests."""

import runpy
from pathlib import Path

import pytest
from mpi4py import MPI

WORLD = MPI.COMM_WORLD
DEMOS = sorted((Path(__file__).parents[2] / "demos").glob("demo_*.py"))
LONG = (
    "demo_certified_energy",
    "demo_disc_field",
    "demo_disc_order",
    "demo_inhomogeneous",
    "demo_lattice_cell",
    "demo_lattice_order",
    "demo_washer",
)


@pytest.mark.skipif(WORLD.size > 2, reason="two ranks find what one hides")
@pytest.mark.parametrize(
    "demo",
    [
        pytest.param(demo, marks=[pytest.mark.slow] * (demo.stem in LONG), id=demo.stem)
        for demo in DEMOS
    ],
)
def test_demo_runs(demo, shared_tmp, monkeypatch, capfd):
    monkeypatch.chdir(shared_tmp)
    runpy.run_path(str(demo), run_name="__main__")
    said = WORLD.allgather(capfd.readouterr().out.count("picture: "))
    assert sum(said) == 1, "one rank speaks"
    assert (shared_tmp / "results" / f"{demo.stem}.png").is_file()
