"""Jobs of a sweep: processes of their own, that end with the one that started them."""

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

from pearlfem.workflow.jobs import _Job, next_count

TIMEOUT = 60  # seconds
SWEEP = """
[sweep]
[[sweep.parameter]]
key = "impurity 1.angle"
range = { start = 0, stop = 90, number = 60 }
"""


@pytest.fixture
def study(tmp_path, tiny_study):
    path = tmp_path / "tiny.toml"
    text = tiny_study.replace("degree = 2", "degree = 1") + 'fields = "none"\n'
    path.write_text(text + SWEEP)
    return path


@pytest.fixture
def running(study, tmp_path):
    """A sweep of two jobs that has begun, and its jobs."""
    command = [sys.executable, "-m", "pearlfem", "sweep", study, "--out", tmp_path / "out"]
    process = subprocess.Popen(
        [*command, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    start = time.monotonic()
    while len(list(tmp_path.glob("out/*/summary.json"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < start + TIMEOUT
        time.sleep(0.01)
    jobs = psutil.Process(process.pid).children()
    assert len(jobs) == 2
    yield process, jobs
    process.kill()
    process.wait()
    process.stderr.close()


def test_jobs_do_not_outlive_the_one_that_started_them(running):
    process, jobs = running
    process.kill()
    _, alive = psutil.wait_procs(jobs, timeout=TIMEOUT)
    assert not alive


def test_termination_is_passed_on_and_running_points_finish(running, tmp_path):
    process, jobs = running
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 128 + signal.SIGTERM
    done = len(list(tmp_path.glob("out/*/summary.json")))
    words = f"{done} of 60 points done; run the same command again for the rest"
    assert err == f"pearlfem: terminated (SIGTERM): {words}\n"
    assert not psutil.wait_procs(jobs, timeout=TIMEOUT)[1]
    assert not list(tmp_path.glob("out/*/.*")), "no point is half done"


def test_job_may_have_several_ranks(call, study, tmp_path):
    study.write_text(study.read_text().replace("number = 60", "number = 2"))
    code, _, err = call("sweep", study, "--out", "out", "--ranks", "2")
    assert (code, err) == (0, "")
    for name in ("0001", "0002"):
        assert json.loads((tmp_path / "out" / name / "summary.json").read_text())["ranks"] == 2


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_jobs_get_many_points_first_and_one_by_one_in_the_end(jobs):
    free, counts = 100, []
    while free:
        counts.append(next_count(free, jobs))
        free -= counts[-1]
    assert free == 0
    assert counts == sorted(counts, reverse=True)
    assert counts[0] * jobs >= 50 and counts[-jobs:] == [1] * jobs


def test_job_without_points_gets_more_until_there_are_none(call, study, tmp_path):
    study.write_text(study.read_text().replace("number = 60", "number = 12"))
    given = []
    original = _Job.give

    def give(job, points):
        given.append((job.process.pid, [point.number for point in points]))
        original(job, points)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Job, "give", give)
        code, _, err = call("sweep", study, "--out", "out", "--jobs", "2")
    assert (code, err) == (0, "")
    assert sorted(n for _, numbers in given for n in numbers) == list(range(1, 13))
    assert len({pid for pid, _ in given}) == 2
    assert sum(not numbers for _, numbers in given) == 2  # each is told once that it may end
    assert len(given) > 6
