#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What people do with the installed service, and what must hold then, on whatever kernel and systemd this
# runs. Inside of a machine that one may lose, as root, after "./setup --no-start", in this order:
#
#   scenario.sh service      enable, block, reload, restart, kill, stop; then reboot
#   scenario.sh reboot       what is filtered from the first packet on; then cut the power
#   scenario.sh power-cut    what was acknowledged last; unload, ./setup remove
#
# "scenario.sh link" is run by a unit at each of the two boots. Lines "# fact: NAME VALUE" are for the table.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/peer.sh
. "$here/peer.sh"
# shellcheck source=tests/system/service.sh
. "$here/service.sh"
# shellcheck source=tests/system/tunnels.sh
. "$here/tunnels.sh"

clone=$(cd "$here/../.." && pwd)
config=/etc/ebpf-fw/ebpf-fw.conf
saved=/var/lib/fw-scenario

configure() { # KEY=VALUE...
	{ echo "[Firewall]"; echo "Interfaces=auto to-peer"; printf '%s\n' "$@"; } >$config
}

reload_takes() { # SECONDS
	configure "StatsIntervalSec=$1"
	systemctl reload ebpf-fw && wait_until 30 journal_says "total [0-9]+.*\($1 s\)"
}

wrong_config_is_refused() {
	local pid

	pid=$(show ebpf-fw MainPID)
	echo "Nonsense=1" >>$config
	fails systemctl reload ebpf-fw && is_active && [ "$(show ebpf-fw MainPID)" = "$pid" ]
}

kill_service() {
	local pid

	pid=$(show ebpf-fw MainPID)
	systemctl kill --kill-who=main --signal=KILL ebpf-fw
	wait_until 300 has_new_pid "$pid"
}

# A unit as early as one may be that is about the network: it opens the link to a peer that is sending.
install_first_link() {
	cat >/etc/systemd/system/fw-first-link.service <<-END
		[Unit]
		DefaultDependencies=no
		Wants=network-pre.target
		After=network-pre.target
		Before=network.target
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart="$here/scenario.sh" link
		[Install]
		WantedBy=multi-user.target
	END
	mkdir -p /etc/systemd/network
	printf '[Match]\nName=eth0\n[Network]\nAddress=198.51.100.1/24\n' >/etc/systemd/network/10-eth0.network
	systemctl daemon-reload
	systemctl enable fw-first-link systemd-networkd
}

open_link() {
	peer_add
	peer_know
	traffic_begin
	sleep 1 # the peer sends against a closed door
	ip link set to-peer up
}

# Entries of all kinds, some of which are not to come back.
make_entries() {
	printf '198.51.100.%s\n' {1..200} >$saved/feed &&
		fwctl block 203.0.113.0/24 2001:db8:1::/48 tcp/8000-8100 --comment "for the reboot" &&
		fwctl block 198.51.100.77 --for 1d &&
		fwctl allow 203.0.113.9 &&
		fwctl list add feed/test &&
		fwctl load feed/test $saved/feed &&
		fwctl export >$saved/export &&
		fwctl block 198.51.100.220 --runtime &&
		fwctl block 198.51.100.221 --for 2s
}

# An export without the ban that ends, now or a little later: a container is back in less than 2 s. The other
# ends are kept to a third of a second, and written in whole ones.
entries_that_stay() {
	grep -v '^198\.51\.100\.221 ' | sed 's/until=[0-9]*/until/' | sort
}

has_all_entries() {
	diff <(entries_that_stay <$saved/export) <(fwctl export | entries_that_stay)
}

active_since() { # UNIT
	show "$1" ActiveEnterTimestampMonotonic
}

# Microseconds since the kernel's start, as systemd keeps them.
is_before_network() {
	local firewall first_link networkd target

	firewall=$(active_since ebpf-fw)
	target=$(active_since network-pre.target)
	first_link=$(show fw-first-link ExecMainStartTimestampMonotonic)
	networkd=$(show systemd-networkd ExecMainStartTimestampMonotonic)
	echo "firewall $firewall, network-pre $target, first link $first_link, networkd $networkd"
	[ "$firewall" -gt 0 ] && [ "$firewall" -le "$target" ] && [ "$firewall" -lt "$first_link" ] &&
		[ "$firewall" -lt "$networkd" ]
}

