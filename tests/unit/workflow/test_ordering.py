"""pearlfem order: the moments of a study in their ground state."""

import json

import meshio
import numpy as np
import pytest

from pearlfem import magnetism
from pearlfem.analytic import infinite_film

STUDY = """\
title = "three in a row"
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [-0.3, 0.0]
size = 0.0
angle = 77.0
[[impurity]]
position = [0.3, 0.0]
size = 0.0
angle = 10.0
[[impurity]]
position = [0.9, 0.0]
size = 0.0
[mesh]
resolution = 0.4
far = 10.0
[order]
temperatures = [0.05]
sweeps = 40
"""
OUT = ("--out", "result")


@pytest.fixture
def study(call, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path / "study.toml"


def test_moments_in_a_row_point_along_it(call, study, tmp_path):
    code, out, _ = call("order", study, *OUT)
    assert code == 0
    summary = json.loads((tmp_path / "result/summary.json").read_text())
    order = summary["order"]
    angles = np.array(order["angles"])
    np.testing.assert_allclose(np.cos(np.radians(angles)), 1.0, atol=1e-8)
    # On the plane the couplings are Keldysh's: −J∥ of each pair, at 0.6, 0.6 and 1.2.
    J = infinite_film.couplings([0.6, 1.2], 1.0)
    exact = -(2 * J.parallel[0] + J.parallel[1])  # up to what the far boundary does to them
    assert order["energy"]["value"] == pytest.approx(exact, rel=2e-3)
    assert order["energy"]["lower"] <= order["energy"]["value"]
    assert order["energy"]["lower"] == pytest.approx(order["energy"]["value"], rel=1e-9)
    assert order["parameters"]["net_moment"] == pytest.approx(1.0, abs=1e-8)
    assert summary["free_energy"]["value"] == pytest.approx(order["energy"]["value"], rel=1e-9)
    for word in ("net moment", "no state is below", "kT", "vorticity"):
        assert word in out


def test_result_has_the_moments_of_the_ground_state(call, study, tmp_path):
    assert call("order", study, *OUT)[0] == 0
    points = meshio.read(tmp_path / "result/impurities.vtu")
    np.testing.assert_allclose(points.points[:, 0], [-0.3, 0.3, 0.9])
    np.testing.assert_allclose(points.point_data["moment"], [[1, 0, 0]] * 3, atol=1e-5)
    with np.load(tmp_path / "result/interaction.npz", allow_pickle=False) as content:
        T = content["stream"]
        assert T.shape == (3, 3, 2, 2)
        assert content["positions"].tolist() == [[-0.3, 0.0], [0.3, 0.0], [0.9, 0.0]]
        assert str(content["energy"]) == "mu0 Gamma^2 / L"
        angles = np.radians(content["angles"])
    summary = json.loads((tmp_path / "result/summary.json").read_text())
    np.testing.assert_array_equal(T, summary["interaction"]["tensor"])
    assert magnetism.energy(T, angles) == pytest.approx(summary["free_energy"]["value"])


def test_thermal_averages_are_those_of_the_tensor(call, study, tmp_path):
    assert call("order", study, *OUT)[0] == 0
    summary = json.loads((tmp_path / "result/summary.json").read_text())
    (thermal,) = summary["order"]["thermal"]
    exact = magnetism.metropolis(summary["interaction"]["tensor"], 0.05, sweeps=2000, seed=9)
    for name in ("energy", "net_moment"):
        one, other = thermal[name], getattr(exact, name)
        assert abs(one["mean"] - other.mean) < 5 * np.hypot(one["error"], other.error)


def test_plain_run_leaves_the_moments_as_they_are(call, study, tmp_path):
    code, _, error = call("run", study, *OUT)
    assert code == 0, error
    summary = json.loads((tmp_path / "result/summary.json").read_text())
    assert summary["order"] is None
    points = meshio.read(tmp_path / "result/impurities.vtu")
    assert points.point_data["moment"][0, 1] == pytest.approx(np.sin(np.radians(77.0)))
    with np.load(tmp_path / "result/interaction.npz", allow_pickle=False) as content:
        assert content["angles"].tolist() == [77.0, 10.0, 0.0]


def test_bounds_are_those_of_the_ground_state(call, study, tmp_path):
    # Refinement bounds the energy of the moments as given, which cost more here.
    solve = '[solve]\nformulation = "both"\ndegree = 1\ntolerance = 0.5\n'
    study.write_text(STUDY.replace("size = 0.0", "size = 0.2") + solve)
    assert call("order", study, *OUT)[0] == 0
    summary = json.loads((tmp_path / "result/summary.json").read_text())
    energy, order = summary["free_energy"], summary["order"]
    for side in ("lower", "upper"):
        tensor = np.load(tmp_path / "result/interaction.npz")[
            {"lower": "stream", "upper": "vector"}[side]
        ]
        bound = magnetism.energy(tensor, np.radians(order["angles"]))
        assert energy[side] == pytest.approx(bound, rel=1e-9)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("[applied]\nfield = [0.0, 0.0, 1.0]\n", "besides the impurities"),
        ("[[vortex]]\nposition = [0.0, 0.5]\nsize = 0.1\n", "besides the impurities"),
    ],
)
def test_other_sources_would_turn_the_moments(call, study, no_mesh, more, reason):
    study.write_text(STUDY.replace('"plane"', '"disc"\nradius = 2.0') + more)
    code, _, error = call("order", study, *OUT)
    assert code == 2
    assert reason in error


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[0.05]", "[0.0]", "order.temperatures[0] = 0.0: not allowed"),
        ("[0.05]", '["4 K"]', "order.temperatures[0]"),
        ("sweeps = 40", "sweeps = 3", "order.sweeps = 3: not allowed"),
        ("sweeps = 40", "starts = 0", "order.starts = 0: not allowed"),
        ("sweeps = 40", "steps = 9", "order.steps = 9: not a key"),
    ],
)
def test_impossible_values_are_refused(call, study, no_mesh, old, new, reason):
    study.write_text(STUDY.replace(old, new))
    code, _, error = call("order", study, *OUT)
    assert code == 2
    assert reason in error
