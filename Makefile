# Marey's errands. `make help` lists them; each does the set-up that it needs, and does it once.
# The work itself is in CMake (CMakePresets.json), pyproject.toml and tools/.

PYTHON ?= python3
JOBS ?= 2
FUZZ_SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
STAMPS := build/stamps
WHEEL_SOURCES := $(shell find CMakeLists.txt pyproject.toml README.md LICENSE cmake include src python \
                   -type f -not -name '*.pyc' 2>/dev/null)
export JOBS PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit test-python sanitize test-matrix bench check format fuzz coverage \
        wheel install clean distclean dev release
.DELETE_ON_ERROR:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMPS)/system-test $(STAMPS)/wheel $(STAMPS)/test-packages ## System packages, .venv, build, install into .venv

demo: $(STAMPS)/wheel ## Record a real program and show its report
	@tools/demo.sh $(BIN)

test: setup dev ## All tests
	@tools/test.sh $(BIN) unit python

test-unit: $(STAMPS)/system-test dev ## The C tests alone
	@tools/test.sh $(BIN) unit

test-python: setup dev ## The Python, command and crash tests alone
	@tools/test.sh $(BIN) python

sanitize: $(STAMPS)/system-sanitize ## The C tests under ASan, UBSan, TSan and valgrind
	@tools/sanitize.sh

test-matrix: $(STAMPS)/system-test dev ## The Python tests with every CPython found
	@tools/matrix.sh

bench: $(STAMPS)/system-bench ## Measure beside floors and peers; writes bench/RESULTS.md
	@tools/bench.sh

check: $(STAMPS)/system-check $(STAMPS)/check-packages ## Formats, linters, types
	@tools/check.sh $(BIN)

format: $(STAMPS)/system-check $(STAMPS)/check-packages ## Format all sources
	@tools/format.sh $(BIN)

fuzz: $(STAMPS)/system-fuzz ## Each fuzz target for FUZZ_SECONDS (60)
	@tools/fuzz.sh $(FUZZ_SECONDS)

coverage: $(STAMPS)/system-test ## Which lines the C tests run
	@tools/coverage.sh

dev: $(STAMPS)/system-test ## Debug build with the C tests, in build/dev
	@tools/build.sh dev

release: $(STAMPS)/system-build ## Optimized build, in build/release
	@tools/build.sh release

wheel: $(STAMPS)/build-packages ## A wheel, in dist/
	@$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation -w dist .
	@ls -1t dist/*.whl | head -1

install: $(STAMPS)/wheel ## Build and install into .venv

clean: ## Remove what was built
	rm -rf build dist

distclean: clean ## ... and the virtual environments
	rm -rf .venv .venv-*

# System packages: each list is looked for, and installed where that is allowed.
$(STAMPS)/system-%: tools/system.sh
	@tools/system.sh $*
	@mkdir -p $(@D) && touch $@

# Python packages. A list is installed again when it changed, or when the environment is new.
$(BIN)/python: | $(STAMPS)/system-build
	@tools/venv.sh $(VENV)

$(STAMPS)/build-packages: tools/requirements-build.txt $(BIN)/python
	@tools/packages.sh $(VENV) $< $@

$(STAMPS)/test-packages: tests/requirements.txt $(BIN)/python
	@tools/packages.sh $(VENV) $< $@

$(STAMPS)/check-packages: tools/requirements-check.txt $(BIN)/python
	@tools/packages.sh $(VENV) $< $@

$(STAMPS)/wheel: $(WHEEL_SOURCES) $(STAMPS)/build-packages
	@tools/install.sh $(VENV) $@
