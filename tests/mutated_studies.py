"""Thousands of damaged studies: each is answered in a way that the documentation knows.

A study is read or refused by a ``StudyError``. One that is read is taken on to the sizes of its
cells, up to the point where gmsh would begin: its mesh is sized, or refused as too large. No answer
takes more than two seconds or 500 MB, and no message is longer than 2,000 characters.

Run by hand, it prints what broke these rules::

    python tests/mutated_studies.py 0 10000
"""

import copy
import datetime
import json
import random
import resource
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

DEMOS = Path(__file__).parents[1] / "demos"
MOST_SECONDS, MOST_BYTES, MOST_CHARACTERS = 2.0, 500 * 2**20, 2000
HANG = 60  # seconds after which a study is given up
MOST_CELLS = 2e6  # what a machine of 16 GB has room for
WHOLE_NUMBERS = (0, 1, -1, 2, 3, 7, 10**5, 10**9, 2**63, 10**30, 10**400, -(10**400))
NUMBERS = (0.0, -0.0, 5e-324, 1e-320, 1e-300, 1e-150, 1e-30, 1e-12, 1e-9, 1e-6, 1e-3, 0.5, 1.0, 2.0)
NUMBERS += (1e3, 1e6, 1e9, 1e12, 1e16, 1e30, 1e99, 1e150, 1e300, 1.7e308, float("inf"))
NUMBERS += (float("-inf"), float("nan"), *WHOLE_NUMBERS)
TEXTS = ("", " ", "1 um", "3 nm", "1e400 m", "nan um", "-2 mT", "5 kg", "1 m**9**9**9", "0 um")
TEXTS += ("disc", "plane", "rectangle", "polygon", "ring", "union", "mesh", "gds", "dxf", "shield")
TEXTS += ("magnetic-wall", "periodic", "open", "vector", "both", "grid", "points", "x", "a" * 5000)
TEXTS += ("1 + x**2", "1e-300*x", "exp(1000*x)", "where(x > 0, 1, 1e300)", "9**9**9**9", "é" * 99)
TEXTS += ("/dev/zero", ".", "sites.csv", "film.msh", "no such file", "\u202e", "\x00", "-" * 900)
KEYS = (
    "size",
    "radius",
    "center",
    "file",
    "shape",
    "kind",
    "spam",
    "",
    "é",
    "k" * 3000,
    "strength",
)


def as_toml(value):
    """The text of a value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {as_toml(each)}" for key, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value)
    return repr(value) if isinstance(value, int | float) else value.isoformat()


def places(value, above=()):
    """Yield the path of everything in nested tables and lists."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*above, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*above, key))


def at(content, path):
    for part in path:
        content = content[part]
    return content


