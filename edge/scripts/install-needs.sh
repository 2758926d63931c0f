#!/usr/bin/env bash
# Installs what a bare Debian or Raspberry Pi OS lacks for building and testing; says what before
# it does. Packages that are there are left alone.
set -euo pipefail

packages=("$@")
missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "Not root and no sudo: install these yourself: ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
# A broker that starts by itself would open a port nobody asked for, and a manager of networks would
# take over those of this machine.
for package in "${missing[@]}"; do
    case "$package" in
        mosquitto) unit=mosquitto.service ;;
        network-manager) unit=NetworkManager.service ;;
        *) continue ;;
    esac
    "${as_root[@]}" mkdir -p /etc/systemd/system
    "${as_root[@]}" ln -sf /dev/null "/etc/systemd/system/$unit"
done
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
