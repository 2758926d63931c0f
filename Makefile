# Commands of the project. `make demo` and `make test` work on a bare Debian with a Rust toolchain.

BUILD_NEEDS := gcc libc6-dev pkg-config libasound2-dev
TEST_NEEDS := $(BUILD_NEEDS) mosquitto libasound2-plugins

.PHONY: test lint format

test:
	@edge/scripts/install-needs.sh $(TEST_NEEDS)
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked

lint:
	cargo clippy --workspace --all-targets --locked -- -D warnings

format:
	cargo fmt --all
