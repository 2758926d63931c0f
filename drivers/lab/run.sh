#!/bin/bash
# Boots the lab (a user-mode kernel with simulated GPIO lines, see kernel.sh) and runs one program
# in it:
#
#   run.sh PROGRAM [ARGUMENT..]
#
# The program sees the host's files and may write anywhere: what it writes lives in the guest's
# memory and never reaches the host. It runs as the guest's root in the same folder and with the
# same environment as the caller, and finds
#   ANJU_LAB=1                it is in the lab
#   ANJU_LAB_CHIP             a GPIO chip of the lab, /dev/gpiochipN, its lines named as below
#   ANJU_LAB_PULLS            folder of sim_gpioN/{pull,value}: the far ends of these lines
#   ANJU_LAB_I2C              an I2C bus, /dev/i2c-N
#   ANJU_LAB_CHIPS            file that tells what the chips on it do (chips.py)
# Options, by environment: ANJU_LAB_KERNEL (the kernel), ANJU_LAB_LINES ("sos pir reed siren"),
# ANJU_LAB_DEADLINE (120 s), ANJU_LAB_MEMORY (512M).
# Exit status: the program's; 124 when the deadline passed, 125 when the lab itself failed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
deadline=${ANJU_LAB_DEADLINE:-120}
memory=${ANJU_LAB_MEMORY:-512M}
lines=${ANJU_LAB_LINES:-sos pir reed siren}

fail() { echo "lab: $*" >&2; exit 125; }

(($#)) || fail "which program? usage: run.sh PROGRAM [ARGUMENT..]"
program=$(command -v -- "$1") || fail "$1 is no program that can be run"
shift
[[ ${ANJU_LAB:-} != 1 ]] || fail "this is the lab already; run $program directly"
[[ $deadline =~ ^[1-9][0-9]*$ ]] || fail "ANJU_LAB_DEADLINE is '$deadline'; give whole seconds"
kernel=$("$here/kernel.sh") || fail "no kernel, see above"

job=$(mktemp -d "${TMPDIR:-/tmp}/anju-lab.XXXXXX")
[[ $job != *[[:space:]]* ]] || fail "TMPDIR has a blank in its path, which a kernel's command line cannot carry"
guest= chips_of= follow=()
clean_up() {
    # The kernel's own process leads the group of all that runs in the guest.
    [[ -z $guest ]] || kill -KILL -- "-$guest" 2>/dev/null || true
    [[ -z $chips_of ]] || kill "$chips_of" 2>/dev/null || true
    ((${#follow[@]} == 0)) || kill "${follow[@]}" 2>/dev/null || true
    rm -rf "$job"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir "$job/uml"
cp "$here/init.sh" "$job/init"
chmod +x "$job/init"
export -p >"$job/environment"
printf '%q ' "$(realpath -s "$program")" "$@" >"$job/command"
pwd >"$job/folder"
printf '%s\n' $lines >"$job/lines"
: >"$job/stdout"
: >"$job/stderr"

# The chips stand outside of the kernel; they end with it.
exec {chips}< <(exec python3 "$here/chips.py" "$job/i2c" "$job/chips" 2>"$job/chips.log")
chips_of=$!
read -r -u "$chips" _ || fail "the chips of the I2C bus did not start: $(<"$job/chips.log")"

setsid "$kernel" mem="$memory" rootfstype=hostfs rootflags=/ ro init="$job/init" \
    virtio_uml.device="$job/i2c:34" anju_lab_job="$job" uml_dir="$job/uml/" umid=lab con=null ssl=null con0=null,fd:1 \
    quiet loglevel=4 panic=-1 </dev/null >"$job/console" 2>&1 &
guest=$!
tail -c +1 -s 0.1 --pid="$guest" -f "$job/stdout" &
follow+=($!)
tail -c +1 -s 0.1 --pid="$guest" -f "$job/stderr" >&2 &
follow+=($!)

late=
if ! timeout "$deadline" tail -s 0.1 --pid="$guest" -f /dev/null; then
    late=1
    kill -KILL -- "-$guest" 2>/dev/null || true
fi
wait "$guest" 2>/dev/null || true
guest=
kill "$chips_of" 2>/dev/null || true
chips_of=
[[ ! -s $job/chips.log ]] || echo "lab: chips of the I2C bus: $(<"$job/chips.log")" >&2
wait "${follow[@]}" 2>/dev/null || true
follow=()

if [[ -s $job/status ]]; then
    exit "$(<"$job/status")"
fi
if [[ -n $late ]]; then
    echo "lab: $program did not end within $deadline s; ANJU_LAB_DEADLINE gives it longer" >&2
    exit 124
fi
[[ ! -s $job/trouble ]] || echo "lab: $(<"$job/trouble")" >&2
tail -n 30 "$job/console" >&2
fail "the guest ended without a result; its console is above"
