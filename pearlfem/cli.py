"""The command line: parse, call, report.

Exit codes: 0 a converged answer, 1 an unforeseen error or a failed check, 2 unusable input, 3 a
solver that did not converge or a tolerance that was not reached.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
import numpy as np
from mpi4py import MPI
from rich.console import Console
from rich.table import Table

from pearlfem.check import COUPLING_TOLERANCE, FIELD_TOLERANCE, check_solver
from pearlfem.errors import ConvergenceError, StudyError
from pearlfem.inductance import inductance, write_inductance
from pearlfem.mesh.space import write_space
from pearlfem.model.boundary import Open
from pearlfem.model.periodic import Periodic
from pearlfem.model.shapes import Plane
from pearlfem.model.study import Study, read_study
from pearlfem.parallel import on_root
from pearlfem.report import (
    comparison_table,
    coupling_comparisons,
    holes_table,
    inductance_table,
    order_tables,
)
from pearlfem.run import PICTURE, draw_picture, run_study

_STUDY = click.argument("study", metavar="STUDY.toml", type=click.Path(path_type=Path))
_OUT = click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the result [default: results/ and the study's name].",
)
_FORCE = click.option("--force", is_flag=True, help="Replace an earlier result.")

_MOST_ROWS = 30

_EXAMPLE = """\
\b
A study file:
  title = "two impurities on an infinite film"
  [film]
  shape = "plane"            # or "disc" with radius and center
  pearl_length = 1.0         # r0 = 2 lambda^2/d, in your unit of length
  [[impurity]]               # one such table for each
  position = [-0.25, 0.0]
  angle = 0.0                # of the moment in the plane, degrees
  strength = 1.0             # Gamma
  size = 0.1                 # Gaussian width xi
  [boundary]
  kind = "open"              # or walls: "shield" (B.n = 0) or "magnetic-wall" (n x H = 0)
  # box = [4.0, 4.0, 2.0]    # with walls: sizes of the box; x and y may both be inf
  # center = [0.0, 0.0, 0.0] # of the box; default: around the film
  # kind = "periodic"        # a lattice: the impurities are those of one cell,
  # cell = [[1, 0], [0, 1]]  # which these vectors repeat
  [mesh]
  resolution = 1.0           # 2.0: cells half as large
  far = 100.0                # far boundary, in sizes of the device
  [solve]
  formulation = "stream"     # energies from below; "vector" from above; "both" bounds them
  degree = 3                 # of the elements, 1 to 3
  # tolerance = 1e-4         # refine until the relative error of the free energy is this small
  # max_dofs = 2000000       # largest mesh allowed in doing so
  [output]
  fields = "vtu"             # "vtx" (ADIOS2, for large runs) or "none"
  picture = true

\b
Then:
  pearlfem run pair.toml --out results/pair
  mpiexec -n 4 pearlfem run pair.toml --out results/pair
"""


_RESULT = """\
\b
DIR then holds
  summary.json   energies, interaction tensor, sizes, times, versions
  result.vtm     all fields and impurities: open this in ParaView
  film.vtu       K, g and B_z on the film     (film.pvtu on several ranks)
  space.vtu      B and psi (z >= 0 if space is symmetric; space.pvtu on several ranks)
  film.png       |K|, current lines and moments
  study.toml     the study itself

summary.json is written last: if it is there, the answer has converged.
Exit codes: 0 converged, 2 unusable input, 3 the solver did not converge, or the tolerance was
not reached: then partial.json has the best bounds.
"""


@click.group(epilog=_EXAMPLE, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pearlfem")
def cli() -> None:
    """Solve the 3D Maxwell-London equation of a thin superconducting film.

    Magnetic impurities on the film drive anomalous currents; pearlfem gives the supercurrents and
    fields that answer, the free energy, and the couplings of the impurities' moments.
    """


@cli.command(epilog=_RESULT)
@_STUDY
@_OUT
@_FORCE
def run(study: Path, out: Path | None, force: bool) -> None:
    """Solve a study: couplings, currents, fields, picture."""
    comm = MPI.COMM_WORLD
    folder = out or Path("results") / study.stem
    what = _read_study(study)
    summary = run_study(what, folder, force=force, comm=comm, progress=click.echo)
    _report(what, summary, what.title or study.stem)
    click.echo(f"result in {folder}/: " + ", ".join(_list_files(folder)))
    if what.output.picture:
        click.echo(f"picture: {folder / PICTURE}")


@cli.command()
@_STUDY
@_OUT
@_FORCE
def order(study: Path, out: Path | None, force: bool) -> None:
    """Solve a study with its moments in their ground state.

    The lowest energy of all moments that turn in the plane, a bound below it, order parameters,
    and thermal averages at the temperatures of [order]. Everything else is as with run.
    """
    comm = MPI.COMM_WORLD
    folder = out or Path("results") / study.stem
    what = _read_study(study)
    summary = run_study(what, folder, force=force, in_order=True, comm=comm, progress=click.echo)
    for table in order_tables(summary["order"]):
        _print(table)
    click.echo(f"result in {folder}/: " + ", ".join(_list_files(folder)))


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def plot(folder: Path) -> None:
    """Draw the picture of a finished run in DIR again."""
    path = on_root(MPI.COMM_WORLD, lambda: draw_picture(folder))
    click.echo(f"picture: {path}")


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
    """Write the mesh of a study as a gmsh file, with named groups."""
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

    Geometric and kinetic together; with formulation = "both" its bounds.
    """
    comm = MPI.COMM_WORLD
    what = _read_study(study)
    found = inductance(what, comm, click.echo)
    _print(inductance_table(found, what.units))
    if out is not None:
        on_root(comm, lambda: write_inductance(out, found, what))
        click.echo(f"matrix: {out}")


