#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# "fwctl block udp/53" with xdp alone: queries to this host are dropped, however they are wrapped, and nothing else;
# on and off while they pour in.
. "${0%/*}/lib.sh"

inside "$TRAFFIC" recv "$T/queries" 53 &
inside "$TRAFFIC" sink 53 &
start_receivers
wait_for test -f "$T/queries"

# A name server elsewhere, which this host asks: what it answers comes from port 53.
peer_begin python3 -c "
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(('::', 53))
while True:
    s.sendto(*s.recvfrom(512))"

is_answered() { # ADDRESS
	python3 -c "
import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout($WAIT_LIMIT)
s.sendto(b'?', (sys.argv[1], 53))
s.recv(512)" "$1" 2>/dev/null
}

queries() { # SOURCE: how many have come
	received "$1" queries
}

wrapped="udp4 udp4-options-4 udp4-options-40 udp4-padded udp4-priority-1 udp4-priority-2 udp4-priority-4 udp6
	udp6-priority-2 udp6-hop-by-hop udp6-options-2 udp6-options-long udp6-atomic"
unwrapped="udp4-vlan udp4-qinq udp4-tags-4" # no socket gets these here, but the counters see them

# Of three queries in such a frame, how many are delivered.
delivered_queries() { # FRAME
	local from=$BAD4 to=$HOST4 before

	case $1 in
	udp6*) from=$BAD6 to=$HOST6 ;;
	esac
	before=$(queries $from)
	peer "$TRAFFIC" frame p0 "$1" $from $to 53 3
	settle || echo "?"
	echo $(($(queries $from) - before))
}

# What sockets here have received; the receiver itself writes its counts down in pauses only.
n_datagrams() {
	awk '$1 == "Udp:" { n = $2 } END { print n }' /proc/net/snmp
}

pours_since() { # N_DATAGRAMS
	[ "$(n_datagrams)" -gt $(($1 + 1000)) ]
}

for mode in native generic; do
	start_with Hooks=xdp XdpMode=$mode
	for frame in $wrapped; do
		same "$mode: query in $frame passes before" 3 "$(delivered_queries "$frame")"
	done

	fwctl block udp/53 >/dev/null
	seen=$(counter xdp ingress dropped)
	for frame in $wrapped; do
		same "$mode: query in $frame is dropped" 0 "$(delivered_queries "$frame")"
	done
	for frame in $unwrapped; do
		delivered_queries "$frame" >/dev/null
	done
	# shellcheck disable=SC2086 # names without spaces
	set -- $wrapped $unwrapped
	same "$mode: each query is counted as dropped, and nothing else" $((3 * $#)) \
		$(($(counter xdp ingress dropped) - seen))

	seen=$(counter xdp ingress dropped)
	for source in $BAD4 $BAD6; do
		[ $source = $BAD4 ] && host=$HOST4 || host=$HOST6
		same "$mode: UDP of $source to another port passes" passes "$(probe_udp $source $host)"
		same "$mode: ping of $source passes" passes "$(probe_ping $source $host)"
		same "$mode: TCP of $source to port 53 passes" ok "$(peer "$TRAFFIC" try tcp $source $host 53)"
		check "$mode: this host gets an answer from the name server $source" is_answered $source
	done
	same "$mode: nothing of that was dropped" "$seen" "$(counter xdp ingress dropped)"

	# While queries pour in.
	fwctl unblock udp/53 >/dev/null
	peer_begin "$TRAFFIC" flood $GOOD4 $HOST4 53 20000 0 >/dev/null
	FLOOD=$!
	for i in 1 2 3; do
		wait_for pours_since "$(n_datagrams)" || note "they do not pour"
		fwctl block udp/53 >/dev/null
		settle
		before=$(queries $GOOD4)
		sleep 0.2
		settle
		same "$mode, $i: blocked while they pour in: none more" "$before" "$(queries $GOOD4)"
		fwctl unblock udp/53 >/dev/null
		check "$mode, $i: and again after unblock" wait_for pours_since "$(n_datagrams)"
	done
	kill $FLOOD
	wait $FLOOD
	remove
done
