#!/usr/bin/env bash
# Makes .venv, or takes the one that is there, and installs pearlfem into it. `make setup` runs this.
# PYTHON=/path/to/python3 names the interpreter to build on.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Candidates are run, not only looked up: a pyenv shim can be on PATH and yet refuse.
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; }

has_dolfinx() {     # the release we support, with real numbers (the images can be switched to complex)
    "$1" -c 'import dolfinx; r = dolfinx.__version__.startswith("0.11."); \
             raise SystemExit(not r or "complex" in str(dolfinx.default_scalar_type))' 2>/dev/null
}

find_python() {
    local pyenv="${PYENV_ROOT:-${HOME:-}/.pyenv}" candidate
    for candidate in python3.13 python3.12 python3.14 python3 "$pyenv"/versions/3.{13,12,14}*/bin/python3; do
        if new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    return 1
}

install_packages() {    # Debian packages: as root, else through a sudo that asks for nothing, else tell
    local line="apt-get install -y --no-install-recommends $*" as_root=()
    command -v apt-get >/dev/null || die "please install what Debian calls $*, then call make again."
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || die "please run 'sudo $line', then call make again."
        as_root=(sudo -n)
    fi
    say "$line"
    "${as_root[@]}" apt-get update -qq || say "apt-get update failed; trying with the package lists that are here"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $line >/dev/null
}

draws_and_meshes() {    # gmsh needs OpenGL and X11 libraries; without EGL, VTK's off-screen window ends in a crash
    (.venv/bin/python -c '
import gmsh, pyvista
plotter = pyvista.Plotter(off_screen=True)
plotter.add_mesh(pyvista.Sphere())
plotter.screenshot()' || exit 1) >/dev/null 2>&1
}

environment=${PYTHON:-python3}
if new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=.venv/bin/python
elif new_enough "$environment" && has_dolfinx "$environment"; then
    python=$environment
elif [ -n "${PYTHON:-}" ]; then
    new_enough "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.12 or newer."
    python=$PYTHON
else
    python=$(find_python) || die "please install Python 3.12 or newer (Debian 13: apt-get install python3-dev" \
        "python3-venv; elsewhere: pyenv install 3.13), or name one as PYTHON=/path/to/python3."
fi

# DOLFINx compiles each form when it is first used: with Python's own compiler, against Python's headers.
missing=$("$python" -c '
import importlib.util, os, shutil, sys, sysconfig
python = "python%d.%d" % sys.version_info[:2]
if not shutil.which((os.environ.get("CC") or sysconfig.get_config_var("CC")).split()[0]):
    print("gcc libc6-dev")
if not os.path.exists(sysconfig.get_path("include") + "/Python.h"):
    print(python + "-dev")
if not importlib.util.find_spec("ensurepip"):
    print(python + "-venv")')
[ -z "$missing" ] || install_packages $missing

if [ "$python" != .venv/bin/python ]; then
    say "making .venv with $("$python" --version)"
    if has_dolfinx "$python"; then
        "$python" -m venv --clear --system-site-packages .venv
        # The DOLFINx images' Python is a venv itself, and a venv of a venv sees the system's packages only.
        "$python" -c 'import site; print(*site.getsitepackages(), sep="\n")' \
            > "$(echo .venv/lib/python3*/site-packages)/environment.pth"
    else
        "$python" -m venv --clear .venv
    fi
fi

extras=wheel,test
if grep -q 'include-system-site-packages = true' .venv/pyvenv.cfg; then extras=test; fi
say "installing pearlfem[$extras] into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$extras]"

if ! draws_and_meshes; then
    install_packages libegl1 libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1
    draws_and_meshes || die "gmsh cannot be imported or VTK cannot draw off screen; see what" \
        "'.venv/bin/python -c \"import gmsh\"' and '.venv/bin/python -m pyvista report' say."
fi
