#!/bin/bash
# Runs the tests that need simulated hardware: builds each tests/lab_*.rs on the host with cargo
# and runs it inside the lab. Arguments go to the test programs, for example a filter.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
crate=$(dirname "$here")
cd "$crate"

# Before the build, which is the longer wait, so that a missing kernel is told at once.
ANJU_LAB_KERNEL=$("$here/kernel.sh")
export ANJU_LAB_KERNEL

ANJU_LAB_PYTHON=$("$here/python.sh")
export ANJU_LAB_PYTHON

names=()
for source in tests/lab_*.rs; do
    [[ -e $source ]] || { echo "lab: no tests/lab_*.rs in $crate" >&2; exit 1; }
    names+=(--test "$(basename "$source" .rs)")
done

built=$(cargo test --package anju-drivers "${names[@]}" --no-run --message-format=json-render-diagnostics)
mapfile -t programs < <(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' <<<"$built")
if ((${#programs[@]} * 2 != ${#names[@]})); then
    echo "lab: ${#programs[@]} test programs for ${#names[@]}/2 sources; cargo's messages are not understood" >&2
    exit 1
fi

failed=()
for program in "${programs[@]}"; do
    name=$(basename "$program")
    echo "lab: $name"
    # One kernel, one adapter, one set of lines: one test at a time.
    "$here/run.sh" "$program" --test-threads=1 "$@" || failed+=("$name (status $?)")
done
if ((${#failed[@]})); then
    echo "lab: failed: ${failed[*]}" >&2
    exit 1
fi
