# Two commands matter: `make demo` and `make test`. Each sets up its own .venv first.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types docs unit stubs bench peers slow clean

demo: .venv/ready
	$(BIN)/zerosum train digits --out runs/demo
	$(BIN)/zerosum sample runs/demo --n 100 --out runs/demo/samples.png
	@echo
	@echo "Look at   runs/demo/report.html and runs/demo/samples.png"
	@echo "Try next  $(BIN)/zerosum sample runs/demo --class 7 --out seven.png"
	@echo "          $(BIN)/zerosum recipes"
	@echo "          $(BIN)/zerosum train ring"

test: lint
	$(MAKE) --jobs 3 types docs unit

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

docs: .venv/ready
	$(BIN)/sphinx-build -W -q --keep-going -b html docs .venv/docs

# Each worker would rewrite all assert statements for 15 s: a failure shows its local variables instead.
unit: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --assert=plain --showlocals -m "not slow" tests

# What editors and type checkers read of the rooms: after a public name has been added, moved or taken away.
stubs: .venv/ready
	$(BIN)/python -m scripts.stubs

bench: .venv/ready .venv-peers/ready
	$(BIN)/python -m benchmarks

# Living libraries to compare with, in a .venv of their own: then .venv/bin/python -m benchmarks.peers.peers or -m benchmarks.speed.inception
peers: .venv-peers/ready

# The long tests, and then every recipe by its own command: benchmarks/results/gallery.md and docs/gallery/. Some hours.
slow: .venv/ready
	$(BIN)/python -m pytest -m slow tests
	$(BIN)/python -m benchmarks.robustness.kills --record
	$(BIN)/python -m benchmarks.quality.doctor --seeds 10
	$(BIN)/python -m benchmarks.quality.gallery

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# Alone: torch-fidelity asks for torchvision, whose wheels do not go with the CPU build of torch; its network needs none.
.venv-peers/ready: benchmarks/peers/peers.txt benchmarks/peers/peers_alone.txt constraints.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --constraint constraints.txt --requirement benchmarks/peers/peers.txt
	.venv-peers/bin/python -m pip install --quiet --no-deps --requirement benchmarks/peers/peers_alone.txt
	touch $@

clean:
	rm -rf .venv .venv-peers build dist
