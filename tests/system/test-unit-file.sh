#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The units: are they well-formed, and are their sandboxes as tight as promised? Needs no running systemd.
# Usage: test-unit-file.sh BUILD-DIRECTORY UNIT...

set -euo pipefail
# shellcheck source=tests/system/tap.sh
. "$(dirname "$0")/tap.sh"

exposure_max=15 # tenths: what is left is the host's network and bpf(2), which the firewall is about

command -v systemd-analyze >/dev/null || skip_all "systemd-analyze is not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=$1
shift

# "verify" wants the programs to exist, and they are not installed yet.
for unit; do
	sed "s,=/.*/ebpf-fwd,=$build/daemon/ebpf-fwd,; s,=/.*/fwctl,=$build/ctl/fwctl," "$unit" >"$work/${unit##*/}"
done

verify() {
	local output

	output=$(systemd-analyze verify --man=no "$1" 2>&1) || true
	printf '%s\n' "$output"
	[ -z "$output" ]
}

for unit in "$work"/*; do
	check "${unit##*/}: systemd-analyze verify is silent" verify "$unit"
	case $unit in
	*.service) check "${unit##*/}: exposure is at most 1.5" \
		systemd-analyze security --offline=true --threshold="$exposure_max" "$unit" ;;
	esac
done
tap_end
