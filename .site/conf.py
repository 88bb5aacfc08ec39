"""The site: the pages of the repository, the demos with their results, and the API (make site)."""

import re
import sys
from contextlib import suppress
from importlib.metadata import version as installed
from importlib.util import find_spec
from pathlib import Path
from typing import get_type_hints

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for demo_reader
import pearlfem  # noqa: E402, F401  where DOLFINx is a wheel, this has to come first

project = author = "pearlfem"
project_copyright = "the pearlfem developers"
release = version = installed("pearlfem")
root_doc = "README"
include_patterns = ["**.md", "api/**", "demos/demo_*.py"]
exclude_patterns = ["api/modules.rst", "contents.md"]
extensions = ["myst_nb", "sphinx.ext.apidoc", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

html_theme = "furo"
html_title = "pearlfem"
small_code = {"code-font-size": "var(--font-size--small--3)"}  # lines of 98 characters fit
html_theme_options = {"light_css_variables": small_code, "dark_css_variables": small_code}
html_static_path = [str(Path(find_spec("sphinx-mathjax-offline").origin).parent / "static")]
mathjax_path = "mathjax/tex-chtml.js"  # so that pages load nothing from elsewhere

# Pages
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # the anchors of GitHub

# Demos: executed once, and again when their code changes
nb_custom_formats = {".py": ["demo_reader.read", {}]}
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / "build" / "demos")
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_merge_streams = True

# API
apidoc_modules = [
    {
        "path": "../pearlfem",
        "destination": "api",
        "separate_modules": True,
        "module_first": True,
        "automodule_options": {"members", "show-inheritance"},
    }
]
autodoc_default_options = {"ignore-module-all": True}  # names are shown where they are defined
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
suppress_warnings = ["ref.python"]  # two classes of one name, in types without their modules
napoleon_use_ivar = True
default_role = "literal"


def download_scripts(app, docname, source):
    """Link scripts that are no pages (all but demos) as files."""
    source[0] = re.sub(r"\]\(((?!\S*demo_)[\w./-]+\.py)\)", r"](path:\1)", source[0])


def without_constraints(app, function, bound_method):
    """Show types as they are, without what pydantic checks."""
    with suppress(AttributeError, NameError, TypeError):  # not written in Python, or unknown here
        function.__annotations__ = get_type_hints(function)


def as_restructured_text(app, what, name, obj, options, lines):
    """Docstrings are plain text: an indented formula is literal, and ``|`` is no markup."""
    if lines[:1] and lines[0].startswith("Alias for field number"):  # Python's own words
        lines.clear()
    text = re.sub(r"(?m)^((?![ :.]).*)(?<!::)\n\n(?=    \S)", r"\1\n\n::\n\n", "\n".join(lines))
    lines[:] = text.replace("|", "\N{DIVIDES}").split("\n")


def setup(app):
    """Connect what Sphinx calls."""
    app.connect("source-read", download_scripts)
    app.connect("autodoc-before-process-signature", without_constraints)
    app.connect("autodoc-process-docstring", as_restructured_text, priority=900)
