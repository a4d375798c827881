# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What can be asked of the installed service from inside of the system that it runs on: systemd, the journal,
# fwctl, the kernel. Sourced by scripts in such a system, after tap.sh and peer.sh.

cost=${COST:-${BASH_SOURCE[0]%/*}/../../build-tests/tests/system/cost}
unit_capabilities=000000c000001000 # CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN
insns_max=250000                   # a quarter of what the kernel allows; the largest takes 187,000
msec_max=20000                     # for one program, on an emulated processor

fact() {
	echo "# fact: $*"
}

show() { # UNIT PROPERTY
	systemctl show --property="$2" --value "$1"
}

is_active() {
	[ "$(show ebpf-fw ActiveState)" = active ]
}

has_new_pid() { # OLD
	is_active && [ "$(show ebpf-fw MainPID)" != "$1" ]
}

dropped_by_tc() {
	fwctl stats --json | python3 -c 'import json, sys
print(sum(h["dropped"] for h in json.load(sys.stdin)["hooks"] if (h["hook"], h["direction"]) == ("tc", "ingress")))'
}

dropped_more_than() {
	[ "$(dropped_by_tc)" -gt "$1" ]
}

# Runs a check while traffic flows, and holds it to what must hold at every instant.
check_under_traffic() { # NAME COMMAND...
	local name=$1 before
	shift

	traffic_begin
	before=$(dropped_by_tc)
	check "$name" "$@"
	check "$name: packets go on to be dropped at tc" wait_until 60 dropped_more_than $((before + 500))
	traffic_end
	check "$name: none was delivered" is_only_good_received
}

# In a container there are programs of others who share the kernel.
has_own_kernel() {
	fails systemd-detect-virt --quiet --container
}

programs() {
	bpftool prog show | awk '$3 == "name" && $4 ~ /^fw_/ { print $4 }' | sort
}

# Each program once, not one of the process before beside it.
has_one_of_each_program() {
	programs
	[ -n "$(programs)" ] && [ -z "$(programs | uniq -d)" ]
}

has_no_programs() {
	programs
	[ -z "$(programs)" ]
}

check_programs() { # NAME
	if has_own_kernel; then
		check "one of each program after $1" wait_until 10 has_one_of_each_program
	fi
	check "no pin beside after $1" fails ls /sys/fs/bpf/fw/progs/*-*
}

has_no_filters() {
	fails grep fw_ <(tc filter show dev to-peer ingress; tc filter show dev to-peer egress)
}

hook_mechanism() { # HOOK
	fwctl status --json | python3 -c "import json, sys
print(' '.join(sorted({h['mechanism'] for h in json.load(sys.stdin)['hooks'] if h['hook'] == '$1'})))"
}

is_filtered() { # WHERE
	fwctl status --json | python3 -c "import json, sys
sys.exit(sum(h['where'] == '$1' for h in json.load(sys.stdin)['hooks']) != 2)" # both directions
}

# Records of a window have all of their fields, of which the numbers are numbers, and come at their time.
has_window_records() {
	journalctl -u ebpf-fw -o json --no-pager | python3 "$here/check-records.py" "$1"
}

journal_says() {
	journalctl -u ebpf-fw -o cat --no-pager | grep -E "$1"
}

has_unit_capabilities() {
	local field pid

	pid=$(show ebpf-fw MainPID)
	grep -E '^(Cap|NoNewPrivs)' "/proc/$pid/status"
	for field in CapEff CapPrm CapBnd; do
		grep -q "^$field:.*$unit_capabilities$" "/proc/$pid/status" || return 1
	done
	grep -q '^NoNewPrivs:.*1$' "/proc/$pid/status"
}

# Loads the object once more, with the capabilities of the unit and no more, and has the verifier tell.
verify_within_bounds() {
	local status=0

	systemd-run --quiet --wait --pipe --collect --property=LimitMEMLOCK=infinity --property=NoNewPrivileges=yes \
		--property="CapabilityBoundingSet=$(show ebpf-fw CapabilityBoundingSet)" \
		"$cost" $insns_max $msec_max >"$traffic_dir/cost" || status=$?
	cat "$traffic_dir/cost"
	return $status
}

# What is said of the units that it depends on is not ours.
is_unit_verified() {
	fails grep -E 'ebpf-fw' <(systemd-analyze verify --man=no ebpf-fw.service 2>&1)
}

is_bpffs_private() {
	stat -c '%a %U %T' /sys/fs/bpf
	[[ $(stat -c '%a %U' /sys/fs/bpf) =~ ^1?700\ root$ ]]
}

print_facts() {
	fact kernel "$(uname -r)"
	fact systemd "$(systemctl --version | awk 'NR == 1 { print $2 }')"
	fact libbpf "$(dpkg-query -W -f '${Version}' libbpf1)"
	fact cpus "online $(cat /sys/devices/system/cpu/online), possible $(cat /sys/devices/system/cpu/possible)"
	fact mechanism "$(hook_mechanism tc)"
	fact instructions "$(awk '$2 > n { n = $2 } END { print n }' "$traffic_dir/cost")"
	fact milliseconds "$(awk '{ n += $(6) } END { print n }' "$traffic_dir/cost")"
	sed 's/^/# /' "$traffic_dir/cost"
}
