"""Read a demo for the site: a script of percent cells becomes a notebook with its picture."""

import re

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

HIDDEN = {"tags": ["remove-cell"]}
ONLY_OUTPUT = {"tags": ["remove-input"]}


def read(text: str) -> NotebookNode:
    """Return the notebook of a demo; it is executed in the folder of the demos."""
    picture = re.findall(r"demo_\w+\.png", text)[-1]
    notebook = jupytext.reads(text, "py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.metadata["language_info"] = {"name": "python"}
    # A notebook has no file of its own, and the demos save their pictures without showing them.
    notebook.cells.insert(0, new_code_cell("__file__ = 'demo.py'", metadata=HIDDEN))
    show = f"from IPython.display import Image\n\nImage('results/{picture}')"
    notebook.cells.append(new_code_cell(show, metadata=ONLY_OUTPUT))
    return notebook
