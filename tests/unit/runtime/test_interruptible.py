"""A long call of compiled code is left at once when a signal comes."""

import os
import signal
import threading
import time

import gmsh
import pytest
from mpi4py import MPI

from pearlfem import Disc, Film, Impurity, create_mesh
from pearlfem.runtime.interruptible import (
    finish_abandoned_work,
    has_abandoned_work,
    interruptible,
)
from pearlfem.runtime.signals import Terminated, termination_raises


def test_result_and_error_are_those_of_the_work():
    assert interruptible(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 / 0)
    assert not has_abandoned_work()


def test_signal_leaves_the_work_at_once_and_it_goes_on():
    begun, may_end = threading.Event(), threading.Event()

    def work():
        begun.set()
        os.kill(os.getpid(), signal.SIGTERM)
        may_end.wait(60)

    with pytest.raises(Terminated), termination_raises():
        interruptible(work)
    assert begun.is_set()
    assert has_abandoned_work()
    may_end.set()
    assert finish_abandoned_work()
    assert not has_abandoned_work()
    assert not finish_abandoned_work()  # which is told once


def test_work_of_other_threads_is_done_by_themselves():
    found = []
    thread = threading.Thread(target=lambda: found.append(interruptible(threading.get_ident)))
    thread.start()
    thread.join()
    assert found == [thread.ident]


def test_sigterm_is_answered_while_gmsh_makes_cells(monkeypatch):
    disc, sources = Film(Disc(1.0), 1.0), [Impurity((0.0, 0.0), size=0.3)]
    made = gmsh.model.mesh.generate
    ended = []

    def generate(dimension):
        os.kill(os.getpid(), signal.SIGTERM)  # before gmsh's own work, which takes a second
        made(dimension)
        ended.append(time.monotonic())

    monkeypatch.setattr(gmsh.model.mesh, "generate", generate)
    with pytest.raises(Terminated), termination_raises():
        create_mesh(disc, sources, resolution=0.5, far=20.0, comm=MPI.COMM_SELF)
    assert ended == []
    # The next mesh waits until gmsh is free, and is the same as ever.
    monkeypatch.setattr(gmsh.model.mesh, "generate", made)
    again = create_mesh(disc, sources, resolution=0.2, far=5.0, comm=MPI.COMM_SELF)
    assert len(ended) == 1
    assert again.cells == create_mesh(disc, sources, resolution=0.2, far=5.0).cells
