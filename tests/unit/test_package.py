"""The package as a whole: what it offers."""

import re
from importlib import resources

import pearlfem


def test_every_public_name_is_there():
    assert len(pearlfem.__all__) == len(set(pearlfem.__all__))
    for name in pearlfem.__all__:
        assert getattr(pearlfem, name).__doc__


def test_example_of_the_docstring_runs():
    lines = re.findall(r"(?m)^    (.*)$", pearlfem.__doc__)
    assert len(lines) == 5
    code = "\n".join(lines).replace("impurities)", "impurities, resolution=0.3, far=5.0)", 1)
    assert "resolution" in code
    names = dict(vars(pearlfem))
    exec(code, names)
    assert names["F"] > 0
    assert names["K"].shape == (1, 2)


def test_types_are_published():
    assert resources.files("pearlfem").joinpath("py.typed").is_file()
