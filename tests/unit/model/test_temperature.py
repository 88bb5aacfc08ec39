"""[temperature]: film and impurities of a study are given at T = 0 and become those at T."""

import pickle
import re

import numpy as np
import pytest
from pydantic import ValidationError

from pearlfem.errors import StudyError
from pearlfem.model.layers import Layer
from pearlfem.model.sources.flux import Vortex
from pearlfem.model.temperature import Temperature
from pearlfem.study.study import parse_study

# bcs_weight.csv at T/Tc = 0.58
CLEAN, DIRTY = 0.734433028395, 0.813115551904
DIGITS = 1e-11

DEVICE = """\
[film]
shape = "disc"
radius = 4.0
pearl_length = { profile = "1 + 0.1*x**2" }
[[film.hole]]
name = "loop"
shape = "disc"
radius = 0.5
center = [-2, 0]
fluxoid = 1
[[film.region]]
shape = "disc"
radius = 0.5
center = [2, 0]
pearl_length = 3.0
[[film.region]]
shape = "disc"
radius = 0.25
center = [2, 0]
pearl_length = { profile = "y + 5" }
[[impurity]]
position = [0, 1]
size = 0.1
[[impurity]]
position = [0, 2]
size = 0.2
strength = -2.5
angle = 30.0
[[vortex]]
position = [0, -1]
size = 0.1
[applied]
field = [0, 0, 1]
"""


def table(value, critical=1.0, more=""):
    return f"[temperature]\nvalue = {value}\ncritical = {critical}\n{more}\n"


def refusal(text):
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("more", "weight"),
    [("", CLEAN), ('weight = "clean"', CLEAN), ('weight = "dirty"', DIRTY)],
)
def test_pearl_lengths_grow_and_strengths_fall_by_the_superfluid_weight(more, weight):
    cold, warm = parse_study(DEVICE), parse_study(DEVICE + table(0.58, more=more))
    points = np.array([[0.0, 0.0], [3.0, 1.0], [2.0, 0.4], [2.0, 0.1]])
    assert cold.film.superfluid_weight(points) == pytest.approx(
        [2 / 1, 2 / 1.9, 2 / 3, 2 / 5.1], rel=1e-14
    )
    np.testing.assert_allclose(
        warm.film.superfluid_weight(points),
        weight * cold.film.superfluid_weight(points),
        rtol=DIGITS,
    )
    assert [i.strength for i in warm.impurities] == pytest.approx(
        [weight, -2.5 * weight], rel=DIGITS
    )
    assert warm.temperature.factor == pytest.approx(weight, rel=DIGITS)
    assert warm.temperature.weight in (more or "clean")


def test_background_vector_potential_of_an_impurity_stays():
    # Γ/κ does not depend on temperature.
    cold, warm = parse_study(DEVICE), parse_study(DEVICE + table(0.9))
    points = np.array([[0.0, 1.05], [0.1, 0.9]])
    for one, other in zip(cold.impurities, warm.impurities, strict=True):
        np.testing.assert_allclose(
            other.vector_potential(Layer(warm.film), points, warm.film.superfluid_weight(points)),
            one.vector_potential(Layer(cold.film), points, cold.film.superfluid_weight(points)),
            rtol=1e-13,
        )


def test_all_else_stays():
    cold, warm = parse_study(DEVICE), parse_study(DEVICE + table(0.9))
    assert warm.others == cold.others
    assert any(isinstance(source, Vortex) for source in warm.others)
    assert warm.film.shape == cold.film.shape
    assert warm.film.holes == cold.film.holes
    assert [r.shape for r in warm.film.regions] == [r.shape for r in cold.film.regions]
    for one, other in zip(cold.impurities, warm.impurities, strict=True):
        assert (other.position, other.size, other.angle) == (one.position, one.size, one.angle)