def like(rng, value):
    """Another value of the same type, which may be allowed as well."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        kind = rng.random()
        if kind < 0.25:
            return rng.choice(NUMBERS)
        if kind < 0.35 and isinstance(value, int):
            return float(min(max(value, -(10**99)), 10**99))
        if kind < 0.45:
            return -value
        spread = 1.5 if kind < 0.75 else 20
        return float(min(max(value, -1e99), 1e99)) * 10 ** rng.uniform(-spread, spread)
    if isinstance(value, str):
        return rng.choice(TEXTS)
    return rng.choice((*NUMBERS, *TEXTS, [], {}, [[]], datetime.date(2026, 1, 1)))


def change(rng, content):
    """Change a study in one place."""
    found = list(places(content))
    if not found:
        return
    # Numbers are most of what a study has, and what its answers depend on.
    numbers = [path for path in found if isinstance(at(content, path), int | float)]
    *above, key = rng.choice(numbers if numbers and rng.random() < 0.6 else found)
    parent = at(content, above)
    kind = rng.random()
    if kind < 0.7:
        parent[key] = like(rng, parent[key])
    elif kind < 0.75:
        parent[key] = rng.choice((*NUMBERS, *TEXTS, [], {}, [parent[key]], {"x": parent[key]}))
    elif kind < 0.82:
        del parent[key]
    elif kind < 0.88 and isinstance(parent, list):
        parent.extend(copy.deepcopy(parent[key]) for _ in range(rng.choice((1, 2, 50, 500))))
    elif kind < 0.94:
        value = copy.deepcopy(at(content, rng.choice(found)))
        if isinstance(parent, dict) or rng.random() < 0.5:
            parent[key] = value
    elif isinstance(parent, dict):
        parent[rng.choice(KEYS)] = rng.choice((*NUMBERS, *TEXTS, [], {}))


def mutated(seed, bases):
    """Return the text of the study with the number ``seed``."""
    rng = random.Random(seed)
    content = copy.deepcopy(rng.choice(bases))
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        change(rng, content)
    text = "\n".join(f"{json.dumps(key)} = {as_toml(value)}" for key, value in content.items())
    if rng.random() < 0.03:  # damage the text itself
        cut = rng.randrange(len(text) + 1)
        text = text[:cut] + rng.choice(("", "\ufeff", "[[", "=", "\x00", '"')) + text[cut + 1 :]
    return text


def answer(text, folder):
    """Return the kind of answer to a study, and its words.

    Raises:
        Exception: The answer is of no kind that the documentation knows.
    """
    from pearlfem.errors import StudyError
    from pearlfem.study.study import read_study
    from pearlfem.study.sweep import read_sweep

    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        study = read_study(path)
    except StudyError as error:
        if "allowed with pearlfem sweep only" not in str(error):
            return "refused", str(error)
        try:
            study = read_sweep(path).points[-1].study
        except StudyError as sweep_error:
            return "refused", str(sweep_error)
    if study.mesh.file is not None:
        return "has a mesh", ""
    try:
        return sized(study), ""
    except StudyError as error:
        return "too large", str(error)


def sized(study):
    """Return whether the mesh of a study is "too large", after sizing it up to gmsh's work."""
    from functools import partial

    import numpy as np

    from pearlfem.mesh.plane import plane_faces, rounding_for
    from pearlfem.mesh.sizes.estimate import estimated_cells
    from pearlfem.mesh.sizes.grading import seeds, sizes_at
    from pearlfem.model.sources.impurity import has_points

    film, sources, boundary = study.film, study.sources, study.boundary
    options = {"boundary": boundary, "resolution": study.mesh.resolution}
    cells = estimated_cells(film, sources, far=study.mesh.far, most=MOST_CELLS, **options)
    assert cells > 0, f"{cells} cells"  # which NaN fails too
    if cells > MOST_CELLS:
        return "too large"
    found = seeds(film, sources, **options)
    faces = plane_faces(film, rounding_for(partial(sizes_at, found)), same_area=has_points(sources))
    if len(faces.vertices):
        sizes = sizes_at(found, np.column_stack([faces.vertices, np.zeros(len(faces.vertices))]))
        assert np.all(sizes > 0) and np.all(np.isfinite(sizes)), "sizes"
    return "sized"


def corpus(folder):
    """Return valid studies of all kinds, whose files are in ``folder``."""
    from studies import BASES, FILES

    for name, text in FILES.items():
        (folder / name).write_text(text)
    return [*BASES, *(tomllib.loads(path.read_text()) for path in sorted(DEMOS.glob("*.toml")))]


def memory():
    """Return the address space of this process [bytes]."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def main(first, last):
    """Print, as JSON, the numbers of answers of each kind and all that broke a rule."""
    from pearlfem.study import sweep_tables

    sweep_tables.MOST_POINTS = 100  # many points are allowed, and take their time
    kinds, faults, slowest = Counter(), [], 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bases = corpus(folder)
        for number, base in enumerate(bases):  # loads all libraries, and must not fail
            text = "\n".join(f"{key} = {as_toml(value)}" for key, value in base.items())
            kind, words = answer(text, folder)
            assert kind in ("sized", "too large"), (number, words)
        limit = memory() + MOST_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for seed in range(first, last):
            text = mutated(seed, bases)
            print(seed, end="\r", file=sys.stderr, flush=True)  # the last one, if it hangs
            signal.alarm(HANG)
            start = time.process_time()
            try:
                kind, words = answer(text, folder)
            except Exception as error:
                kind, words = "fault", ""
                faults.append((seed, f"{type(error).__name__}: {error}"[:300]))
            seconds = time.process_time() - start
            signal.alarm(0)
            slowest = max(slowest, seconds)
            kinds[kind] += 1
            if seconds > MOST_SECONDS:
                faults.append((seed, f"{seconds:.1f} s, {kind}"))
            if len(words) > MOST_CHARACTERS:
                faults.append((seed, f"{len(words)} characters"))
            if kind == "refused" and not words:
                faults.append((seed, "refused without a word"))
    print(json.dumps({"kinds": kinds, "slowest": round(slowest, 2), "faults": faults}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
