"""SIGTERM becomes an exception, or is noted until the work asks for it."""

import os
import signal
import threading

import pytest
from mpi4py import MPI

from pearlfem.runtime.signals import Terminated, termination_raises, termination_waits


def send():
    os.kill(os.getpid(), signal.SIGTERM)


def test_termination_is_an_exception_and_clean_up_runs():
    tidied = []
    with pytest.raises(Terminated, match="SIGTERM"), termination_raises():
        try:
            send()
        finally:
            tidied.append(True)
    assert tidied == [True]


def test_termination_is_not_caught_as_an_error_of_the_work():
    with pytest.raises(Terminated), termination_raises():
        try:
            send()
        except Exception:
            pytest.fail("caught")


@pytest.mark.parametrize("block", [termination_raises, lambda: termination_waits(MPI.COMM_SELF)])
def test_old_handler_is_restored_after_the_block(block):
    before = signal.getsignal(signal.SIGTERM)
    with block():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_step_is_finished_before_termination_is_reported():
    done = []
    with termination_raises(), termination_waits(MPI.COMM_SELF) as terminated:
        for step in range(4):
            if terminated():
                break
            if step == 1:
                send()
            done.append(step)
    assert done == [0, 1]


def test_second_termination_does_not_wait():
    with pytest.raises(Terminated, match="twice"), termination_waits(MPI.COMM_SELF):
        send()
        send()


def test_other_threads_run_without_a_handler():
    def work():
        with termination_raises(), termination_waits(MPI.COMM_SELF) as terminated:
            answers.append(terminated())

    answers = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [False]
