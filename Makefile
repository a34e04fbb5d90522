# make demo PYTHON=python3.12               another interpreter
# make test CONSTRAINTS=torch-2.11.txt      other versions than the tested ones; remove .venv first
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN = .venv/bin
# Byte code is kept whatever the environment says: tests start many programs.
export PYTHONDONTWRITEBYTECODE =
PIP_INSTALL = $(BIN)/python -m pip install --quiet --no-compile --constraint $(CONSTRAINTS)

.PHONY: demo test test-fast check docs

demo: .venv/.installed
	$(BIN)/apmdm solve sudoku src/apmdm/tasks/sudoku/demo_puzzles.txt --watch

test: check
	$(BIN)/pytest --numprocesses=logical --dist=loadfile

# Without checks of shapes and types at run time.
test-fast: .venv/.installed
	$(BIN)/pytest --numprocesses=logical --dist=loadfile --jaxtyping-packages= -m 'not slow'

check: .venv/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyrefly check

docs: .venv/.docs
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet docs build/docs

.venv/.installed: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) torch setuptools
	$(PIP_INSTALL) --no-build-isolation --editable '.[dev]'
	touch $@

.venv/.docs: .venv/.installed
	$(PIP_INSTALL) --no-build-isolation --editable '.[docs]'
	touch $@
