"""``pearlfem sweep``: solves all points of a study with [sweep], and makes a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
from mpi4py import MPI

from pearlfem.io.results.sweep_folder import CSV, FAILED, PARQUET, SweepFolder
from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.progress import progress_shown
from pearlfem.runtime.signals import EXIT_CODE, Terminated
from pearlfem.study.sweep import Sweep, read_sweep
from pearlfem.workflow.jobs import received_points, run_jobs
from pearlfem.workflow.sweep import Outcome, in_order_of_work, parts, run_points

_TABLE = """\
\b
In the study:
  [sweep]
  mode = "grid"                  # all combinations; "zip": the first values, the second ones, ...
  [[sweep.parameter]]            # one such table for each
  key = "film.pearl_length"      # also "impurity 2.angle", "applied.field[2]", ...
  values = [0.5, 1.0, 2.0]
  # range = { start = 0.1, stop = 10, number = 21, spacing = "log" }   # or "linear"

\b
DIR then holds
  table.csv, table.parquet   a row for each point that is done; grows with each
  0001/, 0002/, ...          the result of each, as of run
  sweep.toml                 the study

Exit code 1 if points failed; the next call tries them again.
"""


def _part(context: click.Context, option: click.Parameter, text: str) -> tuple[int, int]:
    """Return K and N of "K/N"."""
    match = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", text)
    if match is None or int(match[1]) > int(match[2]):
        raise click.BadParameter(f"{text!r}: not allowed; allowed: K/N with 1 <= K <= N")
    return int(match[1]), int(match[2])


@click.command(epilog=_TABLE)
@click.argument("study", metavar="STUDY.toml", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the results [default: results/ and the study's name].",
)
@click.option("--force", is_flag=True, help="Remove the points of another sweep.")
@click.option(
    "--part",
    metavar="K/N",
    default="1/1",
    callback=_part,
    help="Only solve the K-th of N parts of the points; for job arrays.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    help="Solve N points at the same time, in separate processes.",
)
@click.option(
    "--ranks", metavar="R", type=click.IntRange(1), default=1, help="MPI ranks of each job."
)
@click.option("--as-job", is_flag=True, hidden=True)  # see pearlfem.jobs
def sweep(
    study: Path,
    out: Path | None,
    force: bool,
    part: tuple[int, int],
    jobs: int,
    ranks: int,
    as_job: bool,
) -> None:
    """Solve all points of a study with [sweep], and make a table of the results.

    Points that are done are not solved again: after any interruption, the same command goes on.
    """
    comm = MPI.COMM_WORLD
    path = out or Path("results") / study.stem
    apart = jobs > 1 or ranks > 1
    if apart and comm.size > 1:
        raise click.UsageError("--jobs and --ranks start their own MPI; do not use mpiexec as well")
    # A job need not validate all points again.
    what = on_root(comm, lambda: read_sweep(study, checked=not as_job))
    folder = SweepFolder(path, what)
    on_root(comm, lambda: folder.open(force=force))
    if as_job:
        given = received_points(what.points, comm)
        try:
            run_points(given, folder, comm, tell=lambda outcome: None)
        except Terminated:
            raise click.exceptions.Exit(EXIT_CODE) from None  # the first process prints it
        return
    points = parts(in_order_of_work(what), part[1])[part[0] - 1]
    missing = on_root(comm, lambda: [p for p in points if not folder.is_done(p)])
    click.echo(f"{len(points)} points, {len(points) - len(missing)} of them done already")
    with progress_shown("points", len(missing)) as show:
        tell = partial(_tell, show, what)
        if apart:
            command = ["sweep", str(study), "--out", str(path), "--as-job"]
            failed = run_jobs(command, missing, folder, tell, jobs=jobs, ranks=ranks)
        else:
            failed = run_points(missing, folder, comm, tell)
    on_root(comm, folder.update_table)
    click.echo(f"table: {path / CSV}, {path / PARQUET}")
    if failed:
        names = ", ".join(sorted(point.folder for point in failed))
        _complain(f"{len(failed)} points failed: {names}; why is in {FAILED} in their folders")
        raise click.exceptions.Exit(1)


def _tell(show: Callable[[str], None], sweep: Sweep, outcome: Outcome) -> None:
    words = f"point {outcome.point.folder} ({sweep.describe(outcome.point)})"
    if outcome.failure is not None:
        _complain(f"{words}: {outcome.failure}")
    show(f"{words} {'done' if outcome.failure is None else 'FAILED'}")


def _complain(message: str) -> None:
    if MPI.COMM_WORLD.rank == 0:
        click.echo(f"pearlfem: {message}", err=True)
