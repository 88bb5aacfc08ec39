"""Imports only go down: a folder, or a module beside the folders, is a floor of the house."""

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pearlfem

PACKAGE = Path(pearlfem.__file__).parent
LONGEST = 400  # lines of a module

# What each floor may import besides itself. A new entry here is a decision, not a repair.
ALLOWED = {
    "errors": set(),
    "analytic": set(),
    "enclosures": set(),
    "quantities": {"errors"},
    "runtime": {"errors", "quantities"},
    "magnetism": {"errors"},
    "geometry": {"errors", "quantities", "runtime"},
    "solvers": {"errors", "quantities", "runtime"},
    "model": {"analytic", "enclosures", "errors", "geometry", "quantities"},
    "study": {"enclosures", "errors", "geometry", "model", "quantities", "runtime"},
    "mesh": {"errors", "geometry", "model", "quantities", "runtime"},
    "formulation": {
        *("analytic", "enclosures", "errors", "mesh", "model", "quantities", "runtime"),
        "solvers",
    },
    "solution": {"errors", "formulation", "mesh", "model", "quantities"},
    "problem": {"errors", "formulation", "mesh", "model", "quantities", "solution"},
    "observables": {
        *("analytic", "errors", "formulation", "geometry", "mesh", "model", "quantities"),
        *("runtime", "solution"),
    },
    "io": {
        *("errors", "formulation", "mesh", "model", "observables", "quantities", "runtime"),
        *("solution", "study"),
    },
    "workflow": {
        *("analytic", "errors", "formulation", "geometry", "io", "magnetism", "mesh", "model"),
        *("observables", "problem", "quantities", "runtime", "solution", "study"),
    },
    "cli": {
        *("errors", "geometry", "io", "mesh", "model", "quantities", "runtime", "study"),
        "workflow",
    },
    "__main__": {"cli"},
    "pearlfem": {  # __init__.py: public names of these, and not of the command line
        *("errors", "geometry", "mesh", "model", "observables", "problem", "runtime", "solution"),
        *("study", "workflow"),
    },
}
ROOT = {"__init__", "__main__", "errors", "problem", "solution"}  # modules beside the folders

# Floors that are useful, or testable, without the rest: all that they may use from elsewhere.
LIBRARIES = {
    "errors": set(),
    "analytic": {"numpy", "scipy"},
    "enclosures": {"numpy"},
    "magnetism": {"numpy", "scipy"},
    "quantities": {"numpy", "pint", "pydantic", "pydantic_core"},
    "runtime": {"dolfinx", "mpi4py", "numpy", "rich"},
    "geometry": {"ezdxf", "gdstk", "numpy", "pydantic", "shapely"},
    "model": {"numpy", "pydantic", "pydantic_core", "scipy", "shapely"},
    "study": {"numpy", "pydantic", "shapely", "simpleeval", "tomlkit"},
    "solvers": {"cffi", "dolfinx", "mpi4py", "numpy", "petsc4py", "scipy"},
    "solution": {"dolfinx", "numpy"},
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


def test_beside_the_folders_are_only_the_modules_of_the_root():
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT


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


@pytest.mark.parametrize(
    "feature", ["adaptivity", "assembly", "check", "comparison", "inductance", "memory"]
)
def test_feature_takes_the_model_and_no_study_file(feature):
    assert "study" not in {layer(name) for name in own(f"pearlfem.workflow.{feature}")}


def test_imports_among_modules_have_no_cycle():
    graph = {module: own(module) - {module} for module in FILES}
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError


@pytest.mark.parametrize("module", FILES)
def test_module_is_short(module):
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= LONGEST
