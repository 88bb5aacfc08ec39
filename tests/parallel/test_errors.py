"""Errors of one rank are raised on all, so that none waits for the others for ever."""

from dataclasses import replace

import pytest
from mpi4py import MPI

from pearlfem import Disc, Film, Hole, Impurity, MaxwellLondon, create_mesh, read_mesh
from pearlfem.errors import StudyError
from pearlfem.runtime.parallel import on_root, root_only, together

WORLD = MPI.COMM_WORLD
LAST = WORLD.size - 1


def everywhere(true: bool) -> bool:
    """Whether it holds on every rank."""
    return WORLD.allreduce(int(true)) == WORLD.size


def test_work_on_root_is_done_there_and_known_everywhere():
    done = []
    result = on_root(WORLD, lambda: done.append(WORLD.rank) or "from 0")
    assert everywhere(result == "from 0")
    assert WORLD.allgather(done) == [[0], *([[]] * LAST)]


def test_work_for_root_alone_is_done_there_and_its_result_stays_there():
    done = []
    # a function in a function cannot be pickled, so it would not come through a broadcast
    result = root_only(WORLD, lambda: done.append(WORLD.rank) or (lambda: "from 0"))
    assert WORLD.allgather(done) == [[0], *([[]] * LAST)]
    assert everywhere(result() == "from 0" if WORLD.rank == 0 else result is None)


@pytest.mark.parametrize("do", [on_root, root_only])
def test_error_on_root_is_raised_on_every_rank(do):
    def fail():
        raise StudyError(f"rank {WORLD.rank} cannot")

    with pytest.raises(StudyError, match="rank 0 cannot"):
        do(WORLD, fail)
    assert everywhere(True)  # and all go on


@pytest.mark.parametrize("do", [on_root, root_only])
def test_error_keeps_what_it_knows(do):
    def fail():
        raise FileNotFoundError(2, "No such file or directory", "x.vtu")

    with pytest.raises(FileNotFoundError) as caught:
        do(WORLD, fail)
    assert everywhere((caught.value.errno, caught.value.filename) == (2, "x.vtu"))


def test_work_together_has_a_result_on_each_rank():
    results = WORLD.allgather(together(WORLD, lambda: 10 * WORLD.rank))
    assert results == [10 * rank for rank in range(WORLD.size)]


def test_error_on_the_last_rank_is_raised_on_every_rank():
    def fail():
        if WORLD.rank == LAST:
            raise StudyError(f"rank {WORLD.rank} cannot")

    with pytest.raises(StudyError, match=f"rank {LAST} cannot"):
        together(WORLD, fail)
    assert everywhere(True)


def test_error_of_the_lowest_rank_is_raised_on_every_rank():
    first = min(1, LAST)

    def fail():
        if WORLD.rank >= first:
            raise StudyError(f"rank {WORLD.rank} cannot")

    with pytest.raises(StudyError, match=f"rank {first} cannot"):
        together(WORLD, fail)
    assert everywhere(True)


def test_film_that_cannot_be_meshed_is_refused_on_every_rank():
    with pytest.raises(StudyError, match="outside"):
        create_mesh(Film(Disc(1.0), 1.0), [Impurity((2.0, 0.0), size=0.1)])
    assert everywhere(True)


def test_mesh_file_that_is_missing_is_refused_on_every_rank(shared_tmp):
    with pytest.raises(StudyError, match=r"nowhere\.msh"):
        read_mesh(shared_tmp / "nowhere.msh")
    assert everywhere(True)


def test_mesh_of_another_film_is_refused_on_every_rank(film, mesh):
    others = [Film(Disc(2.0), 1.0), Film(film.shape, 1.0, (Hole(Disc(0.2, film.center), "loop"),))]
    for other in others:
        for each in (mesh, replace(mesh, films=None)):  # made here, or read from a file
            with pytest.raises(StudyError, match="mesh: "):
                MaxwellLondon(other, each, degree=1)
    problem = MaxwellLondon(film, replace(mesh, films=None), degree=1)
    assert problem.mesh.films is not None
    problem.destroy()
