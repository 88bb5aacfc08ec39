"""A tolerance for the energy: bounds of every mesh on the way, and what is told if it is missed."""

import json
import sys

import numpy as np
import pytest
from mpi4py import MPI

import pearlfem.workflow.adaptivity
from pearlfem import (
    ConvergenceError,
    Disc,
    Film,
    Impurity,
    MaxwellLondon,
    StudyError,
    create_mesh,
    free_energy,
    run_study,
)
from pearlfem.analytic import infinite_film
from pearlfem.cli.main import main
from pearlfem.study.study import parse_study

STUDY = """\
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [-0.25, 0.0]
angle = 30.0
size = 0.3
[[impurity]]
position = [0.25, 0.1]
strength = 2.0
size = 0.4
[mesh]
far = 20.0
[solve]
degree = 2
formulation = "both"
tolerance = 2e-2
[output]
fields = "none"
picture = false
"""
OUT_OF_REACH = ("tolerance = 2e-2", "tolerance = 1e-8\nmax_dofs = 20000")
DISC = """\
[film]
shape = "disc"
radius = 1.0
pearl_length = 0.1
[[impurity]]
position = [0.5, 0.0]
size = 0.1
[mesh]
far = 10.0
[solve]
degree = 2
formulation = "both"
tolerance = 2e-2
[output]
fields = "none"
picture = false
"""


def run(folder, text, **options):
    run_study(parse_study(text), folder, comm=MPI.COMM_SELF, **options)
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture(scope="module")
def exact():
    impurities = parse_study(STUDY).impurities
    names = ("position", "size", "strength", "moment")
    positions, sizes, strengths, m = (np.array([getattr(i, n) for i in impurities]) for n in names)
    tensor = infinite_film.interaction_tensor(positions, 1.0, strengths, sizes)
    return tensor, 0.5 * np.einsum("ia,ijab,jb", m, tensor, m)


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return run(tmp_path_factory.mktemp("both") / "out", STUDY)


# --- a tolerance that is met


def test_last_mesh_meets_the_tolerance_and_no_earlier_one(summary):
    assert summary["converged"] is True
    assert "shortfall" not in summary
    *before, last = summary["rounds"]
    assert len(before) >= 1
    assert last["error"] <= 2e-2 < min(one["error"] for one in before)
    assert (last["cells"], last["dofs"]) == (summary["cells"], summary["dofs"])
    for one in summary["rounds"]:
        assert set(one) == {"cells", "dofs", "lower", "upper", "error", "seconds"}
        assert one["error"] == pytest.approx((one["upper"] - one["lower"]) / one["lower"])


def test_every_round_has_the_exact_energy_between_its_bounds(summary, exact):
    _, energy = exact
    for bounds in (*summary["rounds"], summary["free_energy"]):
        assert bounds["lower"] < energy < bounds["upper"]


def test_final_energy_is_as_good_as_asked(summary, exact):
    _, energy = exact
    bounds = summary["free_energy"]
    assert bounds["value"] == pytest.approx(energy, rel=1e-2)  # half the gap, at most
    assert (bounds["upper"] - bounds["lower"]) / bounds["lower"] <= 2e-2


def test_every_entry_of_the_tensor_is_between_its_bounds(summary, exact):
    tensor, _ = exact
    interaction = summary["interaction"]
    lower, value, upper = (np.array(interaction[key]) for key in ("lower", "tensor", "upper"))
    assert np.all(lower < tensor)
    assert np.all(tensor < upper)
    assert np.all((lower < value) & (value < upper))
    m = np.array([impurity.moment for impurity in parse_study(STUDY).impurities])
    energy = summary["free_energy"]
    # solved once with all moments together and once one by one, each time with the solver's share
    # of the tolerance
    assert np.einsum("ia,ijab,jb", m, value, m) / 2 == pytest.approx(energy["value"], rel=2e-4)
    # the self-energies share the mesh, and none is much worse than all together
    for i in (0, 1):
        assert upper[i, i, 0, 0] - lower[i, i, 0, 0] < 5 * 2e-2 * tensor[i, i, 0, 0]


@pytest.mark.parametrize(("name", "bound"), [("stream", "lower"), ("vector", "upper")])
def test_one_formulation_meets_its_estimate_and_bounds_one_side(tmp_path, exact, name, bound):
    text = STUDY.replace('"both"', f'"{name}"').replace("2e-2", "1e-2")
    summary = run(tmp_path / "out", text)
    _, energy = exact
    assert summary["converged"] is True
    assert len(summary["rounds"]) >= 2
    assert summary["rounds"][-1]["error"] <= 1e-2
    other = "upper" if bound == "lower" else "lower"
    sign = 1 if bound == "upper" else -1
    for bounds in (*summary["rounds"], summary["free_energy"]):
        assert bounds[other] is None
        assert sign * (bounds[bound] - energy) > 0
    assert summary["free_energy"]["value"] == summary["free_energy"][bound]
    # the estimate is none to rely on, but of the right size: within 0.3 … 10 of the error
    assert summary["free_energy"]["value"] == pytest.approx(energy, rel=1e-2 / 0.3)
    assert (summary["interaction"]["lower"], summary["interaction"]["upper"]) == (None, None)


