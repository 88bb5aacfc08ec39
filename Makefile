# `make run` and `make test` set up what they need; a second call reuses it.

# One thread per rank, and MPICH's transports for one machine (with a fabric: make UCX_TLS=all …).
export OMP_NUM_THREADS ?= 1
export UCX_TLS ?= self,sm,tcp
# Tests start hundreds of processes, each of which would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

# .venv's own mpiexec, or the one on PATH where DOLFINx is the environment's; ended if the ranks hang.
mpiexec = PATH="$(CURDIR)/.venv/bin:$$PATH" timeout --foreground 1800 mpiexec

.PHONY: help setup run check test test-slow lint site clean

help:  ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile

setup: .venv/ready  ## make .venv with everything in it

.venv/ready: pyproject.toml .ci/setup.sh
	@bash .ci/setup.sh
	@touch $@

run: setup  ## the main job: two impurities on a film
	.venv/bin/pearlfem run demos/pair.toml --out results/pair --force

check: setup  ## compare with exact results
	.venv/bin/pearlfem check

# One worker more than cores, as some tests wait for processes.
# Ranks of MPICH that wait for others keep their core busy, unless they are told to yield it.
test: lint  ## lint, then all tests serially, and the parallel ones on 2 and 3 ranks
	MPIR_CVAR_ENABLE_HEAVY_YIELD=1 \
	.venv/bin/pytest -n $$(($$(nproc) + 1)) --dist loadfile --no-loadscope-reorder
	$(mpiexec) -n 2 .venv/bin/pytest -q tests/parallel
	$(mpiexec) -n 3 .venv/bin/pytest -q tests/parallel

test-slow: setup  ## the tests that make test leaves out (Debian's ParaView among them)
	.venv/bin/pytest -m slow
	$(mpiexec) -n 2 .venv/bin/pytest -q -m slow tests/parallel

lint: setup  ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

.venv/docs: .venv/ready
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	@touch $@

# Sphinx wants all pages in one folder, and writes there those of the API.
site: .venv/docs  ## pages, demos and API reference in build/site (the first time it runs all demos: minutes)
	rm -rf build/pages
	mkdir -p build/pages
	cp -pR *.md *.cff LICENSE .site/*.md demos docker meshes tests pearlfem build/pages
	cat .site/contents.md >> build/pages/README.md
	.venv/bin/python -m sphinx -W --keep-going -j 2 -c .site -d build/doctrees $(SPHINXOPTS) build/pages build/site
	cp build/site/README.html build/site/index.html

clean:  ## remove results, builds and caches, but not .venv
	rm -rf results build dist .mypy_cache .pytest_cache .ruff_cache