@cli.command()
def check() -> None:
    """Compare the solver with exact results; exit code 1 if they differ too much."""
    rows = check_solver(MPI.COMM_WORLD)
    _print(comparison_table(rows, title="pearlfem against exact theory", reference="exact"))
    failed = sum(not row.passed for row in rows)
    click.echo(
        f"allowed: {COUPLING_TOLERANCE:g} for energies, {FIELD_TOLERANCE:g} of the largest value "
        f"for K and B; {len(rows) - failed} of {len(rows)} within"
    )
    if failed:
        raise click.exceptions.Exit(1)


def main() -> NoReturn:
    """Run the command line on all ranks; one rank speaks and all end together."""
    comm = MPI.COMM_WORLD
    if comm.rank != 0:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    try:
        sys.exit(cli.main(sys.argv[1:] or ["--help"], standalone_mode=False))
    except click.ClickException as error:
        _end_together(comm, error.format_message(), 2)
    except StudyError as error:
        _end_together(comm, str(error), 2)
    except ConvergenceError as error:
        _end_together(comm, str(error), 3)
    except click.Abort:
        _abort(comm, "interrupted", 130)
    except Exception:
        _abort(comm, f"unforeseen error\n{traceback.format_exc()}", 1)


def _end_together(comm: MPI.Comm, message: str, code: int) -> NoReturn:
    """End with ``message``; all ranks come here with the same."""
    if comm.rank == 0:
        print(f"pearlfem: {message}", file=sys.stderr)
    sys.exit(code)


def _abort(comm: MPI.Comm, message: str, code: int) -> NoReturn:
    """End all ranks; this one may be the only one in trouble, and the others wait for it."""
    time.sleep(0.2 * comm.rank)  # if all are, the lowest speaks first and ends the others
    where = f"rank {comm.rank}: " if comm.size > 1 else ""
    print(f"pearlfem: {where}{message}", file=sys.stderr, flush=True)
    if comm.size > 1:
        comm.Abort(code)
    sys.exit(code)


def _read_study(path: Path) -> Study:
    """Read and validate on one rank: the study may name further files."""
    return on_root(MPI.COMM_WORLD, lambda: read_study(path))


def _write_mesh(study: Study, path: Path, force: bool) -> int:
    if path.exists() and not force:
        raise StudyError(f"mesh file {path}: exists; allowed: a new file, or --force to replace it")
    return write_space(
        path,
        study.film,
        study.sources,
        boundary=study.boundary,
        resolution=study.mesh.resolution,
        far=study.mesh.far,
    )


def _report(study: Study, summary: Mapping[str, Any], title: str) -> None:
    """Print couplings, energy and holes."""
    unit = summary["free_energy"]["unit"]
    if summary["interaction"] is not None and study.film.uniform:
        tensor = np.array(summary["interaction"]["tensor"])
        scale = float(study.units.from_reduced(1.0, "energy"))
        rows = list(
            coupling_comparisons(
                study.film, study.impurities, tensor / scale, boundary=study.boundary
            )
        )
        infinite = isinstance(study.film.shape, Plane) and not study.film.openings
        exact = infinite and isinstance(study.boundary, Open | Periodic)
        reference = "exact" if exact else "infinite film"
        rows = [row.scaled(scale) for row in rows[:_MOST_ROWS]]
        heading = f"{title}, energies in {unit}"
        _print(comparison_table(rows, title=heading, reference=reference))
        if len(rows) > _MOST_ROWS:
            click.echo(f"and {len(rows) - _MOST_ROWS} more numbers in summary.json")
    if summary["holes"]:
        _print(holes_table(summary["holes"], summary["units"]))
    energy = summary["free_energy"]["value"]
    click.echo(f"free energy of all sources together: {energy:.9g} {unit}, {_bounds(summary)}")


def _print(table: Table) -> None:
    # A log has no width to be read off, and a number cut in two is of no use.
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def _bounds(summary: Mapping[str, Any]) -> str:
    """Return in words what is known of the free energy's error."""
    lower, upper = (summary["free_energy"][side] for side in ("lower", "upper"))
    if lower is not None and upper is not None:
        gap = (upper - lower) / abs(lower)
        return f"guaranteed between {lower:.9g} and {upper:.9g} (relative gap {gap:.1e})"
    if lower is None and upper is None:
        return "an estimate: there are no bounds with point impurities"
    bound = "a lower bound" if upper is None else "an upper bound"
    if summary["rounds"]:
        return f"{bound}, relative error estimated at {summary['rounds'][-1]['error']:.1e}"
    return bound


def _list_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())
