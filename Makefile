# Each target works alone from a fresh clone: python3 (3.11 to 3.13), pip and make are all it needs.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.PHONY: demo test check soak bench docs install clean

demo: install
	$(BIN)/td demo

test: install
	$(BIN)/python -m tests.debian_packages
	$(BIN)/python -m pytest -n auto --dist loadfile

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Many seeds of the simulation; as `make soak SOAK="--seeds 1000"`.
SOAK ?= --minutes 10
soak: install
	$(BIN)/python -m tests.simulation.soak $(SOAK)

bench: .venv/bench.stamp
	$(BIN)/python -m benchmarks

docs: install
	$(BIN)/python -m cli.manual
	$(BIN)/python -m cli.schemas
	$(BIN)/python -m tests.deployment.nginx_files

install: .venv/install.stamp

.venv/install.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) install -e ".[sqld,gateway,workos,dev]" -c constraints.txt
	touch $@

.venv/bench.stamp: .venv/install.stamp
	$(PIP) install -e ".[sqld,gateway,workos,dev,bench]" -c constraints.txt
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
