# make demo      set up, then run the main job against the sandbox; API=4.0 for a key of that version
# make test      set up, then run the tests
# make lint      ruff and mypy
# make bench     measure speed and memory against their goals
# make docs      write the scripts' own help into docs/
# make pictures  make the pictures in docs/ anew, from the sandbox
# make clean     remove the virtual environment and what demo and tests left

PYTHON ?= python3
API ?= 2.0
BIN := .venv/bin
# What is installed leaves a mark, so that nothing is installed twice.
SET_UP := .venv/.set-up
SET_UP_DEMO := .venv/.set-up-demo
SET_UP_DEV := .venv/.set-up-dev
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

# Where it is set, each of the tests' many processes compiles all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test lint bench docs pictures clean

setup: $(SET_UP)

$(SET_UP): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.txt
	touch $@

$(SET_UP_DEMO): requirements.txt requirements-demo.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.txt -r requirements-demo.txt
	touch $(SET_UP) $@

$(SET_UP_DEV): $(wildcard requirements*.txt) pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements-dev.txt
	touch $(SET_UP) $(SET_UP_DEMO) $@

demo: $(SET_UP_DEMO)
	$(BIN)/python scripts/demo.py --api $(API)

test: $(SET_UP_DEV)
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -m alone

lint: $(SET_UP_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(SET_UP_DEV)
	$(BIN)/python tests/benchmarks/run_all.py

docs: $(SET_UP_DEV)
	$(BIN)/python docs/write_help.py

pictures: $(SET_UP_DEMO)
	$(BIN)/python docs/make_pictures.py

clean:
	rm -rf .venv demo *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
