#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Interfaces=auto: what it chooses, that it does not forget what it chose, and that it says what it lets go of.
. "${0%/*}/lib.sh"

without_ipv6 # which would give each interface routes of its own

said() { # REGEX: in the journal, since log_mark
	tail -n +$((MARKED_LINE + 1)) "$T/log" | grep -Eq "$1"
}

log_mark() {
	MARKED_LINE=$(wc -l <"$T/log")
}

is_bare() { # DEV
	[ "$(n_attached "$1")" = $'ingress 0\negress 0' ]
}

# The daemon has taken in all events so far: one that comes after them is answered.
settle_events() {
	ip link add mark type veth peer name mark-p
	ip addr add 203.0.113.250/32 dev mark
	wait_for is_attached mark
	ip link del mark
}

# It is attached with an address alone; k0 has none, so that its default route is what it is attached for.
for mechanism in tcx clsact; do
	MECHANISM=$mechanism
	make_pair k0 p-k0
	ip link set k0 up
	start_with Interfaces=auto Hooks=tc TcMechanism=$mechanism
	check "$mechanism: an interface with an address is attached from the start, without a route" is_attached h0
	three_steps "$mechanism: an address and no route" $BAD4 probe_ping $BAD4 $HOST4
	check "$mechanism: one that has neither is not" is_bare k0
	check "$mechanism: nor is loopback" is_bare lo
	ip addr del $HOST4/24 dev h0
	ip addr del $MARK_HOST/24 dev h0
	end_by KILL
	start || die "the daemon does not start again"
	check "$mechanism: killed while the address is away, it stays attached" is_attached h0
	address_pair h0 p0 2>/dev/null # of IPv6, which is off

	ip route add default dev k0
	check "$mechanism: a default route is a reason" wait_for is_attached k0
	[ $mechanism = clsact ] || was=$(link_of "tc_ingress_$(ifindex k0)")
	ip route del default
	settle_events
	check "$mechanism: the route goes, it stays attached" is_attached k0
	for signal in TERM KILL; do
		end_by $signal
		start || die "the daemon does not start again"
		check "$mechanism: ended by $signal while the route is away, it stays attached" is_attached k0
	done
	[ $mechanism = clsact ] || same "by the same link" "$was" "$(link_of "tc_ingress_$(ifindex k0)")"

	# Another configuration: what no word names any more is let go, with the reason.
	log_mark
	reload "Interfaces=auto !k0" Hooks=tc TcMechanism=$mechanism
	check "$mechanism: !k0 lets it go" is_bare k0
	check "$mechanism: with a warning" said "'k0': not filtered any more: Interfaces= leaves it out"
	reload "Interfaces=auto k*" Hooks=tc TcMechanism=$mechanism
	check "$mechanism: a pattern names it" is_attached k0
	stop
	log_mark
	start_with Interfaces=auto Hooks=tc TcMechanism=$mechanism
	if said "'k0': not filtered any more: it has no hardware, no default route and no address"; then
		check "$mechanism: by other words after a restart, it is let go with a warning" is_bare k0
	else
		check "$mechanism: a warning says that it is let go" false
	fi
	check "$mechanism: others are not" is_attached h0

	# Its packets are judged elsewhere: as a port it is let go, whatever it was attached for.
	ip route add default dev k0
	wait_for is_attached k0
	ip route del default
	log_mark
	reload Interfaces=auto "Hooks=cgroup"
	check "$mechanism: no hook of interfaces: let go" is_bare k0
	check "$mechanism: no hook of interfaces: with the reason" said "'k0': not filtered any more: Hooks= has neither tc nor xdp"
	remove
	ip link del k0
done
