"""A sweep on several ranks: every point whole, and the numbers of one rank."""

import csv

import pytest
from mpi4py import MPI

import pearlfem.workflow.sweep
from pearlfem.errors import ConvergenceError
from pearlfem.io.results.sweep_folder import SweepFolder
from pearlfem.runtime.parallel import on_root
from pearlfem.study.sweep import read_sweep
from pearlfem.workflow.sweep import in_order_of_work, run_points

WORLD = MPI.COMM_WORLD
SWEEP = """
[sweep]
mode = "zip"
[[sweep.parameter]]
key = "impurity 1.angle"
values = [0, 40, 80]
[[sweep.parameter]]
key = "film.pearl_length"
values = [1.0, 2.0, 1.0]
"""


@pytest.fixture
def study(tiny_study, shared_tmp):
    path = shared_tmp / "tiny.toml"
    text = tiny_study.replace("degree = 2", "degree = 1") + 'fields = "none"\n' + SWEEP
    on_root(WORLD, lambda: path.write_text(text))
    return path


def solve(study, path, comm):
    """Return the outcomes and the rows of the table."""
    sweep = on_root(comm, lambda: read_sweep(study))
    folder, outcomes = SweepFolder(path, sweep), []
    on_root(comm, folder.open)
    run_points(in_order_of_work(sweep), folder, comm, outcomes.append)
    return outcomes, on_root(comm, lambda: rows(path))


def rows(path):
    with (path / "table.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def test_table_is_that_of_one_rank(study, shared_tmp):
    outcomes, together = solve(study, shared_tmp / "out", WORLD)
    assert [outcome.point.number for outcome in outcomes] == [1, 3, 2]
    _, alone = solve(study, shared_tmp / f"alone_{WORLD.rank}", MPI.COMM_SELF)
    keys = [key for key in alone[0] if key != "iterations"]
    # Free energies to 1e-13, see test_files; what is linear in the fields to the solver's 1e-9.
    linear = ("magnetic_moment", "kinetic_energy", "field_energy", "film: largest_sheet_current")
    bounds = [1e-8 if key.startswith(linear) else 1e-12 for key in keys]
    worst = [
        max(abs(row[key] - one[key]) for row, one in zip(together, alone, strict=True))
        for key in keys
    ]
    close = all(error <= bound for error, bound in zip(worst, bounds, strict=True))
    assert WORLD.allreduce(close, op=MPI.LAND)


def test_failure_is_that_of_all_ranks(study, shared_tmp, monkeypatch):
    run = pearlfem.workflow.sweep.run_study

    def failing(study, *arguments, **options):
        if study.film.pearl_length == 2:
            raise ConvergenceError("residual too large")
        return run(study, *arguments, **options)

    monkeypatch.setattr(pearlfem.workflow.sweep, "run_study", failing)
    outcomes, table = solve(study, shared_tmp / "out", WORLD)
    assert [outcome.failure for outcome in outcomes] == [None, None, "residual too large"]
    assert [row["point"] for row in table] == [1, 3]
