"""The command line: parse arguments, call functions, print results.

Exit codes: 0 a converged answer, 1 an unforeseen error or a failed check, 2 unusable input, 3 a
solver that did not converge or a tolerance that was not reached, 130 Ctrl-C, 143 SIGTERM.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from typing import NoReturn

import click
from mpi4py import MPI

from pearlfem.cli.help import EXAMPLE, RESULT
from pearlfem.cli.sweep import sweep
from pearlfem.cli.tables import comparison_table, inductance_table, order_tables
from pearlfem.cli.terminal import print_summary, print_table
from pearlfem.errors import CompilationError, ConvergenceError, CrossingError, StudyError
from pearlfem.io.report.page import write_page
from pearlfem.io.results.folder import PICTURE, held_folder
from pearlfem.io.results.probes import write_table
from pearlfem.io.results.study import STUDY
from pearlfem.mesh.generate import write_mesh
from pearlfem.runtime.atomic import atomic_file
from pearlfem.runtime.interruptible import has_abandoned_work
from pearlfem.runtime.jit import cache_folder
from pearlfem.runtime.launcher import WrongLauncherError, check_launcher
from pearlfem.runtime.leftovers import tidy_up
from pearlfem.runtime.parallel import on_root
from pearlfem.runtime.signals import EXIT_CODE, Terminated, termination_raises
from pearlfem.runtime.start import INTERRUPTED, loaded
from pearlfem.study.study import Study, read_study
from pearlfem.workflow.check import COUPLING_TOLERANCE, FIELD_TOLERANCE, check_solver
from pearlfem.workflow.inductance import inductance, write_inductance
from pearlfem.workflow.replay import draw_picture, probe_result
from pearlfem.workflow.run import run_study
from pearlfem.workflow.warmup import warm_up

_STUDY = click.argument("study", metavar="STUDY.toml", type=click.Path(path_type=Path))
_OUT = click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the result [default: results/ and the study's name].",
)
_FORCE = click.option("--force", is_flag=True, help="Replace an earlier result.")

_PATIENCE = 3.0  # seconds to wait for the other ranks after an error that all ranks share


@click.group(epilog=EXAMPLE, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pearlfem")
def cli() -> None:
    """Solve the 3D Maxwell-London equation of a thin superconducting film.

    Magnetic impurities, vortices, fluxoids and applied fields drive supercurrents in the film.
    pearlfem computes these and their magnetic field, the free energy, and the couplings of the
    impurities' moments.
    """


@cli.command(epilog=RESULT)
@_STUDY
@_OUT
@_FORCE
def run(study: Path, out: Path | None, force: bool) -> None:
    """Solve a study: couplings, currents, fields, picture."""
    comm = MPI.COMM_WORLD
    folder = out or Path("results") / study.stem
    what = _read_study(study)
    summary = run_study(what, folder, force=force, comm=comm, progress=click.echo)
    print_summary(what, summary, what.title or study.stem)
    click.echo(f"result in {folder}/: " + ", ".join(_list_files(folder)))
    if what.output.picture:
        click.echo(f"picture: {folder / PICTURE}")


@cli.command()
@_STUDY
@_OUT
@_FORCE
def order(study: Path, out: Path | None, force: bool) -> None:
    """Solve a study with its moments in their ground state.

    Prints the lowest energy of all moments that turn in the plane, a lower bound of it, order
    parameters, and thermal averages at the temperatures of [order]. Everything else is as with run.
    """
    comm = MPI.COMM_WORLD
    folder = out or Path("results") / study.stem
    what = _read_study(study)
    summary = run_study(what, folder, force=force, in_order=True, comm=comm, progress=click.echo)
    for table in order_tables(summary["order"]):
        print_table(table)
    click.echo(f"result in {folder}/: " + ", ".join(_list_files(folder)))


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def plot(folder: Path) -> None:
    """Draw the picture of a finished run in DIR again."""
    path = on_root(MPI.COMM_WORLD, lambda: _plot(folder))
    click.echo(f"picture: {path}")


@cli.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def report_page(folder: Path) -> None:
    """Write DIR/report.html: the result or sweep in DIR as one page to keep and send."""
    path = on_root(MPI.COMM_WORLD, lambda: write_page(folder))
    click.echo(f"page: {path}")


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--points",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    required=True,
    help="Columns x, y and, for points off the film, z, in the units of the study.",
)
@click.option(
    "--out",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="File for the table [default: print it].",
)
def probe(folder: Path, points: Path, out: Path | None) -> None:
    """Print the fields of a finished run at more points.

    Nothing is solved again: the study must have had output.solution = true.
    """
    comm = MPI.COMM_WORLD
    columns, units = probe_result(folder, points, comm)

    table = StringIO()
    write_table(table, columns, units)
    if out is None:
        click.echo(table.getvalue(), nl=False)
    else:
        on_root(comm, lambda: _write_whole(out, table.getvalue()))


@cli.command()
def warmup() -> None:
    """Compile all forms now, for machines without a compiler, or to save time later.

    Optional: a run compiles the forms that are missing, once, into DOLFINx's cache
    (XDG_CACHE_HOME).
    """
    warm_up(progress=click.echo)
    click.echo(f"in {cache_folder()}")


@cli.command()
@_STUDY
@click.option(
    "--out",
    metavar="FILE.msh",
    type=click.Path(path_type=Path),
    help="File to write [default: the study's name].",
)
@_FORCE
def mesh(study: Path, out: Path | None, force: bool) -> None:
    """Write the mesh of a study as a gmsh file, with named groups.

    It is the mesh before refinements, so studies with refinements can use it as their mesh file.
    """
    what = _read_study(study)
    path = out or Path(study.stem + ".msh")
    cells = on_root(MPI.COMM_WORLD, lambda: _write_mesh(what, path, force))
    click.echo(f"mesh: {path}, {cells:,} cells, with named groups")


@cli.command("inductance")
@_STUDY
@click.option(
    "--out",
    metavar="FILE.json",
    type=click.Path(path_type=Path),
    help="Also write the matrix to this file.",
)
def inductance_matrix(study: Path, out: Path | None) -> None:
    """Print the inductance matrix of the holes of a study's film.

    Geometric and kinetic inductance together; with formulation = "both" also bounds.
    """
    comm = MPI.COMM_WORLD
    what = _read_study(study)
    result = inductance(
        what.film,
        boundary=what.boundary,
        mesh=what.mesh,
        solve=what.solve,
        comm=comm,
        progress=click.echo,
    )
    print_table(inductance_table(result, what.units))
    if out is not None:
        on_root(comm, lambda: write_inductance(out, result, what.units))
        click.echo(f"matrix: {out}")


@cli.command()
def check() -> None:
    """Compare the solver with exact results; exit code 1 if they differ too much."""
    rows = check_solver(MPI.COMM_WORLD)
    print_table(comparison_table(rows, title="pearlfem against exact theory"))
    failed = sum(not row.passed for row in rows)
    click.echo(
        f"allowed: {COUPLING_TOLERANCE:g} for energies, {FIELD_TOLERANCE:g} of the largest value "
        f"for K and B; {len(rows) - failed} of {len(rows)} within"
    )
    if failed:
        raise click.exceptions.Exit(1)


cli.add_command(sweep)


def main() -> NoReturn:
    """Run the command line on all ranks; one rank speaks and all end together."""
    loaded()
    comm = MPI.COMM_WORLD.Dup()  # a copy: it matches no call that an error left unfinished
    if comm.rank != 0:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    warnings.formatwarning = lambda message, *_: f"pearlfem: warning: {message}\n"
    try:
        check_launcher()
        with termination_raises():
            sys.exit(cli.main(sys.argv[1:] or ["--help"], standalone_mode=False))
    except click.ClickException as error:
        _end_together(comm, error.format_message(), 2)
    except WrongLauncherError as error:
        if error.rank == 0:
            _say(str(error))
        sys.exit(2)
    except StudyError as error:
        _end_together(comm, str(error), 2)
    except ConvergenceError as error:
        _end_together(comm, str(error), 3)
    except (CompilationError, CrossingError) as error:
        _end_together(comm, str(error), 1)
    except Terminated as error:
        if comm.rank > 0:
            _meet(comm)  # gives the first rank time to tidy up
        _abort(comm, str(error), EXIT_CODE)
    except (click.Abort, KeyboardInterrupt):
        _end_together(comm, "interrupted", INTERRUPTED)
    except Exception:
        _abort(comm, f"unforeseen error\n{traceback.format_exc()}", 1)


def _say(message: str) -> None:
    print(f"pearlfem: {message}", file=sys.stderr, flush=True)


def _meet(comm: MPI.Comm) -> bool:
    """Return whether all ranks come here within ``_PATIENCE``."""
    meeting, end = comm.Ibarrier(), time.monotonic() + _PATIENCE
    while not (met := meeting.Test()) and time.monotonic() < end:
        time.sleep(0.01)
    return met


def _end_together(comm: MPI.Comm, message: str, code: int) -> NoReturn:
    """End all ranks with the ``message`` that they share; abort if not all come here."""
    if not _meet(comm):
        _abort(comm, message, code)
    if comm.rank == 0:
        _say(message)
    sys.exit(code)


def _abort(comm: MPI.Comm, message: str, code: int) -> NoReturn:
    """Abort all ranks: this one may be the only one with an error, and the others wait for it."""
    time.sleep(0.2 * comm.rank)  # if all ranks have errors, the lowest prints and aborts first
    _say(f"rank {comm.rank}: {message}" if comm.size > 1 else message)
    if comm.size > 1:
        tidy_up()
        MPI.COMM_WORLD.Abort(code)
    if has_abandoned_work():  # which must not meet the end of its own library
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _read_study(path: Path) -> Study:
    """Read and validate a study on one rank, because it may name more files."""
    return on_root(MPI.COMM_WORLD, lambda: read_study(path))


def _write_whole(path: Path, text: str) -> None:
    try:
        with atomic_file(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be written: {error.strerror}") from None


def _plot(folder: Path) -> Path:
    has_result = (folder / STUDY).is_file()  # otherwise it is refused, and must stay unchanged
    with held_folder(folder) if has_result else nullcontext():
        from pearlfem.io.fields.integrity import check_film  # VTK takes a second to load

        check_film(folder)
        return draw_picture(folder)


def _write_mesh(study: Study, path: Path, force: bool) -> int:
    if study.mesh.file is not None:
        raise StudyError(
            f"mesh.file = {study.mesh.file!r}: is the mesh of this study already; allowed here: a "
            "study without this key"
        )
    if path.exists() and not force:
        raise StudyError(f"mesh file {path}: exists; allowed: a new file, or --force to replace it")
    return write_mesh(
        path,
        study.film,
        study.sources,
        boundary=study.boundary,
        resolution=study.mesh.resolution,
        far=study.mesh.far,
    )


def _list_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())