check_boot() {
	check "active after boot" wait_until 180 is_active
	check "filtering before whatever is about the network" is_before_network
	check "packets came as soon as there was a link" wait_until 120 dropped_more_than 500
	traffic_end
	check "none of them was delivered" is_only_good_received
	if [ -e /sys/class/net/eth0 ]; then
		check "eth0 is filtered" wait_until 10 is_filtered eth0
	fi
	check "to-peer is filtered" wait_until 10 is_filtered to-peer
	fails has_own_kernel || fact boot "$(($(active_since ebpf-fw) / 1000)) ms from the kernel's start to filtering"
}

unload_leaves_nothing() {
	fwctl unload && [ ! -e /sys/fs/bpf/fw/meta ] && has_no_filters || return 1
	fails has_own_kernel || wait_until 10 has_no_programs
}

remove_leaves_nothing() {
	"$clone/setup" remove && fails grep -r . /sys/fs/bpf/fw 2>/dev/null && fails systemctl cat ebpf-fw
	fails grep . <(find / -xdev \( -path /srv -o -path /proc -o -path "$saved" -o -path /var/log/journal \) -prune \
		-o \( -name '*ebpf-fw*' -o -name 'fwctl*' \) -print)
}

# With udp/53 blocked: is it open where it is no port of the host, and closed where it is?
blocked_port_is_the_hosts() {
	local boxed=$traffic_dir/boxed stub=$traffic_dir/stub pids before

	rm -f "$boxed" "$stub"
	"$traffic" recv "$stub" 53 &
	pids=$!
	nsenter --net=/run/netns/peer -- "$traffic" recv "$boxed" 53 &
	pids="$pids $!"
	wait_until 10 test -e "$boxed" -a -e "$stub"
	before=$(dropped_by_tc)
	"$traffic" flood 127.0.0.1 127.0.0.53 53 100 3
	peer "$traffic" flood 127.0.0.1 127.0.0.53 53 100 3
	"$traffic" flood $host4 $good4 53 100 3
	peer "$traffic" flood $good4 $host4 53 100 3
	wait_until 10 grep -q "^127.0.0.1 3" "$stub" && wait_until 10 grep -q "^127.0.0.1 3" "$boxed" &&
		wait_until 10 grep -q "^$host4 3" "$boxed" && wait_until 10 dropped_more_than $((before + 2)) &&
		fails grep "^$good4" "$stub"
	set -- $?
	kill $pids
	return "$1"
}

# Who judges ports is noted where the kernel does not tell cgroup programs the network namespace, and nowhere else.
ports_are_noted() {
	if fwctl doctor | grep "lacks network namespaces told"; then
		fwctl status | grep "^cgroup ports .*left to tc" && journal_says "ports are left to tc"
	else
		fails grep "^cgroup ports" <(fwctl status)
	fi
}

has_xdp() { # DEV
	fwctl status | grep -q "^xdp  *ingress  *$1 "
}

# A bond takes an interface at once, although it has a program, and the program is there again. Not where there is no bond.
bond_takes_a_port() {
	ip link add fwbond type bond mode active-backup || return 0
	configure "Hooks=xdp tc cgroup"
	systemctl reload ebpf-fw && ip link add fwport type veth peer name fwport-p &&
		ip addr add 203.0.113.121/30 dev fwport && ip link set fwport-p up && ip link set fwport up &&
		wait_until 60 has_xdp fwport && wait_until 60 is_filtered fwbond && ip addr flush dev fwport &&
		ip link set fwport down && ip link set fwport master fwbond && ip link set fwbond up &&
		wait_until 60 has_xdp fwport && fails has_xdp fwbond
	set -- $?
	ip link del fwport
	ip link del fwbond
	configure
	systemctl reload ebpf-fw && return "$1"
}

have_come() { # PACKETS
	[ "$(cat /sys/class/net/to-peer/statistics/rx_packets)" -ge "$1" ]
}

