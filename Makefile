# Marey's errands. `make help` lists them; each does the set-up that it needs, and does it once.
# The work itself is in CMake (CMakePresets.json), pyproject.toml and tools/.

PYTHON ?= python3
JOBS ?= 2
FUZZ_SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/done
SYSTEM := $(addprefix system-,build page test sanitize check fuzz bench)
WHEEL_SOURCES := $(shell find CMakeLists.txt pyproject.toml README.md LICENSE cmake include src python web tools/page.sh \
                   tools/embed.mjs -type f -not -name '*.pyc' -not -path '*/node_modules/*' -not -path 'web/dist/*')
export JOBS PYTHON UNSTABLE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-unit test-python test-stack sanitize test-matrix bench check format fuzz coverage \
        dev release page wheel install clean distclean venv $(SYSTEM)
.DELETE_ON_ERROR:

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: system-test $(DONE)/install $(DONE)/test-packages $(DONE)/test-formats ## System packages, .venv, build, installation into .venv

demo: $(DONE)/install ## Record a program that does real work, and show the report
	@tools/demo.sh $(BIN)

test: setup dev ## All tests
	@tools/test.sh $(BIN) unit page python

test-unit: dev ## The C tests alone
	@tools/test.sh $(BIN) unit

test-python: setup dev ## The Python, command and crash tests alone
	@tools/test.sh $(BIN) python

test-stack: setup dev ## The unwinder against programs whose stacks are known, with every CPython that is found
	@tools/test.sh $(BIN) stack

sanitize: system-sanitize ## The C tests under ASan, UBSan, TSan and valgrind
	@tools/sanitize.sh

test-matrix: dev $(DONE)/test-formats ## The Python tests with every CPython from 3.9 on that is found (UNSTABLE=DIR: and Debian unstable's)
	@tools/matrix.sh

bench: system-bench ## Measure, beside floors and peers; writes bench/RESULTS.md (QUICK=1: only see that it works)
	@tools/bench.sh

check: system-check $(DONE)/check-packages ## Formats, linters, types
	@tools/check.sh $(BIN)

format: system-check $(DONE)/check-packages ## Format all sources
	@tools/format.sh $(BIN)

fuzz: system-fuzz ## Each fuzz target for FUZZ_SECONDS (60)
	@tools/fuzz.sh $(FUZZ_SECONDS)

coverage: system-test ## Which lines the C tests run
	@tools/coverage.sh

dev: system-test page ## Debug build with the C tests, in build/dev
	@tools/build.sh dev

release: system-build page ## Optimized build, in build/release
	@tools/build.sh release

page: system-page ## The page of marey view, in web/dist
	@tools/page.sh

install: $(DONE)/install ## Build, and install into .venv

wheel: $(DONE)/build-packages ## A wheel, in dist/
	@$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation -w dist .
	@ls -1t dist/*.whl | head -1

clean: ## Remove what was built
	rm -rf build dist web/dist

distclean: clean ## ... and the virtual environments
	rm -rf .venv .venv-* web/node_modules

# System packages: what a list names is looked for each time (that is quick), and installed where that is allowed.
$(SYSTEM): system-%:
	@tools/system.sh $*

# Python packages and Marey itself. What was done stands in the environment, so that a new one starts from nothing.
venv: system-build
	@tools/venv.sh $(VENV)

$(DONE)/build-packages: tools/requirements-build.txt | venv
	@tools/packages.sh $(VENV) $< $@

$(DONE)/test-packages: tests/requirements.txt | venv
	@tools/packages.sh $(VENV) $< $@

# The programs that converted traces are for.
$(DONE)/test-formats: tests/formats/package-lock.json | venv
	@tools/npm.sh tests/formats $@

$(DONE)/check-packages: tools/requirements-check.txt | venv
	@tools/packages.sh $(VENV) $< $@

$(DONE)/install: $(WHEEL_SOURCES) $(DONE)/build-packages
	@tools/install.sh $(VENV) $@