def test_study_without_a_tolerance_has_no_rounds(tmp_path):
    summary = run(tmp_path / "out", STUDY.replace("tolerance = 2e-2", "").replace("2\nf", "1\nf"))
    assert summary["rounds"] == []


def test_tolerance_that_the_first_mesh_meets_takes_one_round(tmp_path):
    summary = run(tmp_path / "out", STUDY.replace("2e-2", "0.5"))
    assert len(summary["rounds"]) == 1
    assert summary["converged"] is True


def test_bracket_is_as_tight_as_asked_where_moments_nearly_cancel(tmp_path):
    # F of all is 1/50 of the self-energies, which the solver finds one by one.
    text = STUDY.replace("0.25, 0.1", "-0.22, 0.0").replace("size = 0.4", "size = 0.3")
    text = text.replace("strength = 2.0", "angle = 210.0").replace("2e-2", "5e-2")
    summary = run(tmp_path / "out", text)
    energy = summary["free_energy"]
    self_energy = summary["interaction"]["lower"][0][0][0][0] / 2
    assert energy["value"] < 0.03 * self_energy
    assert 0 < energy["upper"] - energy["lower"] <= 5e-2 * energy["lower"]


# --- a tolerance that is missed


def assert_partial(folder, words):
    partial = json.loads((folder / "partial.json").read_text())
    assert partial["converged"] is False
    assert words in partial["shortfall"]
    assert partial["interaction"] is None
    assert not (folder / "summary.json").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["partial.json", "study.toml"]
    return partial


def test_too_few_dofs_leave_the_best_bounds(tmp_path, exact):
    folder = tmp_path / "out"
    with pytest.raises(ConvergenceError) as failed:
        run(folder, STUDY.replace(*OUT_OF_REACH))
    partial = assert_partial(folder, "more than max_dofs = 20,000")
    best = min(partial["rounds"], key=lambda one: one["error"])
    energy = partial["free_energy"]
    assert (energy["lower"], energy["upper"]) == (best["lower"], best["upper"])
    assert energy["lower"] < exact[1] < energy["upper"]
    assert energy["lower"] < energy["value"] < energy["upper"]
    assert max(one["dofs"] for one in partial["rounds"]) <= 20000
    for words in ("tolerance = 1e-08", partial["shortfall"], f"{best['error']:.1e}"):
        assert words in str(failed.value)
    assert str(folder / "partial.json") in str(failed.value)


def test_rounds_are_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(pearlfem.workflow.adaptivity, "MAX_ROUNDS", 1)
    with pytest.raises(ConvergenceError, match="1 rounds were made"):
        run(tmp_path / "out", STUDY)
    assert len(assert_partial(tmp_path / "out", "1 rounds")["rounds"]) == 1


def test_failure_replaces_an_earlier_result_and_the_other_way_round(tmp_path):
    folder = tmp_path / "out"
    good = STUDY.replace("2e-2", "0.5")
    run(folder, good)
    with pytest.raises(StudyError, match="--force"):
        run(folder, STUDY.replace(*OUT_OF_REACH))
    assert (folder / "summary.json").exists()
    with pytest.raises(ConvergenceError):
        run(folder, STUDY.replace(*OUT_OF_REACH), force=True)
    assert_partial(folder, "max_dofs")
    run(folder, good, force=True)
    left = ["interaction.npz", "study.toml", "summary.json"]
    assert sorted(path.name for path in folder.iterdir()) == left


def test_command_line_tells_what_was_missed_with_exit_code_3(tmp_path, monkeypatch, capfd):
    path, out = tmp_path / "hard.toml", tmp_path / "out"
    path.write_text(STUDY.replace(*OUT_OF_REACH))
    monkeypatch.setattr(sys, "argv", ["pearlfem", "run", str(path), "--out", str(out)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 3
    partial = assert_partial(out, "max_dofs")
    shown, message = capfd.readouterr()
    assert "round  1" in shown
    assert message.startswith("pearlfem: tolerance = 1e-08 was not reached: ")
    assert message.count("\n") == 1
    for words in (partial["shortfall"], f"{partial['rounds'][-1]['error']:.1e}", "partial.json"):
        assert words in message


# --- what it is for


def test_adapted_mesh_beats_one_that_is_finer_everywhere(tmp_path):
    # The current of the disc's edge has a width of r0 = R/10; who knows how fine it should be?
    adapted = run(tmp_path / "out", DISC)
    film, impurities = Film(Disc(1.0), 0.1), [Impurity((0.5, 0.0), size=0.1)]
    mesh = create_mesh(film, impurities, resolution=0.33, far=10.0, comm=MPI.COMM_SELF)
    energies, dofs = [], 0
    for name in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, 2, name)
        energies.append(free_energy(problem.solve(impurities)))
        dofs += problem.dofs
        problem.destroy()
    lower, upper = energies
    assert dofs >= adapted["dofs"]
    assert adapted["rounds"][-1]["error"] < (upper - lower) / lower / 5
    assert lower < adapted["free_energy"]["lower"] < adapted["free_energy"]["upper"] < upper
