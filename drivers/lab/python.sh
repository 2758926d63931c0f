#!/bin/bash
# Prints the Python that the lab's simulated wearables run with; makes it once, below target/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=(bumble==0.0.236 cryptography==50.0.2)
venv=$here/../../target/lab-python
stamp="$venv/$(printf '%s_' "${packages[@]}")"

if [[ ! -e $stamp ]]; then
    echo "lab: installing ${packages[*]} into target/lab-python" >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
    : >"$stamp"
fi
realpath -s "$venv/bin/python"
