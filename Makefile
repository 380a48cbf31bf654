# Each of these makes what it needs first; on a bare Debian or Ubuntu that is everything
# (tools/bootstrap.sh). PYTHON=... chooses the interpreter, TASKMAN_AUTHZ_PURE=1 the plain twin.

LISTEN ?= 127.0.0.1:50051
ARGS ?=
SECONDS ?= 600
BIN := .venv/bin
MYPY_PATH := .cache/mypy-path
ADDRESSED := macros parser partial program threads

.DEFAULT_GOAL := help
.PHONY: help run test taskman taskman-demo bench bench-sidecar bench-taskman soak check conformance sanitize generate build wheel clean format

help: ## show this
	@echo "taskman-authz: make TARGET"
	@sed -n 's/^\([a-z-]*\):[^#]*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: build ## start the sidecar with policies/taskman, ask it two questions, go on serving (LISTEN=host:port)
	@exec $(BIN)/taskman-authz serve --demo --policies policies/taskman --listen $(LISTEN)

test: build ## every test on the compiled core, then the tests of the core and above on its plain twin (ARGS=... for pytest)
	@tools/bootstrap.sh servers
	@$(BIN)/python tools/run_tests.py $(ARGS)

bench: build ## measure against the peers; prints the table and writes benchmarks/results/
	@tools/bootstrap.sh bench
	@$(BIN)/python -m benchmarks $(ARGS)

bench-sidecar: build ## measure the sidecar against a bare echo server and Cerbos, with h2load (apt: nghttp2-client)
	@tools/bootstrap.sh bench-sidecar
	@$(BIN)/python -m benchmarks.sidecar $(ARGS)

bench-taskman: build ## measure a request through TaskMan's gateway, with h2load, and where its time goes
	@tools/bootstrap.sh servers
	@tools/bootstrap.sh bench-sidecar
	@$(BIN)/python -m benchmarks.taskman $(ARGS)

taskman: build ## all of TaskMan on real servers of its own, behind one HTTP door, until Ctrl-C (ARGS="--port 8080")
	@tools/bootstrap.sh servers
	@exec $(BIN)/python -m examples.taskman.stage $(ARGS)

taskman-demo: build ## the same, and a story that is played through it
	@tools/bootstrap.sh servers
	@$(BIN)/python -m examples.taskman.stage --demo

soak: build ## a sidecar with workers under load, with reloads and killed workers, for SECONDS (600)
	@$(BIN)/python -m benchmarks.soak $(SECONDS)

check: build mypy-path ## ruff, mypy --strict, generated code fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src/taskman_authz $(MYPY_PATH)/taskman_authz_sidecar tests tools benchmarks examples setup.py
	$(BIN)/python tools/generate_protos.py --check

conformance: build ## the official CEL suite (npm fetches it the first time)
	@$(BIN)/python -m tests.conformance $(ARGS)

sanitize: build ## part of the tests on a core that checks itself (Cython), then under AddressSanitizer (gcc) and valgrind: fifteen minutes
	@tools/sanitize.sh checks tests/core tests/cel tests/pdp
	@tools/sanitize.sh address tests/core tests/fuzz tests/sidecar/http2 tests/pdp/test_fields.py $(addprefix tests/cel/test_,$(ADDRESSED:=.py))
	@if command -v valgrind >/dev/null; then tools/sanitize.sh valgrind tests/fuzz tests/sidecar/http2 tests/core/test_messages.py tests/pdp/test_fields.py; \
		else echo "SKIPPED: valgrind is not here"; fi

generate: build ## generate the wire code of proto/ and the schema of policy documents
	$(BIN)/python tools/generate_protos.py
	$(BIN)/python tools/generate_schema.py

format: build ## put imports and layout in order
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

build: ## virtual environment, dependencies, compiled core; nothing where nothing changed
	@tools/bootstrap.sh

wheel: build ## a wheel in dist/ that carries the library it links to (a pure one where the core is not compiled)
	@rm -rf build/wheel
	@$(BIN)/python -m build --wheel --no-isolation --outdir build/wheel
	@mkdir -p dist; if ls build/wheel/*-none-any.whl >/dev/null 2>&1; then cp -v build/wheel/*.whl dist/; \
		else PATH="$(abspath $(BIN)):$$PATH" auditwheel repair --wheel-dir dist build/wheel/*.whl; fi

clean: ## delete what was built and cached (the virtual environment stays)
	rm -rf build dist *.egg-info src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks out.xml
	rm -f src/taskman_authz/_fast/*.so .venv/.core
	find .cache -mindepth 1 -maxdepth 1 ! -name 'cel-spec-*' -exec rm -rf {} + 2>/dev/null || true
	find src sidecar tests tools benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# mypy reads folders, not installed packages: here sidecar/ has the name it is installed under.
.PHONY: mypy-path
mypy-path:
	@mkdir -p $(MYPY_PATH) && ln -sfn ../../sidecar $(MYPY_PATH)/taskman_authz_sidecar
