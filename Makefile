# make demo   set up, then run the main job against the sandbox
# make test   set up, then run the tests
# make lint   ruff and mypy
# make bench  measure speed and memory
# make clean  remove the virtual environment and what demo and tests left

PYTHON ?= python3
BIN := .venv/bin
SET_UP := .venv/.set-up

# Where it is set, each of the tests' many processes compiles all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test lint bench clean

setup: $(SET_UP)

$(SET_UP): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

demo: $(SET_UP)
	$(BIN)/python scripts/demo.py

test: $(SET_UP)
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -m alone

lint: $(SET_UP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(SET_UP)
	PYTHONPATH=scripts $(BIN)/python tests/benchmarks/bench_signing.py
	PYTHONPATH=scripts $(BIN)/python tests/benchmarks/bench_workbook.py
	PYTHONPATH=scripts:tests/end_to_end $(BIN)/python tests/benchmarks/bench_export.py
	PYTHONPATH=scripts:tests/end_to_end $(BIN)/python tests/benchmarks/bench_customers.py
	PYTHONPATH=scripts:tests:tests/end_to_end $(BIN)/python tests/benchmarks/bench_records.py
	PYTHONPATH=scripts:tests $(BIN)/python tests/benchmarks/bench_loop.py
	PYTHONPATH=scripts:tests $(BIN)/python tests/benchmarks/bench_database.py
	PYTHONPATH=scripts:tests:tests/end_to_end $(BIN)/python tests/benchmarks/bench_fleet.py
	PYTHONPATH=scripts:tests $(BIN)/python tests/benchmarks/bench_period.py

clean:
	rm -rf .venv demo *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
