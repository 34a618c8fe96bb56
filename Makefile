# What one needs to type: `make demo` to see it, `make test` to check it. All set-up is done on the way.

CARGO ?= cargo

.PHONY: help setup build demo test test-automation lab bench check

help:
	@echo 'make demo    two routers, one tunnel, told step by step (about a minute after the build)'
	@echo 'make test    everything: unit tests, ladders, and the scenarios on a real kernel against real peers'
	@echo 'make test-automation  the automation tools, with NAPALM, pyATS and Genie, which are large downloads'
	@echo 'make lab     only the scenarios; one of them: make lab ONLY=name'
	@echo 'make bench   measurements, as tables'
	@echo 'make check   formatting and lints'
	@echo 'make setup   fetch what the lab needs into target/lab'

setup:
	@tests/setup.sh

build:
	$(CARGO) build -p isthmusd -p isthmus -p isthmus-tests

demo: setup build
	@$(CARGO) run --quiet -p isthmus-tests --bin isthmus-lab -- demo

test: setup
	$(CARGO) test --workspace --exclude isthmus-tests
	$(CARGO) test -p isthmus-tests

test-automation:
	@tests/setup.sh heavy
	$(CARGO) run --quiet -p isthmus-tests --bin isthmus-lab -- run automation_tools automation_ansible automation_heavy

lab: setup
	$(CARGO) test -p isthmus-tests -- $(ONLY)

bench:
	$(CARGO) bench -p ike -p isthmusd -p isthmus-grammar --bench handshake --bench primitives --bench config --bench reconcile --bench hold --bench screens --bench lines
	@tests/setup.sh bench
	$(CARGO) build --release -p isthmusd -p isthmus -p isthmus-tests
	target/release/isthmus-lab bench

check:
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
