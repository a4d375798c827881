#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 23 to 27: interfaces that come late, go, come back, are renamed or moved, or come by the hundred.
. "${0%/*}/lib.sh"

N_BURST=200
N_RECREATED=8

start_receivers
ip link del h0

# The neighbour is a bridge here, so that it can send before the wire is there.
peer ip link add br0 address 02:00:00:00:00:02 type bridge
for a in $BAD4/24 $GOOD4/24 $MARK/24 $BAD6/64 $GOOD6/64; do
	peer ip addr add "$a" dev br0
done
peer ip link set br0 up
for a in $HOST4 $MARK_HOST $HOST6; do
	peer ip neigh replace "$a" dev br0 lladdr 02:00:00:00:00:01 nud permanent
done

addresses() { # DEV
	ip addr add $HOST4/24 dev "$1"
	ip addr add $MARK_HOST/24 dev "$1"
	ip addr add $HOST6/64 dev "$1"
}

# A bridge begins to send when the kernel has noticed its port, which may take a second.
plug() { # DEV
	peer ip link set "p-$1" master br0 up
	wait_for bridge_is_up
}

bridge_is_up() {
	peer ip -o link show br0 | grep -q 'state UP'
}

no_pins_of() { # IFINDEX
	[ ! -e "$PINS/links/tc_ingress_$1" ] && [ ! -e "$PINS/links/tc_egress_$1" ]
}

is_bare() { # DEV: no program of ours is on it
	[ "$(n_attached "$1")" = $'ingress 0\negress 0' ]
}

pending() {
	fwctl status | grep -qi "pending.*$1"
}

count_gone() {
	grep -c "'k3': gone" "$T/log"
}

is_more_than() { # NUMBER COMMAND...
	local number=$1
	shift
	[ "$("$@")" -gt "$number" ]
}

for mechanism in tcx clsact; do
	MECHANISM=$mechanism
	start_with "Interfaces=late k*" TcMechanism=$mechanism
	check "$mechanism: an absent interface is pending" pending late
	fwctl block $BAD4 >/dev/null
	peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT 20000 0 >/dev/null
	FLOOD=$!

	make_pair late p-late
	check "$mechanism: attached while it is down" wait_for is_attached late
	addresses late
	ip link set late up
	plug late
	same "$mechanism: the good neighbour gets through" 10 "$(delivered $GOOD4 $HOST4 10)"
	same "$mechanism: none of the flood was delivered" 0 "$(received $BAD4)"
	check "$mechanism: nothing is pending" refuse pending late

	for ((i = 0; i < N_RECREATED; i++)); do
		index=$(ifindex late)
		ip link del late
		[ $mechanism = clsact ] || wait_for no_pins_of "$index" || note "the pins of the deleted one stay"
		ip link add late up address 02:00:00:00:00:01 type veth peer name p-late netns peer
		addresses late
		plug late
		wait_for is_attached late || note "not attached again"
	done
	same "$mechanism: re-created $N_RECREATED times, the good neighbour gets through" 10 "$(delivered $GOOD4 $HOST4 10)"
	same "$mechanism: re-created $N_RECREATED times under a flood, none delivered" 0 "$(received $BAD4)"
	kill $FLOOD
	wait $FLOOD
	ip link del late

	# Renamed while up.
	make_pair k1 p-k1
	addresses k1
	ip link set k1 up
	plug k1
	wait_for is_attached k1
	[ $mechanism = clsact ] || was=$(link_of "tc_ingress_$(ifindex k1)")
	ip link set k1 name k2
	check "$mechanism: renamed, it is still attached" wait_for is_attached k2
	[ $mechanism = clsact ] || same "renamed, its link is the same" "$was" "$(link_of "tc_ingress_$(ifindex k2)")"
	same "$mechanism: renamed, it still blocks" 0 "$(delivered $BAD4 $HOST4 10)"

	# Moved away and back.
	ip netns add elsewhere
	ip link set k2 netns elsewhere
	ip netns exec elsewhere ip link set k2 netns 1
	addresses k2
	ip link set k2 up
	check "$mechanism: moved and back, it is attached" wait_for is_attached k2
	same "$mechanism: moved and back, it blocks" 0 "$(delivered $BAD4 $HOST4 10)"
	same "$mechanism: moved and back, others pass" 10 "$(delivered $GOOD4 $HOST4 10)"

	# Moved and renamed in one step, there and back, the daemon started anew meanwhile.
	[ $mechanism = clsact ] || was=$(link_of "tc_ingress_$(ifindex k2)")
	ip link set k2 netns elsewhere name x2
	stop
	start || die "the daemon does not start with an interface elsewhere"
	ip netns exec elsewhere ip link set x2 netns 1 name k4
	addresses k4
	ip link set k4 up
	check "$mechanism: moved and renamed, it is attached once" wait_for is_attached k4
	[ $mechanism = clsact ] || wait_for test -e "$PINS/links/tc_egress_$(ifindex k4)"
	same "$mechanism: moved and renamed, it blocks" 0 "$(delivered $BAD4 $HOST4 10)"
	same "$mechanism: moved and renamed, others pass" 10 "$(delivered $GOOD4 $HOST4 10)"
	[ $mechanism = clsact ] || same "moved and renamed, its link is the same" "${was% *}" \
		"$(link_of "tc_ingress_$(ifindex k4)" | cut -d' ' -f1)"
	ip link set k4 netns elsewhere name x4
	ip netns exec elsewhere ip link set x4 netns 1 name unwanted
	check "$mechanism: back under a name that nobody wants, it is let go" wait_for is_bare unwanted
	same "$mechanism: and leaves no pin" "" "$(find "$PINS/links" -name 'tc_*')"
	ip link set unwanted name k2
	check "$mechanism: wanted again, it is attached" wait_for is_attached k2

	# Gone, and another one here that has its number: a link tells the number only.
	index=$(ifindex k2)
	ip link set k2 netns elsewhere
	ip link add k5 index "$index" type veth peer name p-k5 netns peer
	check "$mechanism: another interface of the same number is attached" wait_for is_attached k5
	ip link del k5
	ip -n elsewhere link set k2 netns 1
	check "$mechanism: and the first when it is back" wait_for is_attached k2

	# The namespace of the other end is destroyed, and the interface with it.
	ip link add k3 type veth peer name x3 netns elsewhere
	wait_for is_attached k3
	index=$(ifindex k3)
	before=$(count_gone)
	ip netns del elsewhere
	check "$mechanism: gone with a namespace, its pins go" wait_for no_pins_of "$index"
	check "$mechanism: the daemon lives" kill -0 $DAEMON
	wait_for is_more_than "$before" count_gone
	same "$mechanism: said once that it is gone" 1 "$(($(count_gone) - before))"
	ip link del k2
	remove
