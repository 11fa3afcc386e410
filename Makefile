# make demo      set up, then run the main job against the sandbox; API=4.0 for a key of that version
# make test      set up, then run the tests
# make lint      ruff and mypy
# make bench     measure speed and memory against their goals
# make docs      write the scripts' own help into docs/
# make pictures  make the pictures in docs/ anew, from the sandbox
# make lock      lock the newest that each requirements*.in allows into its requirements*.txt
# make audit     ask whether weaknesses are known of what is locked
# make update    get the newest version from where this one was cloned, and what it needs
# make clean     remove the virtual environment and what demo and tests left

PYTHON ?= python3
API ?= 2.0
BIN := .venv/bin
# What is installed leaves a mark, so that nothing is installed twice.
SET_UP := .venv/.set-up
SET_UP_DEMO := .venv/.set-up-demo
SET_UP_DEV := .venv/.set-up-dev
SET_UP_LOCK := .venv/.set-up-lock
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

# Where it is set, each of the tests' many processes compiles all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup update demo test lint bench docs pictures lock audit clean

setup: $(SET_UP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv .venv

$(SET_UP): requirements.txt | $(BIN)/python
	$(INSTALL) -r requirements.txt
	touch $@

$(SET_UP_DEMO): requirements.txt requirements-demo.txt | $(BIN)/python
	$(INSTALL) -r requirements.txt -r requirements-demo.txt
	touch $(SET_UP) $@

# Has in it what all the others have.
$(SET_UP_DEV): requirements-dev.txt | $(BIN)/python
	$(INSTALL) -r requirements-dev.txt
	touch $(SET_UP) $(SET_UP_DEMO) $@

$(SET_UP_LOCK): requirements-lock.txt | $(BIN)/python
	$(INSTALL) -r requirements-lock.txt
	touch $@

update:
	git pull --ff-only
	$(MAKE) setup

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

pictures: $(SET_UP_DEV)
	$(BIN)/python docs/make_pictures.py

# In this order: each keeps to the versions of those before it.
lock: $(SET_UP_LOCK)
	for kind in "" -s3 -postgresql -demo -dev -lock; do \
	  $(BIN)/uv pip compile --quiet --system-certs --upgrade --universal --python-version 3.11 --generate-hashes \
	    --custom-compile-command "make lock" requirements$$kind.in --output-file requirements$$kind.txt || exit; \
	done

# What could not be asked is not taken for "none known".
audit: $(SET_UP_LOCK)
	@found=$$($(BIN)/pip-audit --strict --disable-pip --progress-spinner off -r requirements-dev.txt 2>.venv/audit.log); code=$$?; \
	[ -z "$$found" ] || echo "$$found"; \
	tail -n 1 .venv/audit.log >&2; \
	[ $$code = 0 ] || [ -n "$$found" ] || echo "Nothing is known of the packages: ask again where pypi.org itself can be reached, not a mirror." >&2; \
	exit $$code

clean:
	rm -rf .venv demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
