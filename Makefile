# Everything people and machines run. `make demo` and `make test` work on a fresh machine with Python ≥ 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= --district small

.PHONY: demo dev test check static-check js-check fix bench gen lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    the whole product with a living demo district (DEMO='--district lieshan' for the large one)"
	@echo "make test    install what the tests need and run everything"
	@echo "make check   format, lint, types, import contracts, browser code, fast tests"
	@echo "make fix     format and mend what can be mended by itself"
	@echo "make bench   the benchmarks, each beside a peer"
	@echo "make gen     write the generated files anew (settings, golden cases)"
	@echo "make lock    resolve the dependencies anew"

# -- installation ---------------------------------------------------------------------------------------
$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

# A browser and a Chinese font for the browser suite; without root the suite says what is missing and skips.
$(VENV)/browser: | $(VENV)/installed
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-wqy-microhei >/dev/null; } || \
	  echo "Chromium is not installed; the browser tests will be skipped."; }
	@touch $@

node_modules/installed: package.json package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund && touch $@; \
	 else echo "npm is not installed; the browser code is not type-checked."; mkdir -p node_modules; touch $@; fi

# -- running --------------------------------------------------------------------------------------------
demo: $(VENV)/installed
	$(BIN)/yiping demo $(DEMO)

dev: $(VENV)/installed
	$(BIN)/yiping demo $(DEMO) --no-simulator

# -- checking -------------------------------------------------------------------------------------------
test: $(VENV)/installed-dev $(VENV)/browser static-check js-check
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not browser and not slow" tests
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "slow and not browser" tests
	$(BIN)/python -m pytest -q -m browser tests

check: $(VENV)/installed-dev static-check js-check
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not browser and not slow" tests

static-check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

js-check: node_modules/installed
	@if command -v npm >/dev/null; then npm run --silent check; fi

fix: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

gen: $(VENV)/installed-dev
	$(BIN)/python -m command.setting_docs
	$(BIN)/python tests/golden/generate.py

bench: $(VENV)/installed-dev
	$(BIN)/python -m bench

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --no-header --no-annotate --python-version 3.11 --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
