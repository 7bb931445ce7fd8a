# make up       set up what is missing and start Smalti (ARGS=--detach returns when it is ready)
# make test     everything that must hold: style, types, imports, tests
# make drills   faults while work runs;   make bench   speed beside peers
# make images   build the container images with buildah (BASE=image to stand on)
# make test-browser   every page of the console in a real browser, good input and bad
# make test-kubernetes   the tests of pods, on the cluster that KUBECONFIG names
# make console  build the web console and wait for it
# make screenshots   pictures of the console for docs/
# make clean    remove what these have made here (never the state folder)

PYTHON ?= python3
BIN := .venv/bin
SMALTI := services spawners hub_config extensions tests setup docs examples images

.PHONY: up down setup setup-test console images screenshots
.PHONY: test lint test-console test-browser test-kubernetes drills bench clean

up: setup
	@exec $(BIN)/smalti-admin up $(ARGS)

down:
	@exec $(BIN)/smalti-admin down

setup:
	@$(PYTHON) setup/bootstrap.py

setup-test:
	@$(PYTHON) setup/bootstrap.py --group test

console:
	@$(PYTHON) setup/make_console.py

images: setup-test console
	$(if $(BASE),,$(BIN)/python images/build.py base-image)
	$(BIN)/python images/build.py build $(if $(BASE),--base $(BASE)) $(ARGS)

lint: setup-test
	$(BIN)/ruff check $(wildcard $(SMALTI))
	$(BIN)/ruff format --check $(wildcard $(SMALTI))
	$(BIN)/mypy
	$(BIN)/lint-imports

test-console: setup-test
	@$(PYTHON) setup/make_console.py --test

test: lint test-console
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-browser: setup-test
	$(BIN)/python -m pytest tests/browser $(ARGS)

screenshots: setup-test
	$(BIN)/python docs/screenshots.py $(ARGS)

drills: setup-test
	$(BIN)/python -m pytest tests/drills --timeout 3600 $(ARGS)

test-kubernetes: setup-test
	@test -n "$$KUBECONFIG" || { echo "KUBECONFIG names no cluster"; exit 1; }
	$(BIN)/python -m pytest tests/kubernetes -m kubernetes --timeout 600 $(ARGS)

bench: setup-test
	$(BIN)/python -m tests.benchmarks $(ARGS)

clean:
	rm -rf services/console/built services/console/built.* extensions/console/node_modules
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
