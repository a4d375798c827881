#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 1 and 2: addresses, prefixes and ports over IPv4 and IPv6, with either way of attaching to tc,
# and each hook alone. Counts are exact.
. "${0%/*}/lib.sh"

start_receivers

every_target() { # NAME
	three_steps "$1: IPv4 UDP" $BAD4 probe_udp $BAD4 $HOST4
	three_steps "$1: IPv6 UDP" $BAD6 probe_udp $BAD6 $HOST6
	three_steps "$1: IPv4 prefix" 192.0.2.8/29 probe_udp $BAD4 $HOST4
	three_steps "$1: IPv6 prefix" 2001:db8::10/124 probe_udp $BAD6 $HOST6
	three_steps "$1: range" 192.0.2.9-192.0.2.11 probe_udp $BAD4 $HOST4
	three_steps "$1: port over IPv4" udp/$PORT probe_udp $BAD4 $HOST4
	three_steps "$1: port over IPv6" udp/4000-5000 probe_udp $BAD6 $HOST6
}

exact_counts() { # HOOK
	local dropped packets

	fwctl block $BAD4 >/dev/null
	dropped=$(counter "$1" ingress dropped)
	packets=$(counter "$1" ingress packets)
	same "$1: none of 500 delivered" 0 "$(delivered $BAD4 $HOST4 500)"
	same "$1: 500 sent are 500 dropped" $((dropped + 500)) "$(counter "$1" ingress dropped)"
	same "$1: 500 sent and the mark are 501 packets" $((packets + 501)) "$(counter "$1" ingress packets)"
	same "$1: 500 hits of the entry" 500 \
		"$(fwctl show --json | json "next(e['hits'] for e in d['entries'] if e['target'] == '$BAD4')")"
	same "$1: the neighbour's 100 pass" 100 "$(delivered $GOOD4 $HOST4 100)"
	fwctl unblock $BAD4 >/dev/null
}

for mechanism in tcx clsact; do
	start_with Hooks=tc TcMechanism=$mechanism
	every_target $mechanism
	three_steps "$mechanism: IPv4 ping" $BAD4 probe_ping $BAD4 $HOST4
	three_steps "$mechanism: IPv6 ping" $BAD6 probe_ping $BAD6 $HOST6
	exact_counts tc
	same "status names $mechanism" $mechanism \
		"$(fwctl status --json | json "d['hooks'][0]['mechanism']")"
	remove
done

start_with Hooks=cgroup
every_target cgroup
exact_counts cgroup
remove

start_with
fwctl block udp/4999 >/dev/null
same "a port beside the blocked one passes" passes "$(probe_udp $BAD4 $HOST4)"
fwctl block udp/$PORT >/dev/null
same "a port added while running blocks" blocked "$(probe_udp $BAD4 $HOST4)"
fwctl allow $GOOD4 >/dev/null
same "an allowed address wins over the port" passes "$(probe_udp $GOOD4 $HOST4)"
fwctl unblock udp/$PORT >/dev/null
same "a port removed while running passes" passes "$(probe_udp $BAD4 $HOST4)"
