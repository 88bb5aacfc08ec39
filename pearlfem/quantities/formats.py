"""The table of output formats: file formats of the fields, as ``fields`` of [output] names them.

A new format is a function that writes it, and an entry here with its name in ``FormatName``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FormatName = Literal["vtu", "vtx", "none"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format of the fields.

    Args:
        about: What it is, for the help; may be empty.
        writer: "module:function" of a folder and of ``NodalValues`` that writes them, collectively.
            Empty: nothing is written.
        check: "module:function" without arguments that raises ``StudyError``, before any work, on a
            machine that cannot write it. Empty: every machine can.
        files: Pattern of the names of its files, so that the next result can replace them.
        folders: The same for what it writes as folders.
        blocks: Whether it leaves .vtu files of film and space, which ``result.vtm`` names.
    """

    about: str = ""
    writer: str = ""
    check: str = ""
    files: str = ""
    folders: str = ""
    blocks: bool = False


FORMATS: dict[FormatName, Format] = {
    "vtu": Format(
        about="for ParaView",
        writer="pearlfem.io.fields.vtu:write_vtu",
        files=r"(film( .+)?|space)(\.p?vtu|_\d+\.vtu)",
        blocks=True,
    ),
    "vtx": Format(
        about="ADIOS2, for large runs",
        writer="pearlfem.io.fields.vtx:write_vtx",
        check="pearlfem.io.fields.vtx:check_vtx",
        folders=r"(film( .+)?|space)\.bp",
    ),
    "none": Format(),
}
