#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same without systemd: ./setup starts the daemon as a plain background process.
# Usage: test-plain.sh SOURCE-DIRECTORY

set -euo pipefail
# shellcheck source=tests/system/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/system/tree.sh
. "$(dirname "$0")/tree.sh"
# shellcheck source=tests/system/machine.sh
. "$(dirname "$0")/machine.sh"

daemon_pid() {
	in_machine cat /run/ebpf-fw/ebpf-fwd.pid
}

has_new_daemon() {
	[ "$(daemon_pid)" -ne "$1" ] && in_machine fwctl status --quiet
}

is_unprivileged_refused() {
	local output

	output=$(in_machine setpriv --reuid=65534 --regid=65534 --clear-groups "$clone/setup" 2>&1) && return 1
	printf '%s\n' "$output"
	[ "$(printf '%s\n' "$output" | wc -l)" -eq 1 ]
}

log_has() {
	in_machine grep -q "$1" /var/log/ebpf-fw.log
}

kill_daemon() {
	in_machine sh -c "kill -9 $1"
}

machine_enter "$@"
must "the machine starts" machine_start --as-pid2 sleep infinity
must "its root cgroup is not that of this host" is_root_cgroup_its_own
remember_files
must "a peer is there" add_peer
must "without a firewall the peer's ping passes" peer_pings
check "without root ./setup says so in one line" is_unprivileged_refused

must "./setup installs and starts" setup_in_machine
check "fwctl block" in_machine fwctl block "$peer_address"
check "the ping dies" fails peer_pings
check "the log has a line of the drops" wait_until 15 log_has 'tc ingress: .*dropped [1-9]'

pid=$(daemon_pid)
check "./setup once more" setup_in_machine
check "it is another process" has_new_daemon "$pid"
check "the ping stays dead" fails peer_pings
check "the daemon is killed" kill_daemon "$(daemon_pid)"
check "the ping stays dead after that" fails peer_pings

check "./setup remove" setup_in_machine remove
check "the ping passes without the firewall" peer_pings
check "nothing is left of it" leaves_nothing
check "lists and configuration are in the copy" has_saved_lists
tap_end
