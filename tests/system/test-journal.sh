#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A journal that is gone, and one that hangs (acceptance 43): the daemon does not wait for it, and says
# afterwards what was lost. Usage: test-journal.sh SOURCE-DIRECTORY SECONDS-OF-TROUBLE

set -euo pipefail
here=$(dirname "$0")
# shellcheck source=tests/system/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/tree.sh
. "$here/tree.sh"
# shellcheck source=tests/system/machine.sh
. "$here/machine.sh"

journal_units="systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket"
watchdog_sec=5 # less than the trouble lasts, so that waiting would be death

show() { # UNIT PROPERTY
	in_machine systemctl show --property="$2" --value "$1"
}

# Where the watchdog of the daemon has bitten, or it has died, systemd has started another.
is_same_process() {
	[ "$(show ebpf-fw MainPID)" = "$pid" ] && [ "$(show ebpf-fw NRestarts)" = 0 ] &&
		[ "$(show ebpf-fw ActiveState)" = active ]
}

# Statistics go on: the file with the last sample is replaced once a window.
has_new_sample() { # OLD
	[ "$(in_machine stat -c %Y.%i /run/ebpf-fw/stats)" != "$1" ]
}

statistics_go_on() {
	local before

	before=$(in_machine stat -c %Y.%i /run/ebpf-fw/stats)
	wait_until 10 has_new_sample "$before"
}

is_filtered() { # INTERFACE
	in_machine fwctl status --json | grep -q "\"$1\""
}

add_interface() { # NAME
	in_machine sh -c "ip link add $1 type veth peer name $1-peer && ip link set $1 up"
}

# A queue shorter than that of 5.10, so that it fills up while we watch.
prepare() {
	in_machine sh -ec "
		mkdir -p /etc/systemd/system/ebpf-fw.service.d
		printf '[Service]\nWatchdogSec=${watchdog_sec}s\n' >/etc/systemd/system/ebpf-fw.service.d/test.conf
		printf '[Firewall]\nInterfaces=hot*\nStatsIntervalSec=1\n' >/etc/ebpf-fw/ebpf-fw.conf
		echo 5 >/proc/sys/net/unix/max_dgram_qlen
		systemctl daemon-reload
		systemctl enable --now ebpf-fw"
}

journal_has() { # FIELD-OR-PATTERN OF JSON
	in_machine journalctl -u ebpf-fw -o json --no-pager | grep -E "$1"
}

# When the trouble began, all is as before and stays so for as long as it lasts.
check_trouble() { # NAME INTERFACE
	local end=$((SECONDS + seconds))

	check "$1: an interface that comes is filtered" add_interface "$2"
	check "$1: ... at once" wait_until 10 is_filtered "$2"
	check "$1: statistics go on" statistics_go_on
	check "$1: fwctl works" in_machine fwctl block 192.0.2.7
	while [ "$SECONDS" -lt "$end" ]; do
		sleep 1
	done
	check "$1: after $seconds s it is the same process, its watchdog green" is_same_process
	check "$1: statistics still go on" statistics_go_on
}

signal_journal() { # SIGNAL
	in_machine sh -c "kill -$1 $(show systemd-journald MainPID)"
}

machine_enter installed "$@"
seconds=${2:-20}
machine_cgroup=system.slice
must "the machine boots" machine_boot
must "its root cgroup is not that of this host" is_root_cgroup_its_own
must "the service starts" prepare
pid=$(show ebpf-fw MainPID)
must "records arrive" wait_until 10 journal_has '"FW_HOOK":'

# shellcheck disable=SC2086 # several units
check "journald stops" in_machine systemctl stop $journal_units
check_trouble "journald stopped" hot0
# shellcheck disable=SC2086
check "journald starts" in_machine systemctl start $journal_units
check "what was lost is counted and said" wait_until 20 journal_has '"FW_LOST":"[1-9]'
n_said=$(journal_has FW_LOST | wc -l)

check "journald is frozen" signal_journal STOP
check_trouble "journald frozen" hot1
check "journald thaws" signal_journal CONT
says_again() {
	[ "$(journal_has FW_LOST | wc -l)" -gt "$n_said" ]
}
check "what was lost is counted and said again" wait_until 20 says_again
check "it was the same process all the time" is_same_process
tap_end