phase_service() {
	mkdir -p $saved
	peer_add
	ip link set to-peer up
	must "without a firewall both addresses of the peer answer" answers $bad4 $host4
	traffic_begin
	check "packets come from the peer" wait_until 30 have_come 200
	traffic_end
	check "packets of both are delivered" is_everything_received

	configure
	must "systemctl enable --now" systemctl enable --now ebpf-fw
	check "active" is_active
	check "READY has come, with a status" grep -q Filtering <(show ebpf-fw StatusText)
	check "to-peer is filtered" is_filtered to-peer
	check "the root cgroup is filtered" is_filtered /
	check "systemd-analyze verify has nothing to say" is_unit_verified
	check "its exposure is at most 1.5" systemd-analyze security --threshold=15 ebpf-fw
	fails has_own_kernel || check "systemd has mounted the bpffs for root alone" is_bpffs_private
	check "its capabilities are those of the unit" has_unit_capabilities
	check "the object loads with them, within bounds" verify_within_bounds
	print_facts

	check "with nothing listed both answer" pings $bad4 $host4
	check "fwctl block" fwctl block $bad4 $bad6
	check "the blocked one is cut off" fails pings $bad4 $host4
	check "so is its IPv6 address" fails pings $bad6 $host6
	check "the other is not" pings $good4 $host4
	check "nor is its IPv6 address" answers $good6 $host6
	check "fwctl block of a port" fwctl block udp/53
	check "it is the host's, not that of loopback or a container" blocked_port_is_the_hosts
	check "who judges ports is noted where it has to be" ports_are_noted
	check "fwctl unblock" fwctl unblock udp/53

	configure Hooks=tc Strict=yes
	check "reload leaves it to tc" systemctl reload ebpf-fw
	check_tunnels
	configure
	check "reload brings the cgroup hook back" systemctl reload ebpf-fw
	check "a bond takes an interface that has xdp" bond_takes_a_port

	check "the journal has records every 5 seconds" wait_until 40 has_window_records 5

	check "reload takes another configuration" reload_takes 2
	check "reload refuses a wrong one" wrong_config_is_refused
	configure
	check "reload takes the first again" systemctl reload ebpf-fw
	check_under_traffic "restart" systemctl restart ebpf-fw
	check_programs restart
	check_under_traffic "kill, and systemd's restart" kill_service
	check_programs "the kill"
	check_under_traffic "stop" systemctl stop ebpf-fw
	check "inactive" fails is_active
	check "fwctl works without the daemon" fwctl check $bad4
	check "start" systemctl start ebpf-fw
	check "still cut off" fails pings $bad4 $host4

	check "entries for the reboot" make_entries
	check "a link that comes up as early as it may" install_first_link
}

phase_reboot() {
	check_boot
	check "all durable entries are there, and no other" has_all_entries
	check "a ban of 2 seconds is over" wait_until 10 fails fwctl check 198.51.100.221
	check "one entry more" fwctl block 198.51.100.222
	printf '198.51.100.%s\n' {50..250} >$saved/feed
	check "another load" fwctl load feed/test $saved/feed
	fwctl export >$saved/export
	sync -f $saved/export # of ours, and of nothing that the firewall has written
	check "the last entry before the power is cut" fwctl block 198.51.100.223
}

phase_power_cut() {
	check_boot
	check "what was acknowledged last is there" fwctl check 198.51.100.223
	check "it can be taken out" fwctl unblock 198.51.100.223
	check "all else is there" has_all_entries
	check "stop" systemctl stop ebpf-fw
	check "unload leaves nothing" unload_leaves_nothing
	check "nobody is cut off" pings $bad4 $host4
	check "start" systemctl start ebpf-fw
	check "./setup remove leaves nothing" remove_leaves_nothing
	fails has_own_kernel || check "no program is left" wait_until 10 has_no_programs
	check "nobody is cut off" pings $bad4 $host4
}

end() {
	if [ "$n_failed" -gt 0 ]; then
		journalctl -u ebpf-fw --no-pager --lines=60 | sed 's/^/# journal: /'
	fi
	tap_end
}

case ${1:-} in
link)
	open_link
	exit
	;;
service | reboot) "phase_$1" ;;
power-cut) phase_power_cut ;;
*)
	echo "usage: scenario.sh service|reboot|power-cut" >&2
	exit 2
	;;
esac
end
