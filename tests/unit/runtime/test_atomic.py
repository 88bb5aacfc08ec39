"""Files that are written completely or not at all."""

import os
from pathlib import Path

import pytest

from pearlfem.runtime.atomic import atomic_file


@pytest.mark.parametrize("old", [None, "old"])
def test_file_appears_when_it_is_complete(tmp_path, old):
    path = tmp_path / "a.json"
    if old:
        path.write_text(old)
    with atomic_file(path) as part:
        part.write_text("new")
        assert part.suffix == ".json"
        assert (path.read_text() if old else path.exists()) == (old or False)
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_link_stays_a_link(tmp_path):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "a.json").symlink_to("real.json")
    with atomic_file(tmp_path / "a.json") as part:
        part.write_text("new")
    assert (tmp_path / "a.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def test_device_is_written_directly():
    with atomic_file(Path(os.devnull)) as part:
        assert str(part) == os.devnull
