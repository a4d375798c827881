# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A peer behind a veth, and traffic from it: two of its addresses send to a receiver without end, one of
# them blocked, the other the proof that packets arrive at all. Sourced by scripts that run inside of the
# system under test, as root.

host4=192.0.2.1 bad4=192.0.2.2 good4=192.0.2.3
host6=2001:db8::1 bad6=2001:db8::2 good6=2001:db8::3
port=5000
rate=5000 # packets in a second from each
if systemd-detect-virt --quiet --vm; then
	rate=200 # an emulated processor has other work, too
fi

traffic=${TRAFFIC:-${BASH_SOURCE[0]%/*}/../../build-tests/tests/netns/traffic}
traffic_dir=/run/fw-scenario

peer() {
	nsenter --net=/run/netns/peer -- "$@"
}

# All but the last step: with the link of the host's end set up, packets flow.
peer_add() {
	mkdir -p "$traffic_dir"
	ip netns add peer
	ip link add to-peer address 02:00:00:00:00:01 type veth peer name to-host address 02:00:00:00:00:02 netns peer
	ip addr add $host4/24 dev to-peer
	ip addr add $host6/64 dev to-peer nodad
	peer ip addr add $bad4/24 dev to-host
	peer ip addr add $good4/24 dev to-host
	peer ip addr add $bad6/64 dev to-host nodad
	peer ip addr add $good6/64 dev to-host nodad
	peer ip link set to-host up
	peer ip link set lo up
}

# So that the first packet does not wait for an answer of ARP.
peer_know() {
	ip neigh replace $good4 dev to-peer lladdr 02:00:00:00:00:02 nud permanent
	ip neigh replace $bad4 dev to-peer lladdr 02:00:00:00:00:02 nud permanent
	peer ip neigh replace $host4 dev to-host lladdr 02:00:00:00:00:01 nud permanent
}

peer_remove() {
	ip netns del peer
	ip link del to-peer 2>/dev/null || true # the other end's namespace takes a while to go
}

pings() { # SOURCE DESTINATION
	peer ping -q -n -c 2 -i 0.2 -W 2 -I "$1" "$2"
}

# Repeated until one gets through, for links and addresses that are just coming up.
answers() { # SOURCE DESTINATION
	for _ in {1..10}; do
		! peer ping -q -n -c 1 -W 1 -I "$1" "$2" || return 0
	done
	return 1
}

traffic_begin() {
	rm -f "$traffic_dir/received"
	"$traffic" recv "$traffic_dir/received" $port &
	traffic_pids=($!)
	wait_until 10 test -e "$traffic_dir/received"
	for source in $bad4 $good4; do
		# not by peer(): the pid would be that of a shell around it
		nsenter --net=/run/netns/peer -- "$traffic" flood $source $host4 $port $rate 0 >/dev/null &
		traffic_pids+=($!)
	done
	echo "${traffic_pids[@]}" >"$traffic_dir/pids"
}

# Stops what a run before may have begun; the receiver goes last, when it has counted all.
traffic_end() {
	local receiver floods

	read -r receiver floods <"$traffic_dir/pids"
	# shellcheck disable=SC2086 # several pids
	kill $floods
	sleep 1 # packets on their way, and the receiver's pause in which it writes its counts down
	kill "$receiver"
}

received() { # SOURCE
	awk -v source="$1" '$1 == source { n = $2 } END { print n + 0 }' "$traffic_dir/received"
}

# What was received is right: nothing of the one, something of the other.
is_only_good_received() {
	echo "received of $bad4: $(received $bad4), of $good4: $(received $good4)"
	[ "$(received $bad4)" -eq 0 ] && [ "$(received $good4)" -gt 0 ]
}

is_everything_received() {
	echo "received of $bad4: $(received $bad4), of $good4: $(received $good4)"
	[ "$(received $bad4)" -gt 0 ] && [ "$(received $good4)" -gt 0 ]
}
