#!/usr/bin/env bash
# The long forms of the tests of survival, one after another, and a table of what came out.
# ANJU_KILLS, ANJU_CUTS and ANJU_ROUNDS change the number of rounds. Logs stay in target/soak.
set -uo pipefail
cd "$(dirname "$0")/../.."

kills=${ANJU_KILLS:-200}
cuts=${ANJU_CUTS:-100}
others=${ANJU_ROUNDS:-20}
logs=$PWD/target/soak
mkdir -p "$logs"
failed=0
table=()

# name, rounds, arguments of cargo test
soak() {
    local name=$1 rounds=$2 began=$SECONDS status=passed said
    shift 2
    echo "$name: $rounds rounds"
    ANJU_ROUNDS=$rounds RUST_LOG=off cargo test --workspace --all-features "$@" \
        >"$logs/$name.log" 2>&1 || { status=FAILED; failed=1; tail -n 30 "$logs/$name.log"; }
    said=$(grep -hE ' rounds, |SKIPPED|went on|a day away' "$logs/$name.log" | cut -c1-200)
    table+=("$(printf '%-16s %-7s %5d s' "$name" "$status" $((SECONDS - began)))" "$said")
}

daemon() {
    soak "$1" "$2" --test survive -- "$3" --nocapture --test-threads 1
}

soak journal-kill "$kills" --test crash -- kill
soak journal-power "$cuts" --test crash -- power
soak journal-bytes "$kills" --test damage -- --nocapture
daemon daemon-kill "$kills" crash::killed
daemon daemon-power "$cuts" crash::without_power
daemon daemon-bytes "$others" disk::with_broken_bytes
daemon disks "$others" disk::
daemon away "$others" away::
daemon centres "$others" wire::
daemon certificates "$others" tls::
daemon clocks "$others" clock::
daemon rubbish "$others" rubbish::

echo
printf '%s\n' "${table[@]}"
exit $failed
