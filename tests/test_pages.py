"""The pages: links resolve, commands exist with their options, Python examples run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from markdown_it import MarkdownIt

import pearlfem
from pearlfem.cli.main import cli
from pearlfem.study.study import parse_study

ROOT = Path(__file__).parents[1]
BUILT = {"build", "dist", "results"}  # folders at the top that are not ours
MARKDOWN = MarkdownIt("commonmark").enable("table")


def is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return parts[0] not in BUILT and (parts[0] == ".github" or not parts[0].startswith("."))


PAGES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.md")) if is_ours(path)}


class Block(NamedTuple):
    """A code block."""

    language: str
    text: str


class Page(NamedTuple):
    """What a page holds that can be wrong."""

    links: list[str]
    anchors: set[str]
    blocks: list[Block]
    inline_code: list[str]


@cache
def read(path: Path) -> Page:
    page = Page([], set(), [], [])
    tokens = MARKDOWN.parse(path.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "fence":
            page.blocks.append(Block(token.info, token.content))
        children = token.children or []
        page.links.extend(str(c.attrs["href"]) for c in children if c.type == "link_open")
        page.links.extend(str(c.attrs["src"]) for c in children if c.type == "image")
        page.inline_code.extend(c.content for c in children if c.type == "code_inline")
        if before is not None and before.type == "heading_open":
            page.anchors.add(anchor("".join(child.content for child in children)))
    return page


def anchor(heading: str) -> str:
    """What GitHub and the site call a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def blocks_of(page: Path, *languages: str) -> list[str]:
    return [block.text for block in read(page).blocks if block.language in languages]


def commands_of(block: str) -> list[list[str]]:
    """The commands of a shell block, each as its words."""
    lines = [shlex.split(line, comments=True) for line in block.replace("\\\n", " ").splitlines()]
    return [words for words in lines if words]


def calls_program(words: list[str]) -> bool:
    return words[:1] in (["pearlfem"], ["mpiexec"]) and "pearlfem" in words[:-1]


def check_program(words: list[str], *, whole: bool) -> None:
    """Fail if ``words``, from "pearlfem" on, are not a call that the program accepts.

    Args:
        words: The words of a command.
        whole: It has all arguments; the commands within a text may go without.
    """
    arguments = [word for word in words[words.index("pearlfem") + 1 :] if word != "…"]
    try:
        if arguments[:1] and not arguments[0].startswith("-"):
            name, command, rest = cli.resolve_command(click.Context(cli), arguments)
            command.make_context(name, rest)
        else:
            cli.make_context("pearlfem", arguments)
    except click.exceptions.Exit:  # --help, --version
        pass
    except click.MissingParameter:
        if whole:
            raise


def test_there_are_pages():
    assert {"README.md", "demos/README.md", "pearlfem/README.md", "tests/README.md"} <= set(PAGES)


def test_readme_is_read_in_five_minutes():
    assert len(PAGES["README.md"].read_text(encoding="utf-8").splitlines()) <= 200


def test_study_of_the_readme_is_valid():
    (text,) = blocks_of(PAGES["README.md"], "toml")
    assert len(text.splitlines()) == 12
    assert parse_study(text).solve.formulation == "both"


def test_every_public_name_is_on_its_page():
    words = set(re.findall(r"\w+", " ".join(read(PAGES["pearlfem/README.md"]).inline_code)))
    assert set(pearlfem.__all__) - words == set()


@pytest.mark.parametrize("name", PAGES)
def test_links_resolve(name):
    broken = []
    for link in read(PAGES[name]).links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = PAGES[name].parent / path if path else PAGES[name]
        if not target.is_file() or (fragment and fragment not in read(target.resolve()).anchors):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", PAGES)
def test_code_blocks_say_what_they_are(name):
    known = {"console", "csv", "math", "python", "sh", "text", "toml"}
    assert {block.language for block in read(PAGES[name]).blocks} <= known


@pytest.mark.parametrize("name", PAGES)
def test_commands_exist(name):
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    for block in blocks_of(PAGES[name], "sh", "console"):
        for words in commands_of(block):
            if calls_program(words):
                check_program(words, whole=True)
            if words[0] == "make":
                assert words[1] in targets
            assert all((ROOT / word).is_file() for word in words if word.endswith(".py"))
    for code in read(PAGES[name]).inline_code:
        words = code.split()
        if calls_program(words):
            check_program(words, whole=False)
        if words[:1] == ["make"]:
            assert words[1] in targets


@pytest.mark.parametrize("name", [n for n, path in PAGES.items() if blocks_of(path, "python")])
def test_python_examples_run(name, tiny_study, monkeypatch, tmp_path):
    """On coarse meshes, one after the other, in a folder with a result, meshes and demos."""
    monkeypatch.chdir(tmp_path)
    for folder in ("demos", "meshes"):
        Path(folder).symlink_to(ROOT / folder)
    if "results/" in "".join(blocks_of(PAGES[name], "python")):
        pearlfem.run_study(parse_study(tiny_study), Path("results/pair"))
    coarse = partial(pearlfem.create_mesh, resolution=0.4, far=20.0)
    monkeypatch.setattr(pearlfem, "create_mesh", coarse)
    names = {}
    for number, block in enumerate(blocks_of(PAGES[name], "python")):
        exec(compile(block, f"{name}, block {number}", "exec"), names)


@pytest.fixture
def copy(tmp_path):
    """A copy of the repository, as a fresh clone has it."""
    folder = tmp_path / "pearlfem"
    shutil.copytree(
        ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", "build", "dist", ".*_cache")
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, path in PAGES.items() if blocks_of(path, "sh")])
def test_shell_commands_run(name, copy):
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": paths, "PYTHONPATH": str(copy)}
    for block in blocks_of(PAGES[name], "sh"):
        command = ["bash", "-euo", "pipefail", "-c", block]
        subprocess.run(command, cwd=copy, env=environment, check=True, timeout=1800)
