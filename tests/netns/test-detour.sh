#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets that a process sends to a blocked address by way of another host, which the IP header names: an IPv4 source
# route, IPv6 segment routing, and a routing header of type 2. tc and cgroup drop them, each alone.
. "${0%/*}/lib.sh"

N=200

dropped_out() { # HOOK
	counter "$1" egress dropped
}

arrived() { # packets at the peer's device, also those that its stack does not want
	peer ip -s -j link show dev p0 | json "d[0]['stats64']['rx']['packets']"
}

are_through() { # HOOK DROPPED ARRIVED: all are dropped or there
	[ $(($(dropped_out "$1") - $2 + $(arrived) - $3)) -ge $N ]
}

# What becomes of N of them, by what the hook counts and what the peer gets, where other packets may be among it.
sends() { # HOOK NAME SOURCE NEXT_HOP
	local n_dropped n_arrived

	n_dropped=$(dropped_out "$1") n_arrived=$(arrived)
	inside "$TRAFFIC" raw "$2" "$3" "$4" $PORT $N
	wait_for are_through "$1" "$n_dropped" "$n_arrived"
	n_dropped=$(($(dropped_out "$1") - n_dropped)) n_arrived=$(($(arrived) - n_arrived))
	if [ $n_dropped = $N ] && [ $n_arrived -lt $((N / 2)) ]; then
		echo blocked
	elif [ $n_dropped = 0 ] && [ $n_arrived -ge $N ]; then
		echo passes
	else
		echo "$n_dropped dropped, $n_arrived arrived"
	fi
}

start_receivers
for hook in tc cgroup; do
	start_with Hooks=$hook
	while read -r name source hop final; do
		three_steps "$hook: $name to $final" $final sends $hook $name $source $hop
		fwctl block $final --in >/dev/null
		same "$hook: $name to $final, blocked for what comes in alone" passes "$(sends $hook $name $source $hop)"
		fwctl block $final --out >/dev/null
		fwctl allow $hop >/dev/null
		same "$hook: $name to $final by an allowed next hop" blocked "$(sends $hook $name $source $hop)"
		fwctl unallow $hop >/dev/null
		fwctl unblock $final >/dev/null
	done <<-END
		udp4-route $HOST4 $GOOD4 192.0.2.200
		udp6-segments $HOST6 $GOOD6 2001:db8:f::9
		udp6-type2 $HOST6 $GOOD6 2001:db8:f::9
	END
	remove
done
