#!/usr/bin/env bash
# Fuzzes every target for FUZZ_SECONDS (600) each, or only the targets named. Works on the stable
# toolchain. What is found lies in `fuzz/artifacts` of the package; a new corpus stays in `target`.
# A target that panics, hangs over 10 s or grows beyond 1 GiB fails the run.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${FUZZ_SECONDS:-600}
tools=$PWD/target/tools
if ! [ -x "$tools/bin/cargo-fuzz" ]; then
    echo "Installing cargo-fuzz into target/tools"
    cargo install cargo-fuzz --version 0.13.2 --locked --root "$tools" --target-dir "$tools/build"
fi
export PATH="$tools/bin:$PATH" RUSTC_BOOTSTRAP=1

failed=()
results=()
for package in drivers edge; do
    # The versions that the product is built with.
    cp Cargo.lock "$package/fuzz/Cargo.lock"
    for wrapper in "$package"/fuzz/fuzz_targets/*.rs; do
        name=$(basename "$wrapper" .rs)
        if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
        grown=$PWD/target/fuzz/corpus/$package/$name
        log=$PWD/target/fuzz/$package-$name.log
        mkdir -p "$grown"
        echo "fuzzing $package/$name for $seconds s"
        status=ok
        # All code here is safe Rust, so what a sanitizer finds is not looked for; overflows are.
        cargo fuzz run --sanitizer none --fuzz-dir "$package/fuzz" --target-dir target/fuzz/build \
            --debug-assertions "$name" "$grown" "$package/fuzz/corpus/$name" -- \
            -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=1024 \
            -malloc_limit_mb=512 -print_final_stats=1 >"$log" 2>&1 || status=FAILED
        if [ $status != ok ]; then
            failed+=("$name")
            tail -n 40 "$log"
        fi
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
        peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log" | tail -1)
        results+=("$(printf '%-20s %-7s %12s runs %6s MiB peak' "$name" "$status" "${runs:-?}" "${peak:-?}")")
    done
done
printf '%s\n' "${results[@]}"
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}" >&2; exit 1; }
