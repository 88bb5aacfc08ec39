"""What can be said about the Dockerfiles without a container engine."""

import re
import shlex
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from pearlfem.cli.main import cli

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted((ROOT / "docker").glob("Dockerfile*"))


def instructions(path: Path) -> list[tuple[str, str]]:
    """Pairs of instruction and argument, continued lines joined, comments dropped."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def install_arguments(path: Path, command: str) -> list[str]:
    """What the RUN lines install with ``command``, options left out."""
    commands = [
        part.strip()
        for name, argument in instructions(path)
        if name == "RUN"
        for part in argument.split("&&")
    ]
    return [
        word
        for part in commands
        if part.startswith(command)
        for word in shlex.split(part.removeprefix(command))
        if not word.startswith("-")
    ]


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.name)
def dockerfile(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_base_image_names_a_release(dockerfile):
    (image,) = [argument for name, argument in instructions(dockerfile) if name == "FROM"]
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+[\w.-]*", image), image


def supported_dolfinx(project: dict) -> str:
    """The release that the wheels are asked for: 0.11, say."""
    (requirement,) = [r for r in project["optional-dependencies"]["wheel"] if "dolfinx" in r]
    return re.search(r"==(\d+\.\d+)\.\*", requirement)[1]


def test_base_image_has_the_supported_dolfinx(project):
    assert (
        f"dolfinx/dolfinx:v{supported_dolfinx(project)}."
        in (ROOT / "docker/Dockerfile.dolfinx").read_text()
    )


def test_copied_sources_exist_and_reach_the_engine(dockerfile):
    sent = (ROOT / ".dockerignore").read_text().split()
    assert sent[0] == "*"  # nothing is sent but what a line with "!" names
    copies = [
        shlex.split(argument) for name, argument in instructions(dockerfile) if name == "COPY"
    ]
    assert copies
    for *sources, _target in copies:
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in sent, source


def test_build_sees_every_file_that_pyproject_names(dockerfile, project):
    copied = " ".join(argument for name, argument in instructions(dockerfile) if name == "COPY")
    for name in ["pyproject.toml", project["readme"], *project["license-files"], project["name"]]:
        assert name in copied.split(), name


def test_program_started_is_the_projects(dockerfile, project):
    (entry,) = [argument for name, argument in instructions(dockerfile) if name == "ENTRYPOINT"]
    assert entry == f'["{next(iter(project["scripts"]))}"]'


def test_pip_installs_the_project_with_extras_it_has(dockerfile, project):
    for requirement in install_arguments(dockerfile, "pip install"):
        target, _, extras = requirement.rstrip("]").partition("[")
        assert Path(target).name == project["name"]
        assert set(filter(None, extras.split(","))) <= set(project["optional-dependencies"])


def test_required_distributions_are_known_to_the_index(project):
    """Core and test requirements are installed here, so their names resolved."""
    optional = project["optional-dependencies"]
    for requirement in project["dependencies"] + optional["test"]:
        metadata.distribution(re.match(r"[\w-]+", requirement)[0])


def test_image_and_setup_script_install_the_same_libraries():
    script = (ROOT / ".ci/setup.sh").read_text()
    (libraries,) = re.findall(r"^ +install_packages (lib.*)$", script, flags=re.MULTILINE)
    image = install_arguments(ROOT / "docker/Dockerfile", "apt-get install")
    assert set(libraries.split()) <= set(image)


def test_debian_packages_resolve(dockerfile):
    packages = install_arguments(dockerfile, "apt-get install")
    if not packages:
        return
    if shutil.which("apt-cache") is None:
        pytest.skip("no apt-cache: not a Debian system")
    if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        pytest.skip("apt has no package lists: apt-get update was never called")
    command = ["env", "LC_ALL=C", "apt-cache", "policy", *packages]
    policy = subprocess.run(command, capture_output=True, text=True, check=True)
    candidates = re.findall(r"^([^\s:]+):\n.*\n +Candidate: \d", policy.stdout, flags=re.MULTILINE)
    assert set(packages) == set(candidates)


def test_apptainer_image_is_the_docker_one():
    recipe = (ROOT / "docker/pearlfem.def").read_text()
    image = ROOT / "docker/Dockerfile"
    (base,) = [argument for name, argument in instructions(image) if name == "FROM"]
    assert f"From: {base}\n" in recipe
    (line,) = re.findall(r"^ +apt-get install (.*)$", recipe, flags=re.MULTILINE)
    packages = [word for word in shlex.split(line) if not word.startswith("-")]
    assert packages == install_arguments(image, "apt-get install")
    copied = re.findall(r"^ +(\S+) /opt/pearlfem/\1$", recipe, flags=re.MULTILINE)
    assert copied == ["pyproject.toml", "README.md", "LICENSE", "pearlfem"]


def test_conda_environment_has_the_supported_releases(project):
    text = (ROOT / "docker/environment.yml").read_text()
    assert re.search(r"^  - python=3\.1[23]$", text, flags=re.MULTILINE)
    assert f"fenics-dolfinx={supported_dolfinx(project)}\n" in text


@pytest.mark.parametrize("script", sorted((ROOT / "docker").glob("*.sbatch")), ids=str)
def test_batch_scripts_are_bash(script):
    subprocess.run(["bash", "-n", script], check=True)
    called = re.findall(r"^srun .*pearlfem (\w+)", script.read_text(), flags=re.MULTILINE)
    assert called and set(called) <= set(cli.commands)
