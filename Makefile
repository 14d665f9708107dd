PYTHON ?= python3
VENV   ?= .venv
# `make CONSTRAINTS= setup` lets pip choose the newest versions.
CONSTRAINTS ?= constraints.txt

BIN   := $(VENV)/bin
STAMP := $(VENV)/.stamp
HOUSE := tests/test_house.py tests/test_packaging.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test format lint types mypy pyright house tests slow mutate fuzz bench bench-verify bench-repair dist clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make the virtual environment in .venv (every other target does it by itself)

$(STAMP): pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	PYTHONWARNINGS="ignore:Editable installation" \
	$(BIN)/python -m pip install -q $(if $(CONSTRAINTS),-c $(CONSTRAINTS)) -e . --group dev
	touch $@

demo: setup  ## the story of the README, from a trained model to a proof
	$(BIN)/python examples/quote_closing/demo.py
	$(BIN)/python examples/max_of_k/demo.py

# One after the other whatever -j says, the cheapest first: the first failure ends the run.
test: setup  ## format, lint, types, house rules, then every test that is not slow
	@$(MAKE) --no-print-directory format
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory house
	@$(MAKE) --no-print-directory tests

format: setup  ## is every file laid out by ruff?
	$(BIN)/ruff format --check .

lint: setup  ## ruff's rules
	$(BIN)/ruff check .

types: setup  ## mypy and pyright, both strict, side by side
	@$(MAKE) --no-print-directory -j 2 --output-sync=target mypy pyright

mypy pyright: setup
	$(BIN)/python -m $@

house: setup  ## the rules that no linter can state, and the packaging
	$(BIN)/python -m pytest -q -x -n 2 -m "not slow" $(HOUSE)

tests: setup  ## every other test that is not slow
	$(BIN)/python -m pytest -q -n 2 -m "not slow" $(HOUSE:%=--ignore=%)

slow: setup  ## the tests that take minutes
	$(BIN)/python -m pytest -n 2 -m slow

# `make mutate MUTATE="--sample 5 --only compiler/boxes/lines.py"` tries less, `--log FILE` goes on later.
mutate: setup  ## do the tests notice small wrong changes of trusted files? (hours; MUTATE=options)
	$(BIN)/python -m tests.mutants.mechanical $(MUTATE)

# `make fuzz FUZZ="20000 --seed 7 --decide"` also answers what is right, twice.
fuzz: setup  ## does any text make Circ raise? (100,000 take ten minutes; FUZZ=options)
	$(BIN)/python -m tests.fuzz $(FUZZ)

bench: setup  ## how fast the provers are
	$(BIN)/python benchmarks/enumeration.py
	$(BIN)/python benchmarks/words.py
	$(BIN)/python benchmarks/lengths.py
	$(BIN)/python benchmarks/editor.py

# `make bench-verify INSTANCES=FOLDER PEERS=PYTHON` begins with a table beside other verifiers.
QUESTIONS ?= build/middle
bench-verify: setup  ## how hard claims about boxes may be (an hour; INSTANCES=folder compares verifiers)
	$(if $(INSTANCES),$(BIN)/python -m benchmarks.verify.run $(INSTANCES) $(if $(PEERS),--peers-python $(PEERS)))
	$(if $(PEERS),$(BIN)/python -m benchmarks.verify.agreement_standard 100 --peers-python $(PEERS))
	$(BIN)/python -m benchmarks.verify.agreement 1000
	$(BIN)/python -m benchmarks.verify.middle $(QUESTIONS)
	$(BIN)/python -m benchmarks.verify.ask_middle $(QUESTIONS)

bench-repair: setup  ## what repairing the last layer of a network costs (some minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.repair.run

dist: setup  ## sdist and wheel, in dist/
	$(BIN)/python -m build

clean:  ## remove the virtual environment and everything built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . '(' -name __pycache__ -o -name .circ-cache ')' -type d -prune -exec rm -rf {} +
