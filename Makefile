# Two commands matter: `make demo` and `make test`. Both install what they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(PATH):$(HOME)/.cargo/bin:$(CURDIR)/target/tools/bin

# Building needs no root; worlds of network namespaces do.
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo "sudo -E env PATH=$(PATH)")
ifneq ($(ROOT),)
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER := $(ROOT)
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER := $(ROOT)
endif

.PHONY: help setup setup-bench setup-kubernetes build demo demo-down test lint unit integration soak deny bench crds fmt clean

help: ## Show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: ## Install what building, testing and the demo need (Debian, Ubuntu)
	@tools/setup.sh

setup-bench:
	@tools/setup.sh bench

setup-kubernetes: ## Build the control plane that tests run against (some minutes, once)
	@tools/setup.sh kubernetes

build: setup ## Build the programs and the lab
	@cargo build --workspace

demo: build ## Show the main job on this machine, in network namespaces, against real daemons
	@$(ROOT) target/debug/lab demo

demo-down: ## Remove what `make demo` left standing
	@$(ROOT) target/debug/lab down --name demo

test: setup lint deny build unit integration ## Run everything

lint: setup
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --quiet -- -D warnings

# Without the network; `cargo deny check advisories` asks the advisory database.
deny: setup ## Check licences, duplicates and sources of what we depend on
	@cargo fetch --locked --quiet
	@cargo deny --offline --log-level error check bans licenses sources

unit: setup ## Run the tests that need no root
	@cargo test --workspace --lib

# Worlds are built one at a time: several would share two cores and spoil each other's timing.
integration: build setup-kubernetes ## Run the tests against real daemons; ONLY=name runs a part
	@cargo test --profile dev --workspace --test '*' -- --test-threads=1 --show-output $(ONLY)

soak: build ## Edits, mistakes and faults for a long time; STEPS=number SEED=number
	@NOVAEDGE_STEPS=$(STEPS) NOVAEDGE_SEED=$(SEED) cargo test --profile dev --test integration -- --show-output worlds::chaos

soak: STEPS ?= 10000
soak: SEED ?= $(shell date +%s)

bench: setup-bench ## Measure against by-hand floors, HAProxy and nginx
	@cargo build --profile bench -p novaedge-lab
	@cargo bench

crds: setup ## Write manifests/crds/ from src/api
	@cargo run --quiet --bin novaedge-controller -- crds --directory manifests/crds

fmt: setup
	@cargo fmt --all

clean: ## Remove what was built
	@cargo clean
