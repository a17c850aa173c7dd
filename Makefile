# The habits, one word each. `make demo` and `make test` need only python3 (3.11 or newer) and make: they prepare .venv
# themselves from the lock files, with uv where it is installed and with pip otherwise, and do it again only when the
# lock files change.

PYTHON ?= python3
BIN := .venv/bin
# Without bytecode every start costs seconds; some machines switch it off for everybody.
unexport PYTHONDONTWRITEBYTECODE
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: demo test check controlplane lint format bench soak lock clean help

# What the environment was made from, and where: a moved clone or a changed lock makes a new one.
KEY := $(shell { pwd; cat pyproject.toml requirements*.lock; } | cksum | tr -dc 0-9)
DEMO_READY := .venv/ready-for-demo-$(KEY)
TEST_READY := .venv/ready-for-test-$(KEY)

# Nothing here may touch the caller's standard input (it is the demo's script) or standard output (the demo's answer).
define prepare
@( set -e; rm -f .venv/ready-for-*; \
  trap 'test $$? = 0 || echo "steersman: the set-up did not finish; the lines above say why. The same command tries again."' EXIT; \
  if command -v uv >/dev/null 2>&1; then \
    echo "steersman: preparing .venv with uv (once; some seconds)"; \
    $(BIN)/python -c '' 2>/dev/null || uv venv --quiet --clear .venv; \
    uv pip install --python $(BIN)/python --compile-bytecode --require-hashes $(1:%=-r %); \
    uv pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation -e .; \
  else \
    command -v "$(PYTHON)" >/dev/null || { echo "steersman: there is no $(PYTHON) here; install Python 3.11 or newer."; exit 1; }; \
    "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "steersman: Python 3.11 or newer is needed, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1); name another with make PYTHON=python3.12 …"; exit 1; }; \
    "$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo "steersman: $(PYTHON) comes without its venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }; \
    echo "steersman: preparing .venv with pip (once; about a minute)"; \
    $(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear .venv; \
    $(BIN)/python -m pip install --disable-pip-version-check --require-hashes $(1:%=-r %); \
    $(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .; \
  fi; \
  $(BIN)/python -m compileall -q bot commands; \
  touch $(2); \
) </dev/null >&2
endef

$(DEMO_READY):
	$(call prepare,requirements.lock requirements-build.lock,$(DEMO_READY))

# The development lock holds everything that the demo needs too.
$(TEST_READY):
	$(call prepare,requirements-dev.lock,$(DEMO_READY) $(TEST_READY))

demo: $(DEMO_READY)  ## the guided tour: two clusters, no Slack, nothing to install
	@exec $(BIN)/steersman demo

test: $(TEST_READY)  ## every test (ARGS="-k deploy" for some of them)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --inline-snapshot=disable $(ARGS)

controlplane:  ## build the real control plane that some tests run on (needs Go; once, about seven minutes)
	@tests/rigs/controlplane/build.sh >&2

check: lint test  ## lint, then test: what a change must pass

lint: $(TEST_READY)  ## formatting, ruff, mypy, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(TEST_READY)  ## put the code into its form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(TEST_READY)  ## the figures, each beside its budget
	@$(BIN)/python tests/benchmarks/run.py $(ARGS)

soak: $(TEST_READY)  ## the tests with their full counts; an hour or so
	@STEERSMAN_SOAK=1 $(BIN)/python -m pytest -n 2 --dist loadgroup --inline-snapshot=disable -o timeout=3600 $(ARGS)

# Hashes and versions only: no index, no host. Pins stay where they still fit; ARGS=--upgrade takes the newest.
LOCK = pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header $(ARGS)
lock: $(TEST_READY)  ## write the lock files anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@uv=$$(command -v uv || echo $(BIN)/uv); test -x "$$uv" || $(BIN)/python -m pip install --quiet uv; \
	"$$uv" $(LOCK) --extra postgres --group dev --group build pyproject.toml -o requirements-dev.lock && \
	"$$uv" $(LOCK) --extra postgres -c requirements-dev.lock pyproject.toml -o requirements.lock && \
	"$$uv" $(LOCK) -c requirements-dev.lock --group build -o requirements-build.lock

clean:  ## remove everything that make made
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build
	@find bot commands tests -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile
