# Two commands on a fresh machine: `make demo` runs the main job, `make test` passes all tests that need no service.
# Each installs what it needs from the package registries, and names what it cannot install.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-python test-node test-long test-services peers peers-sbom lint lint-rust lint-python lint-node deny docs bench clean

PY := bindings/python
NODE := bindings/node
VENV := $(PY)/.venv
DEMO := target/demo
# the demo needs no more than the default ones; `.ci/run` gives those that were built already
DEMO_FEATURES :=
REPORTS := target/demo-reports
PEERS := benches/peers
SBOM_PEERS := $(PEERS)/sbom
CORPORA := $(or $(SEALWRIGHT_CORPORA),../shared/corpora)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## one release of this repository, from commit to a verified evidence pack
	@$(call need,cargo,Rust from https://rustup.rs)
	@$(call need,git,package git)
	@$(call need,openssl,package openssl)
	@$(call need,jq,package jq)
	@$(call need,xxd,package xxd)
	@echo 'Building the command and running three test suites (minutes, the first time) …'
	@cargo build -q -p sealwright $(DEMO_FEATURES) --bin sealwright
	@.ci/test-reports $(REPORTS) $(DEMO_FEATURES)
	@target/debug/sealwright demo --artifact target/debug/sealwright --out $(DEMO) \
	  --report unit=$(REPORTS)/unit.xml --report integration=$(REPORTS)/integration.xml \
	  --report contract=$(REPORTS)/contract.xml

test: test-rust test-python test-node ## all tests that need no service

test-rust:
	@$(call need,cargo,Rust from https://rustup.rs)
	@$(call need,git,package git)
	@$(call need,gpg,package gnupg)
	@$(call need,ssh-keygen,package openssh-client)
	@$(call need,openssl,package openssl)
	@$(call need,jq,package jq)
	@$(call need,xxd,package xxd)
	cargo test -p sealwright --all-features

test-python: $(VENV)/built
	cd $(PY) && .venv/bin/python -m pytest -q

test-node: $(NODE)/node_modules/built
	cd $(NODE) && npm test --silent

KILLS := $(or $(LEDGER_TEST_KILLS),500)

test-long: ## sixteen writers of a ledger killed at random points, 500 or LEDGER_TEST_KILLS, plain and encrypted
	@$(call need,cargo,Rust from https://rustup.rs)
	LEDGER_TEST_KILLS=$(KILLS) cargo test -p sealwright --all-features --test ledger_many --test encrypted -- at_length \
	  --ignored --nocapture --test-threads=1

SERVICES := python3 core/tests/services/run.py

test-services: $(VENV)/built $(NODE)/node_modules/built ## tests against Fulcio, Rekor, registries, KMS, HSM and other clients, all started here on loopback
	@$(call need,cargo,Rust from https://rustup.rs)
	@$(call need,python3,package python3)
	cargo build -p sealwright --all-features --example conformance
	cargo test -p sealwright --all-features --test services --no-run
	$(SERVICES) cargo test -p sealwright --all-features --test services -- --ignored

peers: ## builds what test-services starts, and nothing else
	@$(call need,python3,package python3)
	$(SERVICES) build

peers-sbom: $(SBOM_PEERS)/ready ## SBOMs of real lock files, beside those of syft, cdxgen, cyclonedx-npm, cyclonedx-py and uv
	@$(call need,cargo,Rust from https://rustup.rs)
	@[ -d "$(CORPORA)" ] || { echo 'without corpora there are no lock files (SEALWRIGHT_CORPORA)' >&2; exit 2; }
	cargo build -q --release -p sealwright --all-features --bin sealwright
	python3 $(PEERS)/sbom.py "$(CORPORA)" target/release/sealwright

$(SBOM_PEERS)/ready: $(SBOM_PEERS)/requirements.txt $(SBOM_PEERS)/package.json $(SBOM_PEERS)/go.txt
	@$(call need,python3,package python3)
	python3 -m venv $(SBOM_PEERS)/.venv
	@there=yes; cd $(SBOM_PEERS); \
	.venv/bin/python -m pip install -q -r requirements.txt || { there=; echo 'not installed: peers in Python' >&2; }; \
	npm install --no-save --no-package-lock --silent --no-audit --no-fund || { there=; echo 'not installed: peers in Node' >&2; }; \
	GOBIN="$$PWD/bin" xargs go install < go.txt || { there=; echo 'not installed: peers in Go' >&2; }; \
	[ -z "$$there" ] || touch ready

# the extension is built again whenever a source of it changed
SOURCES := $(shell find core/src bindings/*/src bindings/python/python -type f 2>/dev/null) Cargo.toml Cargo.lock

$(VENV)/ready: $(PY)/pyproject.toml
	@$(call need,python3,package python3)
	@python3 -m venv $(VENV) || { echo 'venv is missing: install it (package python3-venv) and run make again' >&2; exit 2; }
	$(VENV)/bin/python -m pip install -q 'maturin>=1.16,<2' 'mypy>=2' 'pytest>=9'
	@touch $@

$(VENV)/built: $(VENV)/ready $(SOURCES)
	@$(call need,cargo,Rust from https://rustup.rs)
	cd $(PY) && VIRTUAL_ENV="$$PWD/.venv" CARGO_TARGET_DIR="$(CURDIR)/target" .venv/bin/maturin develop -q
	@touch $@

$(NODE)/node_modules/ready: $(NODE)/package.json $(NODE)/package-lock.json
	@$(call need,node,Node 20 or newer)
	@$(call need,npm,npm)
	# not `npm ci`: on Node 20 npm leaves packages for other platforms and newer engines out of the lock file
	cd $(NODE) && npm install --no-save --silent --no-audit --no-fund
	@touch $@

$(NODE)/node_modules/built: $(NODE)/node_modules/ready $(SOURCES)
	@$(call need,cargo,Rust from https://rustup.rs)
	cd $(NODE) && npm run --silent build
	@touch $@

lint: lint-rust lint-python lint-node deny ## everything that is checked without running

lint-rust:
	cargo fmt --all --check
	cargo clippy --workspace --all-features --all-targets -- -D warnings
	cargo clippy -p sealwright -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc -p sealwright --all-features --no-deps --quiet

lint-python: $(VENV)/built
	cd $(PY) && .venv/bin/python -m mypy && .venv/bin/python -m mypy.stubtest sealwright

# the declarations and the loader are generated and committed: what the build wrote must be what is there
lint-node: $(NODE)/node_modules/built
	cd $(NODE) && npm run --silent types && git diff --exit-code index.d.ts index.js

deny: ## licences, sources and bans of the dependencies
	@command -v cargo-deny >/dev/null || cargo install cargo-deny --locked --debug
	cargo deny check bans licenses sources

docs: ## the API documentation
	cargo doc -p sealwright --all-features --no-deps

clean:
	rm -rf target $(VENV) $(NODE)/node_modules

# need COMMAND,HOW: stops with the way to get a command that is not there
need = command -v $(1) >/dev/null || { echo "$(1) is missing: install it ($(2)) and run make again" >&2; exit 2; }

# everything of a former run is removed first: what is printed was measured now
bench: $(PEERS)/ready $(VENV)/ready $(NODE)/node_modules/ready ## ours beside peers and floor, also in benches/results/latest.json
	@$(call need,cargo,Rust from https://rustup.rs)
	rm -rf target/criterion target/peers target/{affected,ledger,bucket,command}.json
	@mkdir -p target/peers target/node
	cargo build -q --release -p sealwright -p sealwright-benches --all-features --bin sealwright --bin releases
	cd $(PY) && VIRTUAL_ENV="$(CURDIR)/$(PEERS)/.venv" CARGO_TARGET_DIR="$(CURDIR)/target" .venv/bin/maturin develop -q --release
	cd $(NODE) && npx --no-install napi build --platform --release --output-dir "$(CURDIR)/target/node"
	cargo bench -p sealwright-benches
	@if [ -d "$(CORPORA)" ]; then \
	  $(PEERS)/.venv/bin/python $(PEERS)/python.py "$(CORPORA)" > target/peers/python.json || echo 'not measured: peers in Python' >&2; \
	  (cd $(PEERS) && node node.mjs "$(abspath $(CORPORA))" ../../target/node) > target/peers/node.json || echo 'not measured: peers in Node' >&2; \
	else echo 'not measured: peers, without corpora (SEALWRIGHT_CORPORA)' >&2; fi
	cargo run -q --release -p sealwright-benches --bin sealwright-benches

$(PEERS)/ready: $(PEERS)/requirements.txt $(PEERS)/package.json
	@$(call need,python3,package python3)
	@$(call need,npm,npm)
	python3 -m venv $(PEERS)/.venv
	@there=yes; \
	$(PEERS)/.venv/bin/python -m pip install -q -r $(PEERS)/requirements.txt || { there=; echo 'not installed: peers in Python' >&2; }; \
	(cd $(PEERS) && npm install --no-save --no-package-lock --silent --no-audit --no-fund) || \
	  { there=; echo 'not installed: peers in Node' >&2; }; \
	[ -z "$$there" ] || touch $@
