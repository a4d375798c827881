#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 35: bulk TCP in segmented skbs is counted in packets as on the wire.
. "${0%/*}/lib.sh"

BYTES=$((256 * 1024 * 1024))

without_ipv6
start_with Hooks=tc
"$TRAFFIC" sink $PORT &
wait_for grep -q ':1388 .* 0A ' /proc/net/tcp6 || die "no listener"

segments() { # of the peer: OutSegs + RetransSegs, and InSegs: they count segments, not skbs
	peer cat /proc/net/snmp | awk '/^Tcp:/ { if (n++) print $12 + $13, $11 }'
}

field() { # DIRECTION FIELD
	counter tc "$1" "$2"
}

read -r out_before in_before < <(segments)
packets_in=$(field ingress packets) packets_out=$(field egress packets) bytes_in=$(field ingress bytes)
skbs_in=$(cat "$T"/sys/class/net/h0/statistics/rx_packets)
check "the bulk arrives" peer "$TRAFFIC" pour $GOOD4 $HOST4 $PORT $BYTES
settled() {
	read -r out_after in_after < <(segments)
	[ $(($(field ingress packets) - packets_in)) = $((out_after - out_before)) ]
}
wait_for settled
read -r out_after in_after < <(segments)
skbs=$(($(cat "$T"/sys/class/net/h0/statistics/rx_packets) - skbs_in))
packets=$(($(field ingress packets) - packets_in))
note "$packets packets in $skbs skbs"
same "ingress: packets are the segments sent" $((out_after - out_before)) "$packets"
same "egress: packets are the segments received" $((in_after - in_before)) \
	$(($(field egress packets) - packets_out))
check "skbs were segmented" test "$skbs" -lt "$packets"
check "bytes are all there" test $(($(field ingress bytes) - bytes_in)) -ge $BYTES
