"""What a study file may be, and how it is refused: in words, and in few of them."""

from pathlib import Path

import pytest

from pearlfem.errors import StudyError
from pearlfem.study.messages import brief, shown
from pearlfem.study.study import parse_study, read_study
from pearlfem.study.sweep import read_sweep

DISC = "[film]\nshape = 'disc'\nradius = 1.0\npearl_length = 1.0\n"
IMPURITY = "[[impurity]]\nposition = [0.0, 0.0]\nsize = 0.1\n"
UNITS = "[units]\nlength = 'um'\n"


# --- the file


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_file_may_begin_with_a_byte_order_mark_and_have_any_line_ends(tmp_path, mark, ends):
    path = tmp_path / "study.toml"
    path.write_bytes(mark + (DISC + IMPURITY).replace("\n", ends).encode())
    assert read_study(path).text == DISC + IMPURITY


def test_sweep_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "study.toml"
    sweep = "[[sweep.parameter]]\nkey = 'impurity 1.angle'\nvalues = [0, 90]\n"
    path.write_bytes(b"\xef\xbb\xbf" + (DISC + IMPURITY + sweep).encode())
    assert len(read_sweep(path).points) == 2


def test_what_never_ends_is_not_read_as_a_study():
    with pytest.raises(StudyError, match="cannot be read as a study file"):
        read_study(Path("/dev/zero"))


# --- whole numbers


def test_whole_numbers_may_be_written_as_floats(tmp_path):
    study = parse_study(
        DISC
        + "[[film.hole]]\nname = 'a'\nshape = 'disc'\nradius = 0.2\nfluxoid = -2.0\n"
        + "[impurities]\nsize = 0.05\nrandom = { number = 3.0, seed = 1e3, spacing = 0.1 }\n"
        + "[[vortex]]\nposition = [0.5, 0.0]\nsize = 0.1\nwinding = 3.0\n"
        + "[mesh]\nrefinements = 1.0\n[solve]\ndegree = 2.0\nmax_dofs = 1e6\n"
        + "[order]\nstarts = 4.0\nsweeps = 1e2\n"
        + "[[output.probe]]\nname = 'l'\nkind = 'line'\nstart = [0, 0]\nend = [1, 1]\n"
        + "samples = 9.0\n"
    )
    vortex, fluxoid = study.others
    found = (
        *(vortex.winding, fluxoid.number, len(study.impurities), study.mesh.refinements),
        *(study.solve.degree, study.solve.max_dofs, study.order.starts, study.order.sweeps),
        study.output.probe[0].samples,
    )
    assert found == (3, -2, 3, 1, 2, 1_000_000, 4, 100, 9)
    assert {type(number) for number in found} == {int}


@pytest.mark.parametrize("value", ["1.5", "true", "'1'", "1e10", "nan", "inf", "1" + 400 * "0"])
def test_other_numbers_of_quanta_are_refused(value):
    vortex = "[[vortex]]\nposition = [0.5, 0.0]\nsize = 0.1\nwinding = "
    with pytest.raises(StudyError, match=r"vortex 1\.winding = "):
        parse_study(DISC + vortex + value)


def test_number_too_large_for_a_float_is_refused_in_a_sweep(tmp_path):
    path, large = tmp_path / "study.toml", "1" + 400 * "0"
    for rest in (f"values = [{large}]", f"range = {{ start = 1, stop = {large}, number = 3 }}"):
        sweep = f"[[sweep.parameter]]\nkey = 'film.pearl_length'\n{rest}\n"
        path.write_text(DISC + IMPURITY + sweep)
        with pytest.raises(StudyError, match=r"1000.*…") as refusal:
            read_sweep(path)
        assert len(str(refusal.value)) < 500 + len(str(path))


# --- strengths


