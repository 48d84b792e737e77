.DEFAULT_GOAL := help
.PHONY: up batch monitor report quick test oldest check build local deploy bench peers pictures lock help training dev deploy-tools browser tools

MODEL ?=
MODELS ?=
CONFIG ?= $(if $(MODEL),models/$(MODEL)/train.toml,training/examples/churn/train.toml)
DATA ?=
FILE ?=
OPTIONS ?=
SET ?=
PORT ?= 8000
RECORDS ?= records
UNTIL ?=
STAGE ?= staging
ARCH ?= x86_64
PACKAGE := $(if $(MODEL),models/$(MODEL)/package,layers/model/package)
# A stack for each MODEL, or one for all MODELS, the default one first; without either, that of the
# package last trained. A model may have a section of its own in samconfig.toml: [name-stage...].
CHOSEN := $(addprefix models/,$(or $(MODEL),$(MODELS)))
PACKAGES := $(or $(CHOSEN:%=%/package),$(PACKAGE))
OWN_SECTION := $(shell grep -so '^\[$(MODEL)-$(STAGE)\.' samconfig.toml)
# The name of a stack has letters, digits and hyphens.
DEPLOYED := --config-env $(if $(MODEL),$(if $(OWN_SECTION),$(MODEL)-))$(STAGE) \
  $(if $(MODEL),--stack-name $(subst _,-,$(subst .,-,$(MODEL)))-$(STAGE))
$(if $(and $(MODEL),$(MODELS)),$(error MODEL deploys one model and MODELS several: name one of the two))
SCENARIO := build/monitor

PYTHON := .venv/bin/python3.13
PYTEST := $(PYTHON) -m pytest --numprocesses auto --no-loadscope-reorder
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.venv-deploy/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export ARCH

up: training ## Train the example and serve it: make up [DATA=file.csv] [SET="key=value ..."] [PORT=8000]
	$(PYTHON) -m training run $(CONFIG) $(if $(DATA),--data $(DATA)) $(SET:%=--set %) --out $(PACKAGE)
	MODEL_DIR=$(PACKAGE) $(PYTHON) -m functions.predict --port $(PORT)

batch: training ## Score a local file as the batch function does: make batch FILE=customers.csv [OPTIONS="--explain"]
	$(PYTHON) -m functions.batch $(FILE) $(OPTIONS) --model $(PACKAGE) --out batch

monitor: training ## Replay three weeks through prediction, capture, monitor and report, without AWS
	rm -rf $(SCENARIO)
	$(PYTHON) -m training run $(CONFIG) --out $(SCENARIO)/package \
	  --set data.sample_rows=40000 --set evaluation.test_size=0.5
	$(PYTHON) -m training.checks.scenario --model $(SCENARIO)/package --records $(SCENARIO)/records
	$(PYTHON) -m functions.monitor replay --model $(SCENARIO)/package \
	  --records $(SCENARIO)/records --out $(SCENARIO)/report.html

report: training ## Judge the records in a folder and write the report: make report RECORDS=folder [UNTIL=time]
	$(PYTHON) -m functions.monitor report --model $(PACKAGE) --records $(RECORDS) \
	  $(if $(UNTIL),--until $(UNTIL)) --out report.html

quick: dev ## Run the unit tests, of each test of training one case: what a change needs first
	$(PYTEST) --cases 1 tests/unit tests/test_documents.py tests/test_project.py

test: dev tools ## Run all tests; those on real Lambda containers need a Docker engine
	$(PYTEST)

oldest: dev ## Test training with the oldest releases that docs/versions.md names, on Python 3.12
	.ci/oldest

check: dev deploy-tools browser ## Lint, types and the template, without running anything
	ruff check . && ruff format --check .
	mypy
	sam validate --lint && cfn-lint template.yaml

build: training deploy-tools ## Build around the package last trained, or [MODEL=name | MODELS="name name"]
	for package in $(PACKAGES); do $(PYTHON) -m training verify $$package || exit; done
	sam build --parallel --cached --cache-dir .aws-sam/cache-$(ARCH) \
	  --parameter-overrides Architecture=$(ARCH)
	@sed -i.bak "s/Description: Not built by make./Description: Built $$(date -u +%FT%TZ)./" \
	  .aws-sam/build/template.yaml
	$(if $(CHOSEN),$(PYTHON) -m training.checks.model_layer $(CHOSEN))
	$(PYTHON) -m training.checks.lambda_size .aws-sam/build

local: build ## Run the built functions in real Lambda containers at http://127.0.0.1:3000
	sam local start-api --config-env local

deploy: build ## Deploy to AWS: make deploy [STAGE=staging] [MODEL=name | MODELS="name name"]
	sam deploy $(DEPLOYED) --no-fail-on-empty-changeset

bench: dev ## Measure what the documents say, as ratios within one run
	$(PYTHON) -m tests.benchmark

peers: dev ## Measure the service over HTTP beside other servers, and under load (Linux)
	tests/benchmark/install_peers
	$(PYTHON) -m tests.benchmark.bench_peers
	$(PYTHON) -m tests.benchmark.bench_load

pictures: dev tools monitor ## Make the pictures of the documents from the running product
	$(PYTHON) -m tests.support.pictures

lock: dev ## Write the lock files again after a change of pyproject.toml
	requirements/lock

help: ## Show this page
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

training:
	@requirements/install training .venv

dev:
	@requirements/install dev .venv

deploy-tools:
	@requirements/install deploy .venv-deploy

browser: dev
	@requirements/install browser .venv

tools: deploy-tools browser
	@requirements/install emulator .venv-emulator
	@requirements/install-axe
	@requirements/install clients .venv-clients
	@requirements/install kserve .venv-kserve
	@requirements/install schemathesis .venv-schemathesis
	@requirements/install openapi .venv-openapi
	@requirements/install shap .venv-shap
	@requirements/install evidently .venv-evidently
	@requirements/install keras .venv-keras
