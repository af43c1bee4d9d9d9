# `make demo` and `make test` need only Python 3.11+ and make. Everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
CLIENT := serving/client
JUPYTER_INSTALLED := $(VENV)/.jupyter
NODE_INSTALLED := $(CLIENT)/node_modules/.installed
# Of the servers: make serve PORT=8001.
CHOSEN_PORT = $(if $(PORT),--port $(PORT))

# The encoder's weights come with a package: the libraries need not, and must not, ask the network.
export HF_HUB_OFFLINE := 1
export TRANSFORMERS_OFFLINE := 1

.PHONY: help demo test lint bench serve ui notebooks client client-packages example stop clean

help:
	@echo "make demo        simulated people, the whole pipeline, one person's matches"
	@echo "make serve       the API on port 8000"
	@echo "make ui          Dagster on port 3000 and MLflow on port 5000"
	@echo "make notebooks   the analysts' notebooks in JupyterLab, on port 8888"
	@echo "make example     an app and its backend, port 5173; it needs make serve, npm"
	@echo "make stop        stop the embedded database"
	@echo "make test        the tests"
	@echo "make lint        ruff, mypy, the import contracts, typos"
	@echo "make bench       the pipeline and the API at scale, into docs/benchmarks.md"
	@echo "make client      the TypeScript client's types, made from the API's document"
	@echo "make clean       remove .venv and .data"
	@echo
	@echo "Other ports:     make serve PORT=8001; make ui PORT=3001 MLFLOW_PORT=5001"
	@echo "In short:        make bench QUICK=1, into .data/bench.md"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip
	@echo "Installing into $(VENV): a few minutes the first time ..."
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[serving,pipelines]' --group dev
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/matching demo

# Three, also on two cores: each often waits for a server or for a process that it started.
test: $(INSTALLED)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos

bench: $(INSTALLED)
	@mkdir -p .data
	$(BIN)/python -m tests.bench $(if $(QUICK),--quick) .data/bench.json

serve: $(INSTALLED)
	@exec $(BIN)/matching serve $(CHOSEN_PORT)

ui: $(INSTALLED)
	@exec $(BIN)/matching ui $(CHOSEN_PORT) $(if $(MLFLOW_PORT),--mlflow-port $(MLFLOW_PORT))

$(JUPYTER_INSTALLED): $(INSTALLED)
	@echo "Installing JupyterLab into $(VENV) ..."
	$(BIN)/python -m pip install --quiet -c constraints.txt --group notebooks
	@touch $@

notebooks: $(JUPYTER_INSTALLED)
	@exec $(BIN)/matching notebooks $(CHOSEN_PORT)

$(NODE_INSTALLED): $(CLIENT)/package-lock.json $(CLIENT)/package.json $(CLIENT)/example/package.json
	@command -v npm >/dev/null || { echo "npm is needed; install Node.js 18 or newer, with npm" >&2; exit 1; }
	cd $(CLIENT) && npm ci
	@touch $@

client-packages: $(NODE_INSTALLED)

client: $(INSTALLED) $(NODE_INSTALLED)
	$(BIN)/python -m serving.openapi | npm --prefix $(CLIENT) run types -- --output src/schema.ts
	npm --prefix $(CLIENT) run build

example: $(INSTALLED) $(NODE_INSTALLED)
	npm --prefix $(CLIENT) run build
	@exec $(BIN)/matching example $(CHOSEN_PORT)

stop: $(INSTALLED)
	@$(BIN)/matching stop

clean:
	@if [ -x $(BIN)/matching ]; then $(BIN)/matching stop; fi
	rm -rf .venv .data .venv-* $(CLIENT)/node_modules $(CLIENT)/dist
