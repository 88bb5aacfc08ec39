"""Studies that share mesh and operator: those that differ in nothing that these depend on."""

from __future__ import annotations

from collections.abc import Hashable

from mpi4py import MPI

from pearlfem.model.sources.impurity import has_points
from pearlfem.observables.tables import check_probes
from pearlfem.runtime.phases import Progress
from pearlfem.study.study import Study
from pearlfem.workflow.adaptivity import Assembly
from pearlfem.workflow.assembly import assemble


class Assembler:
    """Assembles one study after another; a study uses the mesh and problems of the last if it can.

    Note:
        Every method is collective. The next call of ``assemble`` that cannot use the last assembly
        frees it, and so does ``destroy``.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._last: Assembly | None = None

    def assemble(
        self, study: Study, seconds: dict[str, float], comm: MPI.Comm, progress: Progress
    ) -> Assembly:
        """Return mesh and problems of ``study``; see ``workflow.assembly.assemble``."""
        key = reuse_key(study)
        if self._last is not None and key is not None and key == self._key:
            check_probes(self._last.mesh, study.output.probe)
            return self._last
        self.destroy()
        self._last = assemble(
            study.film,
            study.sources,
            boundary=study.boundary,
            mesh=study.mesh,
            solve=study.solve,
            probes=study.output.probe,
            seconds=seconds,
            comm=comm,
            progress=progress,
        )
        self._key = key
        return self._last

    def destroy(self) -> None:
        """Free the last problems; their solutions lose their operator."""
        if self._last is not None:
            self._last.destroy()
        self._last = None


def reuse_key(study: Study) -> Hashable:
    """Return the key of everything that mesh and operator depend on; None if the mesh adapts.

    Sources count with the places where they ask for small cells, not with their angles, strengths,
    windings or fields. An adapted mesh depends on the solution.
    """
    if study.solve.tolerance is not None:
        return None
    cores = tuple(core for source in study.sources for core in source.cores)
    points = has_points(study.sources)
    options = (study.mesh, study.solve.formulation, study.solve.degree)
    return (study.film, study.boundary, cores, points, *options)
