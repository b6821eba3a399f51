# Every task of the project. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Dependencies compile once, outside of the checkout; every clone on the machine shares them.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/firebreak/target
BIN := $(CARGO_TARGET_DIR)/debug

.PHONY: help demo serve test fmt lint unit runbooks simulate test-senders test-cloud tf-check chaos fuzz bench bless picture sample package clean

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## break a small shop and watch it being healed (first build: a few minutes)
	@echo "building the demo, without any AWS SDK ..."
	@cargo build --package firebreak-cli
	@$(BIN)/firebreak demo $(ARGS)

serve: ## run the platform here: http://127.0.0.1:8080
	@cargo run --package firebreak-cli -- serve $(ARGS)

test: ## everything that must hold; what CI runs
	@tools/test.sh

fmt: ## format the code
	cargo fmt --all
	for folder in terraform sumo datadog; do terraform fmt -recursive "$$folder"; done

lint: ## clippy and formatting, warnings as errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings

unit: ## unit, property, contract and local end-to-end tests
	tools/with_servers.sh --ministack --dynamodb-local -- cargo test --workspace --all-features

runbooks: ## check and test the runbooks that ship
	cargo run --quiet --package firebreak-cli -- runbook lint runbooks
	cargo run --quiet --package firebreak-cli -- runbook test runbooks

test-senders: ## Prometheus and Alertmanager, old and new, send to the real binary
	tools/senders/run.sh

test-cloud: ## the deployed functions on an AWS emulator
	terraform/emulator/run.sh

tf-check: ## terraform: format, validate, test, policies, state machine, seeded faults; offline
	terraform/offline/check.sh

chaos: ## failing commits, an outage of a minute and a kill under load: nothing answered 2xx is lost
	FIREBREAK_CHAOS_SECONDS=60 cargo test --package firebreak-cli --test it -- chaos --nocapture

fuzz: ## odd inputs at every parser: CASES=10000000 SEED=2 TARGET=grafana
	cargo run --quiet --profile fuzz --package firebreak-fuzz --bin fuzz -- --cases $(or $(CASES),200000) --seed $(or $(SEED),1) --target "$(TARGET)"

simulate: ## ten thousand made-up worlds full of faults, all orders of two workers, then every bug that must be noticed
	cargo run --quiet --profile fuzz --package firebreak-simulator --example seeds -- $(or $(SEEDS),2000)
	cargo run --quiet --profile fuzz --package firebreak-model --example check

bench: ## intake beside Alertmanager and Python; planning among runbooks; cold start of alert_ingest beside Python; access logs beside DuckDB, mawk and GoAccess; detection beside scikit-learn
	crates/cli/bench/run.sh
	cargo run --quiet --release --package firebreak-core --example planning
	crates/alert_ingest/bench/run.sh
	crates/reports/bench/run.sh
	crates/detection/bench/run.sh

bless: ## rewrite golden files and generated documents
	FIREBREAK_BLESS=1 cargo test --workspace --all-features

picture: ## draw the timeline of the demo for the README
	cargo build --package firebreak-cli
	python3 tools/timeline_svg.py $(BIN)/firebreak docs/timeline.svg

SAMPLE := $(CARGO_TARGET_DIR)/sample
sample: ## make the sample report of the README (needs poppler)
	mkdir -p $(SAMPLE)
	cargo build --quiet --package firebreak-reports --examples
	for seed in 8 7; do $(BIN)/examples/alb_log 400000 $(SAMPLE)/$$seed.log $(SAMPLE)/truth.json 33 17391 $$seed; done
	$(BIN)/examples/alb_pages $(SAMPLE) $(SAMPLE)/7.log $(SAMPLE)/8.log
	cp $(SAMPLE)/report.pdf docs/alb_report.pdf
	pdftoppm -r 75 -f 1 -l 1 -png -singlefile docs/alb_report.pdf docs/alb_report

FUNCTIONS := alert_ingest event_relay runbook_action notifier
package: ## the zips that Terraform deploys (cargo-lambda; ARCH=x86-64 for the other architecture)
	cargo lambda build --profile lambda --$(or $(ARCH),arm64) --lambda-dir dist/functions $(FUNCTIONS:%=--package %)
	BINARIES=dist/functions tools/package.sh dist

clean: ## remove what a run leaves in the checkout
	rm -rf firebreak-data dist