def test_zero_temperature_is_the_study_without_one():
    text = DEVICE.replace('{ profile = "1 + 0.1*x**2" }', "1.5")
    text = text.replace('{ profile = "y + 5" }', "2.0")
    cold, zero = parse_study(text), parse_study(text + table(0))
    assert (zero.film, zero.sources) == (cold.film, cold.sources)
    assert cold.temperature is None
    assert zero.temperature == Temperature(value=0.0, critical=1.0)


def test_without_units_only_the_ratio_matters():
    one, other = parse_study(DEVICE + table(0.5)), parse_study(DEVICE + table(4.6, 9.2))
    assert one.temperature.factor == pytest.approx(other.temperature.factor, rel=1e-14)


@pytest.mark.parametrize(
    ("unit", "value", "critical"),
    [
        ("K", "5.8", "10.0"),
        ("mK", "5800.0", "10000.0"),
        ("mK", '"5.8 K"', '"10 K"'),
        ("K", '"5800 mK"', "10"),
    ],
)
def test_temperatures_have_units(unit, value, critical):
    units = f'[units]\nlength = "um"\nstrength = "A*m"\ntemperature = "{unit}"\n'
    study = parse_study(units + DEVICE + table(value, critical))
    assert study.temperature.factor == pytest.approx(CLEAN, rel=DIGITS)
    assert study.film.least_pearl_length == pytest.approx(1 / CLEAN, rel=1e-3)


def test_study_with_a_scaled_profile_survives_pickling():
    study = parse_study(DEVICE + table(0.9))
    points = np.array([[3.0, 1.0]])
    copy = pickle.loads(pickle.dumps(study))
    assert copy.film.superfluid_weight(points) == study.film.superfluid_weight(points)
    assert copy.temperature == study.temperature


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (table(1.0), r"temperature.value = 1.0: not allowed; .*less than temperature.critical = 1"),
        (table(9.5, 9.2), r"temperature.value = 9.5: not allowed; .*temperature.critical = 9.2"),
        (table(-0.1), r"temperature.value = -0.1: not allowed; .*greater than or equal to 0"),
        (table("nan"), r"temperature.value = nan: not allowed"),
        (table("inf", "inf"), r"temperature.critical = inf: not allowed; .*finite"),
        (table(0.0, 0.0), r"temperature.critical = 0.0: not allowed; .*greater than 0"),
        (table(0.5, -1.0), r"temperature.critical = -1.0: not allowed; .*greater than 0"),
        (table("true"), r"temperature.value = True: not allowed; .*number"),
        (table('"0.5 K"'), r"temperature.value = '0.5 K': not allowed; .*\[units\]"),
        (table(0.5, more='weight = "thick"'), r"weight = 'thick': not allowed; .*'clean' or 'dirt"),
        (table(0.5, more="gap = 1"), r"temperature.gap = 1: .*allowed here: critical, value, weig"),
        ("[temperature]\nvalue = 0.5\n", "temperature.critical: missing"),
        ("[temperature]\ncritical = 0.5\n", "temperature.value: missing"),
    ],
)
def test_impossible_temperature_is_refused(content, message):
    assert re.search(message, refusal(DEVICE + content))


@pytest.mark.parametrize(
    ("value", "critical", "message"),
    [
        ('"9.5 K"', "9200", r"value = '9.5 K': .*less than temperature.critical = 9200 mK"),
        ('"4 mT"', "9200", "'mT' is a magnetic field, but a temperature is needed"),
        ("1", '"9 um"', "'um' is a length, but a temperature is needed"),
        ('"-270 degC"', "9200", "'degC' does not start at absolute zero"),
    ],
)
def test_wrong_dimension_is_refused(value, critical, message):
    units = '[units]\nlength = "um"\ntemperature = "mK"\n'
    assert re.search(message, refusal(units + DEVICE + table(value, critical)))


def test_temperature_of_a_script_is_checked_as_well():
    with pytest.raises(ValidationError, match=r"less than temperature\.critical = 1"):
        Temperature(value=2.0, critical=1.0)