done

# Without the cgroup hook there is a gap at tc: from the moment an interface is created up until the daemon has
# answered its event. It is counted in packets of a steady flood.
start_with "Interfaces=late" Hooks=tc
MECHANISM=tcx
fwctl block $BAD4 >/dev/null
peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT 20000 0 >/dev/null
FLOOD=$!
for i in 1 2 3; do
	before=$(received $BAD4)
	ip link add late up address 02:00:00:00:00:01 type veth peer name p-late netns peer
	addresses late
	plug late
	wait_for is_attached late || note "not attached"
	settle
	gap=$((($(received $BAD4) - before) / 20))
	note "created up: $gap ms open at tc"
	check "created up with tc alone: the gap is short" test $gap -le 500 # 50 where nothing else runs
	after=$(received $BAD4)
	settle
	same "created up with tc alone: then none is delivered" "$after" "$(received $BAD4)"
	ip link del late
done
kill $FLOOD
wait $FLOOD
remove

# A burst while the daemon cannot read: the netlink socket overruns.
all_attached() {
	[ "$(find "$PINS/links" -name 'tc_*' | wc -l)" = $((2 * N_BURST)) ]
}

none_attached() {
	[ "$(find "$PINS/links" -name 'tc_*' | wc -l)" = 0 ]
}

burst() { # add|del
	local i

	for ((i = 0; i < N_BURST; i++)); do
		if [ "$1" = add ]; then echo "link add d$i type veth peer name e$i"; else echo "link del d$i"; fi
	done | ip -batch -
}

start_with "Interfaces=d*" Hooks=tc
kill -STOP $DAEMON
burst add
kill -CONT $DAEMON
check "all of $N_BURST new interfaces are attached" wait_for all_attached
shown=$(fwctl status --json | json "'\n'.join(f\"{h['hook']} {h['direction']} {h['where'][1:]}\" for h in d['hooks'])")
same "and shown in order" "$(sort -s -k 1,2 -k 3n <<<"$shown")" "$shown"
kill -STOP $DAEMON
burst del
kill -CONT $DAEMON
check "the pins of all of them go" wait_for none_attached
