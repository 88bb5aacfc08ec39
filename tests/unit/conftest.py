"""The program, called from within a test."""

import sys

import gmsh
import pytest

from pearlfem.cli.main import main


@pytest.fixture
def call(monkeypatch, capfd, tmp_path):
    """Run the program in this process and in an empty folder; return exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["pearlfem", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        return (stop.value.code or 0, *capfd.readouterr())

    return run


@pytest.fixture
def no_mesh(monkeypatch):
    """Fail if gmsh is started."""

    def initialize(*arguments, **options):
        raise AssertionError("it comes to meshing")

    monkeypatch.setattr(gmsh, "initialize", initialize)
