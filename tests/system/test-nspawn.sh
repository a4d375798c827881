#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The installed service in a machine of its own: ./setup, stop, kill, restart, reload, ./setup remove.
# Usage: test-nspawn.sh SOURCE-DIRECTORY

set -euo pipefail
# shellcheck source=tests/system/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/system/tree.sh
. "$(dirname "$0")/tree.sh"
# shellcheck source=tests/system/machine.sh
. "$(dirname "$0")/machine.sh"

is_service() {
	[ "$(in_machine systemctl is-active ebpf-fw)" = "$1" ]
}

main_pid() {
	in_machine systemctl show --property=MainPID --value ebpf-fw
}

has_new_main_pid() {
	local pid

	pid=$(main_pid)
	[ "$pid" -ne 0 ] && [ "$pid" -ne "$1" ] && is_service active
}

journal_has_drops() {
	in_machine journalctl -u ebpf-fw -o json --no-pager |
		python3 -c '
import json, sys
records = [json.loads(line) for line in sys.stdin]
sys.exit(not any(r.get("FW_HOOK") == "tc" and int(r.get("FW_DROPPED", 0)) > 0 and r.get("MESSAGE_ID") for r in records))'
}

status_has() {
	in_machine fwctl status --json | python3 -c "import json, sys; s = json.load(sys.stdin); sys.exit(not ($1))"
}

is_config_refused() {
	in_machine sh -c 'cp /etc/ebpf-fw/ebpf-fw.conf /root/conf && echo Nonsense=1 >>/etc/ebpf-fw/ebpf-fw.conf'
	fails in_machine systemctl reload ebpf-fw
}

mend_config() {
	in_machine mv /root/conf /etc/ebpf-fw/ebpf-fw.conf
	in_machine systemctl reload ebpf-fw
}

machine_enter "$@"
machine_cgroup=system.slice # processes are below its root already, so that none may be in it
must "the machine boots" machine_boot
must "its root cgroup is not that of this host" is_root_cgroup_its_own
remember_files
must "a peer is there" add_peer
must "without a firewall the peer's ping passes" peer_pings

must "./setup installs and starts, without a network" setup_in_machine
must "the service is active" is_service active
check "both hooks are attached" status_has '{h["hook"] for h in s["hooks"]} == {"tc", "cgroup"}'
check "./setup once more is harmless" setup_in_machine

check "with nothing listed the ping passes" peer_pings
check "fwctl block" in_machine fwctl block "$peer_address"
check "the ping dies" fails peer_pings
check "the journal has a record of the drops" wait_until 15 journal_has_drops

pid=$(main_pid)
check "the daemon is killed" in_machine systemctl kill --kill-who=main --signal=KILL ebpf-fw
check "the ping stays dead" fails peer_pings
check "systemd starts it again" wait_until 20 has_new_main_pid "$pid"
check "the ping stays dead after that" fails peer_pings

check "a wrong configuration is refused by reload" is_config_refused
check "the service stays active" is_service active
check "a right one is taken" mend_config

check "restart" in_machine systemctl restart ebpf-fw
check "the ping stays dead after restart" fails peer_pings
check "stop" in_machine systemctl stop ebpf-fw
check "the service is inactive" fails is_service active
check "the ping stays dead after stop" fails peer_pings
check "fwctl unblock without the daemon" in_machine fwctl unblock "$peer_address"
check "the ping passes again" peer_pings
check "block, to be restored" in_machine fwctl block "$peer_address"
check "fwctl unload" in_machine fwctl unload
check "the ping passes with nothing loaded" peer_pings
check "start" in_machine systemctl start ebpf-fw
check "the ping dies of what the list file holds" fails peer_pings

check "./setup remove" setup_in_machine remove
check "the ping passes without the firewall" peer_pings
check "nothing is left of it" leaves_nothing
check "lists and configuration are in the copy" has_saved_lists
check "./setup remove once more is harmless" setup_in_machine remove
tap_end
