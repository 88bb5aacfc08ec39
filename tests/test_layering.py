"""Imports only go down: a folder, or a module beside the folders, is a layer."""

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pearlfem

PACKAGE = Path(pearlfem.__file__).parent
LONGEST = 400  # lines of a module

# What each layer may import besides itself. A new entry here is a decision, not a repair.
ALLOWED = {
    "errors": set(),
    "parallel": set(),
    "signals": set(),
    "progress": set(),
    "atomic": set(),
    "launcher": {"errors"},
    "analytic": set(),
    "magnetism": {"errors"},
    "jit": {"errors", "parallel"},
    "solvers": {"errors", "jit", "parallel"},
    "model": {"errors", "analytic"},
    "materials": {"analytic", "model"},
    "mesh": {"atomic", "errors", "parallel", "signals", "model"},
    "fem": {"analytic", "errors", "jit", "model", "mesh"},
    "solution": {"fem", "model", "mesh"},
    "formulation": {"model", "mesh", "fem", "solvers"},
    "problem": {"errors", "model", "mesh", "fem", "formulation", "solution"},
    "observables": {"analytic", "errors", "jit", "model", "mesh", "fem", "solution"},
    "io": {"atomic", "errors", "parallel", "model", "mesh", "solution", "observables"},
    "memory": {"errors", "model", "mesh", "solution"},
    "adaptivity": {"parallel", "model", "mesh", "memory", "observables", "problem", "solution"},
    "assembly": {
        "adaptivity",
        "errors",
        "memory",
        "model",
        "mesh",
        "observables",
        "problem",
        "solution",
    },
    "inductance": {"assembly", "atomic", "errors", "model", "observables"},
    "ordering": {"errors", "magnetism", "model"},
    "report": {"analytic", "inductance", "model"},
    "check": {"analytic", "model", "mesh", "problem", "observables", "report"},
    "stored": {
        "errors",
        "fem",
        "io",
        "mesh",
        "model",
        "ordering",
        "parallel",
        "problem",
        "solution",
    },
    "run": {
        "atomic",
        "adaptivity",
        "assembly",
        "errors",
        "ordering",
        "parallel",
        "model",
        "problem",
        "solution",
        "observables",
        "io",
        "stored",
    },
    "warmup": {"assembly", "model", "parallel", "run"},
    "cli": {
        "atomic",
        "errors",
        "io",
        "jit",
        "parallel",
        "model",
        "mesh",
        "report",
        "check",
        "inductance",
        "launcher",
        "run",
        "signals",
        "stored",
        "sweep_command",
        "terminal",
        "warmup",
    },
    "terminal": {"model", "report"},
    "sweep": {"assembly", "errors", "io", "model", "parallel", "run", "signals"},
    "jobs": {"errors", "io", "model", "parallel", "signals", "sweep"},
    "sweep_command": {"io", "jobs", "model", "parallel", "progress", "signals", "sweep"},
    "__main__": {"cli"},
    "pearlfem": {  # __init__.py: public names of these, and not of the command line
        "errors",
        "launcher",
        "model",
        "mesh",
        "problem",
        "solution",
        "observables",
        "run",
        "stored",
    },
}

# Layers that are useful, or testable, without the rest: all that they may use from elsewhere.
LIBRARIES = {
    "errors": set(),
    "atomic": set(),
    "parallel": {"mpi4py"},
    "signals": {"mpi4py"},
    "launcher": {"mpi4py"},
    "analytic": {"numpy", "scipy"},
    "magnetism": {"numpy", "scipy"},
    "model": {
        "ezdxf",
        "gdstk",
        "meshio",
        "numpy",
        "pint",
        "pydantic",
        "pydantic_core",
        "shapely",
        "simpleeval",
        "tomlkit",
    },
    "materials": {"numpy", "pydantic", "scipy"},
    "jit": {"dolfinx", "mpi4py", "numpy"},
    "solvers": {"cffi", "dolfinx", "mpi4py", "numpy", "petsc4py", "scipy"},
    "solution": {"dolfinx", "numpy", "petsc4py"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer(module: str) -> str:
    """The part after ``pearlfem``; the package itself is a layer of this name."""
    return [*module.split("."), module][1]


def imports(module: str) -> Iterator[str]:
    """Every module that ``module`` names in an import, wherever the import stands."""
    path = FILES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield submodule if submodule in FILES else base


def own(module: str) -> set[str]:
    return {name for name in imports(module) if name.split(".")[0] == "pearlfem"}


def foreign(module: str) -> set[str]:
    tops = {name.split(".")[0] for name in imports(module)}
    return tops - {"pearlfem"} - set(sys.stdlib_module_names)


def test_every_module_belongs_to_a_layer():
    assert {layer(module) for module in FILES} <= set(ALLOWED)


def test_every_layer_exists():
    assert set(ALLOWED) | set(LIBRARIES) <= {layer(module) for module in FILES}


def test_table_of_layers_goes_only_down():
    tuple(graphlib.TopologicalSorter(ALLOWED).static_order())  # raises CycleError


@pytest.mark.parametrize("module", FILES)
def test_module_imports_only_from_layers_below(module):
    allowed = ALLOWED[layer(module)] | {layer(module)}
    assert {name for name in own(module) if layer(name) not in allowed} == set()


@pytest.mark.parametrize("module", [m for m in FILES if layer(m) in LIBRARIES])
def test_module_imports_only_the_libraries_of_its_layer(module):
    assert foreign(module) <= LIBRARIES[layer(module)]


def test_imports_among_modules_have_no_cycle():
    graph = {module: own(module) - {module} for module in FILES}
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError


@pytest.mark.parametrize("module", FILES)
def test_module_is_short(module):
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= LONGEST
