# Two commands on a fresh machine: `make demo` runs the main job, `make test` passes all tests that need no service.
# Each installs what it needs from the package registries, and names what it cannot install.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-python test-node lint lint-rust lint-python lint-node deny docs bench clean

PY := bindings/python
NODE := bindings/node
VENV := $(PY)/.venv
DEMO := target/demo
REPORTS := target/demo-reports

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## one release of this repository, from commit to a verified evidence pack
	@$(call need,cargo,Rust from https://rustup.rs)
	@$(call need,git,package git)
	@$(call need,openssl,package openssl)
	@$(call need,jq,package jq)
	@$(call need,xxd,package xxd)
	@echo 'Building the command and running three test suites of the core (the first time takes some minutes) …'
	@cargo build -q -p sealwright --bin sealwright
	@.ci/test-reports $(REPORTS)
	@target/debug/sealwright demo --artifact target/debug/sealwright --out $(DEMO) \
	  --report unit=$(REPORTS)/unit.xml --report integration=$(REPORTS)/integration.xml \
	  --report contract=$(REPORTS)/contract.xml

test: test-rust test-python test-node ## all tests that need no service

test-rust:
	@$(call need,cargo,Rust from https://rustup.rs)
	cargo test -p sealwright

lint: lint-rust lint-python lint-node deny ## everything that is checked without running

lint-rust:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc -p sealwright --no-deps --quiet

deny: ## licences, sources and bans of the dependencies
	@command -v cargo-deny >/dev/null || cargo install cargo-deny --locked
	cargo deny check bans licenses sources

docs: ## the API documentation
	cargo doc -p sealwright --no-deps

clean:
	rm -rf target $(VENV) $(NODE)/node_modules

# need COMMAND,HOW: stops with the way to get a command that is not there
need = command -v $(1) >/dev/null || { echo "$(1) is missing: install it ($(2)) and run make again" >&2; exit 2; }

bench: ## ours beside the floor, also in benches/results/latest.json
	cargo bench -p sealwright-benches
	cargo run -q --release -p sealwright-benches
