# The two commands of the README, and what developers run besides.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint benchmark results clean

demo: $(READY)  ## train HQCM-EBTC and its classical twin on the embedded phantom, write runs/demo/report.html
	rm -rf runs/demo
	$(BIN)/medqnn train hqcm-ebtc --data phantom:720 --out runs/demo \
		--set data.image_size=64 --set training.epochs=18 --set training.batch_size=32

test: $(READY) lint  ## style, types, layers, tests
	$(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict src/medqnn/circuits src/medqnn/kernels
	$(BIN)/lint-imports

benchmark: $(READY)  ## the quantum layer beside a dense layer and PennyLane
	$(BIN)/python benchmarks/quantum_layer.py

results: $(READY)  ## docs/results.md from the tables of docs/results
	$(BIN)/python benchmarks/results.py

# torch goes first and by its exact version: an open range pulls gigabytes of CUDA libraries.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) torch
	$(INSTALL) --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) runs/demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
