"""Damaged studies, and studies far too large: answered in words, in little time and memory.

The studies are made and answered by ``mutated_studies.py``, in a process of its own that may use
500 MB more than it has when all libraries are loaded.
"""

import json
import subprocess
import sys
from pathlib import Path

import mutated_studies
import pytest
from mutated_studies import MOST_SECONDS

MANY = 50_000


def answers(first, last):
    """The answers to studies of these numbers."""
    script = Path(mutated_studies.__file__)
    run = subprocess.run(
        [sys.executable, str(script), str(first), str(last)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout)
    assert sum(found["kinds"].values()) == last - first
    return found


def test_damaged_studies_are_answered_in_words_in_little_time_and_memory():
    found = answers(0, 100)
    assert found["faults"] == []
    assert found["kinds"].keys() >= {"refused", "sized"}
    assert found["kinds"]["sized"] > 10


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, MANY, 5000))
def test_many_damaged_studies_are_too(first):
    assert answers(first, first + 5000)["faults"] == []


LIMITED = """
import json, resource, sys, time
from mpi4py import MPI
from pearlfem import StudyError
from pearlfem.study.study import parse_study
from pearlfem.workflow.assembly import assemble
from mutated_studies import memory

answers = {}
limit = memory() + 500 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for name, text in json.load(sys.stdin).items():
    start = time.process_time()
    try:
        study = parse_study(text)
        assemble(study.film, study.sources, solve=study.solve, comm=MPI.COMM_SELF)
    except StudyError as error:
        answers[name] = time.process_time() - start, str(error)
json.dump(answers, sys.stdout)
"""
CHIP = "[film]\nshape = 'rectangle'\nsize = [{size}, {size}]\npearl_length = {length}\n"
FIELD = "[applied]\nfield = [0.0, 0.0, 1.0]\n"
HOLE = "[[film.hole]]\nname = '{x}, {y}'\nshape = 'disc'\nradius = 0.4\ncenter = [{x}, {y}]\n"
HOLES = "".join(HOLE.format(x=x, y=y) for x in range(-5, 5) for y in range(-5, 5))
SITES = "[impurities]\nsize = 1e-5\nlattice = { vectors = [[0.01, 0.0], [0.0, 0.01]] }\n"
LARGE = {
    "5 mm in um": CHIP.format(size=5000.0, length=0.08) + FIELD,
    "20 mm in um": CHIP.format(size=20_000.0, length=0.08) + FIELD,
    "20 mm in nm": CHIP.format(size=2e7, length=80.0) + FIELD,
    "2 km in um": CHIP.format(size=2e9, length=0.08) + FIELD,
    "short Pearl length": CHIP.format(size=1.0, length=1e-14) + FIELD,
    "many holes": CHIP.format(size=16.0, length=1e-4) + HOLES + FIELD,
    "many cores": CHIP.format(size=0.99, length=1.0) + SITES,
}


def test_studies_that_are_far_too_large_are_refused_before_anything_is_laid_out():
    run = subprocess.run(
        [sys.executable, "-c", LIMITED],
        input=json.dumps(LARGE),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(mutated_studies.__file__).parent,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    answers = json.loads(run.stdout)
    assert answers.keys() == LARGE.keys()
    for seconds, message in answers.values():
        assert seconds < MOST_SECONDS
        assert "cells" in message
        assert "a smaller film" in message
        assert len(message) < 500
