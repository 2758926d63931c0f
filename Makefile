# Commands of the project. `make demo` and `make test` work on a bare Debian with a Rust toolchain.

BUILD_NEEDS := gcc libc6-dev pkg-config libasound2-dev libdbus-1-dev
TEST_NEEDS := $(BUILD_NEEDS) mosquitto faketime e2fsprogs mount libasound2-plugins dbus modemmanager network-manager iproute2 python3 python3-venv chromium chromium-driver fonts-wqy-microhei

FUZZ_NEEDS := $(BUILD_NEEDS) g++

LAB_NEEDS := $(BUILD_NEEDS) bluez dbus mosquitto python3 python3-venv make flex bison bc xz-utils patch perl

ARGS :=

.PHONY: demo test test-lab bench fuzz soak lint format reference python

demo:
	@edge/scripts/install-needs.sh $(BUILD_NEEDS)
	cargo build --release -p anju-edge --features demo
	target/release/anju demo $(ARGS)

test: python
	@edge/scripts/install-needs.sh $(TEST_NEEDS)
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo test --workspace --all-features

# The independent peers that stand in as devices, in an environment of the project's own.
python: target/python/made
target/python/made: drivers/tests/peers/requirements.txt
	@edge/scripts/install-needs.sh python3 python3-venv
	python3 -m venv target/python
	target/python/bin/pip install --quiet --requirement $<
	touch $@

test-lab:
	@edge/scripts/install-needs.sh $(LAB_NEEDS)
	drivers/lab/test.sh

# About ten minutes on a quiet machine; QUICK=1 is the short form.
bench:
	@edge/scripts/install-needs.sh $(BUILD_NEEDS) mosquitto dbus
	cargo build --release -p anju-edge
	cargo build --release -p anju-bench
	target/release/anju-bench $(if $(QUICK),--quick)

# FUZZ_SECONDS=600 for each target; TARGETS= for some of them only.
fuzz:
	@edge/scripts/install-needs.sh $(FUZZ_NEEDS)
	edge/scripts/fuzz.sh $(TARGETS)

# The tests of survival in all their rounds: about 20 minutes on a quiet machine.
soak:
	@edge/scripts/install-needs.sh $(TEST_NEEDS)
	edge/scripts/soak.sh

lint:
	cargo clippy --workspace --all-targets --all-features -- -D warnings

format:
	cargo fmt --all

# The printed reference of configuration and events, made from the code.
reference:
	cargo run --package anju-reference
