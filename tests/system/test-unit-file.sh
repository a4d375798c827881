#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The unit: is it well-formed, and is its sandbox as tight as promised? Needs no running systemd.
# Usage: test-unit-file.sh UNIT DAEMON

set -euo pipefail
# shellcheck source=tests/system/tap.sh
. "$(dirname "$0")/tap.sh"

exposure_max=15 # tenths: what is left is the host's network and bpf(2), which the firewall is about

command -v systemd-analyze >/dev/null || skip_all "systemd-analyze is not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "verify" wants the programs to exist, and they are not installed yet.
sed "s,=/.*/ebpf-fwd,=$2," "$1" >"$work/ebpf-fw.service"

verify() {
	local output

	output=$(systemd-analyze verify --man=no "$work/ebpf-fw.service" 2>&1) || true
	printf '%s\n' "$output"
	[ -z "$output" ]
}

check "systemd-analyze verify is silent" verify
check "exposure is at most 1.5" \
	systemd-analyze security --offline=true --threshold="$exposure_max" "$work/ebpf-fw.service"
tap_end
