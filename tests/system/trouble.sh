#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What goes wrong around the installed service, and what it makes of it (numbers are those of the acceptance
# tests): a bpffs that is missing or somebody else's, pins that go under traffic, a processor with no time
# left. Runs inside of a machine that one may lose, as root, after "./setup --no-start".

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/peer.sh
. "$here/peer.sh"

show() { # PROPERTY
	systemctl show --property="$1" --value ebpf-fw
}

configure() { # KEY=VALUE...
	printf '%s\n' "[Firewall]" "Interfaces=to-peer" "$@" >/etc/ebpf-fw/ebpf-fw.conf
}

# A failed unit is what people and their monitoring look for: not one that is skipped, or tries for ever.
is_failed() {
	show ActiveState
	[ "$(show ActiveState)" = failed ]
}

says() { # PATTERN: since the last start, of whatever success
	journalctl -u ebpf-fw -o cat --no-pager "_SYSTEMD_INVOCATION_ID=$(show InvocationID)" | grep -E "$1"
}

check_refused() { # NAME PATTERN
	check "20: $1: the start fails" fails systemctl start ebpf-fw
	check "20: $1: the unit is failed" wait_until 10 is_failed
	check "20: $1: it says why" wait_until 10 says "$2"
	systemctl reset-failed ebpf-fw
}

check_bpffs() {
	umount /sys/fs/bpf
	check_refused "no bpffs" "not on a bpffs"

	mount -t bpf -o mode=0700 bpf /sys/fs/bpf
	mount -o remount,bind,ro /sys/fs/bpf
	check_refused "a read-only bpffs" "[Rr]ead-only"
	umount /sys/fs/bpf

	mount -t bpf -o mode=1777 bpf /sys/fs/bpf
	setpriv --reuid=65534 --regid=65534 --clear-groups mkdir /sys/fs/bpf/fw
	check_refused "a bpffs for all, and a pin directory of nobody's" "belongs to another user"
	check "20: that one is left as it was" test "$(stat -c %u /sys/fs/bpf/fw)" = 65534
	umount /sys/fs/bpf

	mount -t bpf -o mode=0700 bpf /sys/fs/bpf
	must "20: with a bpffs of root's it starts" systemctl start ebpf-fw
}

# Without pins fwctl sees nothing; the daemon's records do.
goes_on_dropping() {
	says 'tc ingress: .* dropped [1-9][0-9]* ' | wc -l >"$traffic_dir/n_before"
	wait_until 20 has_more_drops
}

has_more_drops() {
	[ "$(says 'tc ingress: .* dropped [1-9][0-9]* ' | wc -l)" -ge $(($(cat "$traffic_dir/n_before") + 3)) ]
}

check_lost_pins() { # NAME COMMAND...
	local name=$1 pid
	shift

	pid=$(show MainPID)
	traffic_begin
	check "46: $name" "$@"
	check "46: $name: packets go on to be dropped" goes_on_dropping
	check "46: $name: the daemon is the same" test "$(show MainPID)" = "$pid"
	traffic_end
	check "46: $name: none was delivered" is_only_good_received
}

advises() { # TEXT
	{ fwctl lists 2>&1 || true; } | grep -F "$1"
}

# A new start finds its way back, wherever the pins are.
check_recovery() {
	check "46: restart" systemctl restart ebpf-fw
	check "46: loaded again, with all entries" fwctl check $bad4
	check "46: cut off" fails pings $bad4 $host4
}

check_pins() {
	configure StatsIntervalSec=1
	systemctl restart ebpf-fw
	fwctl block $bad4
	check_lost_pins "rm -r of the pin directory" rm -r /sys/fs/bpf/fw
	check "46: the daemon says so" wait_until 20 says "[Cc]annot keep the pins|put them back"
	check_recovery
	# the unit has a mount of its own, where the pins are as they were: it has nothing to say
	check_lost_pins "umount of the bpffs" umount -l /sys/fs/bpf
	check "46: fwctl advises to mount it" advises "mount -t bpf bpf"
	traffic_begin
	kill -STOP "$(show MainPID)" # it would be faster than fwctl
	mount -t bpf -o mode=0700 bpf /sys/fs/bpf
	check "46: the bpffs is mounted again: fwctl says what comes" advises "pins there within seconds"
	kill -CONT "$(show MainPID)"
	check "46: the daemon pins there" wait_until 60 fwctl check $bad4
	check "46: and says so" wait_until 20 says "pinned there what was pinned in the one before"
	check "46: packets go on to be dropped" goes_on_dropping
	traffic_end
	check "46: none was delivered" is_only_good_received
	check "46: the unit has not failed" test "$(show Result)" = success
	check_recovery
}

# A packet that came after the last window is in the next one.
records_add_up() { # USEC SECONDS
	journalctl --sync
	"$here/sum-records.py" "$@"
}

# Every window has its record, and together they are the counters, also across a restart and a kill.
check_cadence() {
	local busy=() start

	systemctl stop ebpf-fw
	fwctl unload
	start=$(date +%s%6N)
	systemctl start ebpf-fw
	for _ in $(nproc) more; do
		sh -c 'while :; do :; done' &
		busy+=($!)
	done
	traffic_begin
	sleep 10
	systemctl restart ebpf-fw
	sleep 5
	systemctl kill --kill-who=main --signal=KILL ebpf-fw
	sleep 10
	traffic_end
	kill "${busy[@]}"
	sleep 3 # for the last window
	check "44: records are on time, and nothing is missing in them" wait_until 10 records_add_up "$start" 1
}

mkdir -p "$traffic_dir"
configure
check_bpffs
peer_add
ip link set to-peer up
must "the peer answers" answers $bad4 $host4
check_pins
check_cadence
tap_end
