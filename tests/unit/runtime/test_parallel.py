"""Work that one rank does for all, on a single rank; tests/parallel has several ranks."""

import pytest
from mpi4py import MPI

from pearlfem.runtime.parallel import on_root, root_only, together

ALL = pytest.mark.parametrize("do", [on_root, root_only, together])


@ALL
@pytest.mark.parametrize("result", [17, None, [1, 2], 0])
def test_result_is_returned(do, result):
    assert do(MPI.COMM_SELF, lambda: result) == result


@ALL
def test_error_is_raised_unchanged(do):
    def fail():
        raise FileNotFoundError(2, "No such file", "x.toml")

    with pytest.raises(FileNotFoundError, match=r"x\.toml"):
        do(MPI.COMM_SELF, fail)


@ALL
def test_work_is_done_once(do):
    calls = []
    do(MPI.COMM_SELF, lambda: calls.append(1))
    assert calls == [1]


@ALL
def test_keyboard_interrupt_is_raised_at_once(do):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(MPI.COMM_SELF, interrupt)
