#!/bin/bash
# Runs the tests that need simulated hardware: builds each tests/lab_*.rs of the drivers and of the
# box on the host with cargo, and runs it inside the lab. Arguments go to the test programs, for example a filter.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
crate=$(dirname "$here")
cd "$crate"

# Before the build, which is the longer wait, so that a missing kernel is told at once.
ANJU_LAB_KERNEL=$("$here/kernel.sh")
export ANJU_LAB_KERNEL

ANJU_LAB_PYTHON=$("$here/python.sh")
export ANJU_LAB_PYTHON

packages=(anju-drivers "$crate" anju-edge "$crate/../edge")
programs=()
for ((at = 0; at < ${#packages[@]}; at += 2)); do
    names=()
    for source in "${packages[at + 1]}"/tests/lab_*.rs; do
        [[ -e $source ]] || { echo "lab: no tests/lab_*.rs in ${packages[at + 1]}" >&2; exit 1; }
        names+=(--test "$(basename "$source" .rs)")
    done
    built=$(cargo test --package "${packages[at]}" "${names[@]}" --no-run \
        --message-format=json-render-diagnostics)
    # Of all that cargo built, the programs of tests; the box itself is one of the others.
    mapfile -t found < <(grep -F '"kind":["test"]' <<<"$built" |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
    if ((${#found[@]} * 2 != ${#names[@]})); then
        echo "lab: ${#found[@]} test programs for ${#names[@]}/2 sources; cargo's messages are not understood" >&2
        exit 1
    fi
    programs+=("${found[@]}")
done

failed=()
for program in "${programs[@]}"; do
    name=$(basename "$program")
    echo "lab: $name"
    # One kernel, one adapter, one set of lines: one test at a time.
    ANJU_LAB_DEADLINE=${ANJU_LAB_DEADLINE:-300} "$here/run.sh" "$program" --test-threads=1 "$@" || failed+=("$name (status $?)")
done
if ((${#failed[@]})); then
    echo "lab: failed: ${failed[*]}" >&2
    exit 1
fi
