# MolForge: every command that this project relies on. `make` alone lists them.
#
#   PYTHON=python3.12 make setup     another interpreter (3.11 or newer)
#   MOLFORGE_PIP=1 make setup        pip, even where there is uv

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help setup setup-run run serve test slow newest container check lint format types imports clients \
        conformance hostile validate landscapes steps ladder leaderboard redteam learn certify evidence pins space clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv with everything: server, client, agent, tests, lint, types
	@scripts/venv.sh dev

setup-run:
	@scripts/venv.sh run

run: setup-run ## play one programme of every family with the reference planner through a real server
	@$(BIN)/molforge play --policy planner --all

PORT ?= 8000

serve: setup-run ## start the server on http://127.0.0.1:8000, or make serve PORT=8001
	@$(BIN)/molforge serve --host 127.0.0.1 --port $(PORT)

test: setup ## the test suite (under ten minutes on two cores)
	@$(BIN)/python -m pytest

slow: setup ## the tests that take longer: wheel, replays, tables
	@$(BIN)/python -m pytest -m slow

newest: setup ## the test suite on the newest Python of this machine, if it is newer than .venv's
	@scripts/newest.sh

container: setup ## build the image, start it, play through it; skipped where no engine can run
	@scripts/container.sh

check: ## everything that CI does
	@bash .ci/run

lint: setup ## ruff, rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: setup ## mypy, strict
	@$(BIN)/mypy

imports: setup ## imports point one way
	@$(BIN)/lint-imports

clients: setup ## the stock clients and validators: openenv-core 0.3.0 and openenv 0.10.0, one environment each
	@scripts/clients.sh

conformance: setup ## a kit for OpenEnv servers against this one: make conformance KIT=FOLDER, after make clients
	@scripts/conformance.sh $(KIT)

hostile: setup ## 100,000 hostile WebSocket frames against a server, which must not mind (minutes)
	@MOLFORGE_HOSTILE_FRAMES=100000 $(BIN)/python -m pytest -m slow tests/load/test_hostile.py -o log_cli=true -o log_cli_level=INFO

validate: setup ## what a submission checker looks at: ping, image, validators, graders, the agent's lines
	@scripts/validate-submission.sh $(URL)

space: ## prepare the folder to push to a Hugging Face Space (build/space)
	@scripts/space.sh

steps: setup ## what a step costs in CPU time, beside RDKit's reading of the molecule
	@$(BIN)/python benchmarks/steps.py --check

MATCHES := .cache/matches.jsonl
LADDER := $(BIN)/python -m redteam.ladder --split test --journal $(MATCHES)
DIAL := 0.0 0.25 0.5 0.75 1.0

ladder: setup ## play the ladder of policies and attacks anew and write docs/ladder.md (hours; resumes)
	@$(LADDER) --seeds 0:200 --policies noop,random,greedy,nominate_lead,one_molecule,set_list,witness >/dev/null
	@$(LADDER) --seeds 0:60 --policies planner,memory,guess >/dev/null
	@$(LADDER) --seeds 0:60 --tasks nogo --policies convinced_stop >/dev/null
	@$(LADDER) --seeds 0:20 --policies mean_search >/dev/null
	@for d in $(DIAL); do $(LADDER) --difficulty $$d --seeds 0:24 --policies planner >/dev/null; done
	@$(BIN)/python -m redteam.report $(MATCHES) --out docs/ladder.md

leaderboard: setup ## play the reference leaderboard and write docs/leaderboard.md (many hours in full; resumes)
	@$(BIN)/python -m evidence.leaderboard >/dev/null

redteam: setup ## attack the environment, 50 programmes a family, and write docs/figures/redteam.md (hours; resumes)
	@$(BIN)/molforge redteam --out docs/figures

learn: setup ## train a small learner through the real server: three seeds, three controls, curves (needs the extra `learn`)
	@$(BIN)/python -m evidence.learner --out docs/figures

certify: setup ## run every check of OpenEnv's severity policy and write the certificate (resumes)
	@$(BIN)/molforge certify --out docs/figures

evidence: setup ## the tests of learner, pictures and datasets, with the libraries that only these need
	@scripts/evidence.sh

pins: ## solve the requirements lists anew (needs uv)
	@scripts/pins.sh

clean: ## remove .venv and everything built
	@rm -rf .venv build dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