def test_strength_is_needed_with_units(tmp_path):
    with pytest.raises(StudyError, match=r"impurity 1\.strength: missing.*units\.strength"):
        parse_study(UNITS + DISC + IMPURITY)
    with pytest.raises(StudyError, match=r"impurities\.strength: missing"):
        parse_study(UNITS + DISC + "[impurities]\nsize = 0.1\nrandom = { number = 2 }\n")
    (tmp_path / "sites.csv").write_text("x,y\n0.0,0.0\n")
    with pytest.raises(StudyError, match=r"row 2\.strength: missing"):
        many = "[impurities]\nsize = 0.1\nfile = 'sites.csv'\n"
        parse_study(UNITS + DISC + many, folder=tmp_path)


def test_strength_its_unit_or_a_column_is_enough(tmp_path):
    assert parse_study(DISC + IMPURITY).impurities[0].strength == 1.0
    assert parse_study(UNITS + DISC + IMPURITY + "strength = '2e-16 A*m'\n").impurities
    assert parse_study(UNITS + "strength = 'uA*um'\n" + DISC + IMPURITY).impurities
    (tmp_path / "sites.csv").write_text("x,y,strength\n0.0,0.0,1e-16 A*m\n")
    many = "[impurities]\nsize = 0.1\nfile = 'sites.csv'\n"
    assert parse_study(UNITS + DISC + many, folder=tmp_path).impurities
    assert parse_study(UNITS + DISC + "[applied]\nfield = [0, 0, 1]\n").others


# --- cores


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (
            "[film]\nshape = 'rectangle'\nsize = [4, 2]\npearl_length = 1.0\n"
            + IMPURITY.replace("0.1", "100"),
            ["impurity 1: size = 100", "the rectangle of size [4.0, 2.0]", "longer side is 4"],
        ),
        (
            DISC + "[[vortex]]\nposition = [0.0, 0.0]\nsize = 2.5\n",
            ["vortex 1: size = 2.5", "the disc of radius 1", "longer side is 2"],
        ),
        (
            "[film]\nshape = 'plane'\npearl_length = 1.0\n[boundary]\nkind = 'shield'\n"
            "box = [4, 4, 4]\n" + IMPURITY.replace("0.1", "5"),
            ["impurity 1: size = 5", "the box of sizes", "longer side is 4"],
        ),
        (
            "[film]\nshape = 'plane'\npearl_length = 1.0\n[boundary]\nkind = 'periodic'\n"
            "cell = [[1, 0], [0, 2]]\n" + IMPURITY.replace("0.1", "3"),
            ["impurity 1: size = 3", "the cell of the lattice", "longer side is 2"],
        ),
    ],
)
def test_core_larger_than_what_holds_it_is_refused_with_both_sizes(study, words):
    with pytest.raises(StudyError) as refusal:
        parse_study(study)
    for word in words:
        assert word in str(refusal.value)


# --- messages


def test_value_of_more_than_a_line_is_not_repeated():
    assert shown("short") == "'short'"
    assert shown(list(range(10_000))).endswith("…")
    assert len(shown("a" * 10_000)) == 80


def test_message_keeps_keys_and_what_is_allowed():
    line = "key = " + "x" * 5000 + ": not allowed; allowed: a number"
    short = brief("\n".join([line] * 100))
    assert len(short) < 2000
    assert short.startswith("key = xxx")
    assert "allowed: a number\n" in short
    assert short.endswith(" more")
    assert brief("a\n  b") == "a\n  b"


@pytest.mark.parametrize(
    "study",
    [
        f"film = {list(range(30_000))}\n",
        DISC + "k" * 30_000 + " = 1\n" + IMPURITY,
        DISC + IMPURITY + f"angle = '{'a' * 30_000}'\n",
        DISC + "".join(f"[[impurity]]\nposition = [{k}.5]\n" for k in range(2000)),
        DISC.replace("1.0\n", f"{{ profile = '{'+x' * 30_000}' }}\n", 2),
        DISC + IMPURITY + f"[sweep]\nparameter = {list(range(30_000))}\n",
    ],
)
def test_refusal_is_short_however_long_the_study(study):
    with pytest.raises(StudyError) as refusal:
        parse_study(study)
    assert len(str(refusal.value)) <= 2000
