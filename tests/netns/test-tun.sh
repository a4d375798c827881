#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 32: a tun device carries packets without an Ethernet header.
. "${0%/*}/lib.sh"

[ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } || die "no /dev/net/tun"
start_receivers
mkfifo "$T/tun_input"

open_tun() { # VERB: tun, tun-pi with packet information, or tun-ether with a link type that its owner made up
	"$TRAFFIC" "$1" t0 "$T/tun_output" <"$T/tun_input" &
	exec 7>"$T/tun_input"
	wait_for test -d "$T/sys/class/net/t0"
	ip addr add 203.0.113.1/24 dev t0
	ip addr add 2001:db8:7::1/64 dev t0 nodad
	ip link set t0 up
}

is_closed() {
	[ ! -d "$T/sys/class/net/t0" ]
}

close_tun() {
	exec 7>&-
	wait_for is_closed
	rm -f "$T/tun_output"
}

arrive() { # FRAME SOURCE DESTINATION COUNT
	local before marks

	before=$(received "$2")
	marks=$(received 203.0.113.99)
	echo "$1 $2 $3 $4" >&7
	echo "udp4 203.0.113.99 203.0.113.1 1" >&7 # the last one in, as the mark of settle()
	wait_for mark_arrived $((marks + 1))
	echo $(($(received "$2") - before))
}

mark_arrived() {
	[ "$(received 203.0.113.99)" -ge "$1" ]
}

left_to() { # DESTINATION: UDP packets that came out of the device
	awk -v to="$1" '$1 == to { n = $2 } END { print n + 0 }' "$T/tun_output"
}

has_left_to() {
	[ "$(left_to "$1")" != 0 ]
}

for setting in "tun tcx" "tun clsact" "tun-pi tcx" "tun-ether tcx"; do
	mechanism=${setting#* }
	open_tun "${setting% *}"
	start_with Hooks=tc "Interfaces=t0" TcMechanism=$mechanism Strict=yes
	same "$setting: IPv4 arrives" 5 "$(arrive udp4 203.0.113.10 203.0.113.1 5)"
	same "$setting: IPv6 arrives" 5 "$(arrive udp6 2001:db8:7::10 2001:db8:7::1 5)"

	fwctl block 203.0.113.10 2001:db8:7::10 >/dev/null
	for frame in udp4 udp4-options-40; do
		same "$setting: blocked $frame does not" 0 "$(arrive $frame 203.0.113.10 203.0.113.1 5)"
	done
	for frame in udp6 udp6-options-2 udp6-atomic; do
		same "$setting: blocked $frame does not" 0 "$(arrive $frame 2001:db8:7::10 2001:db8:7::1 5)"
	done
	same "$setting: all are counted" 25 "$(counter tc ingress dropped)"

	"$TRAFFIC" flood 203.0.113.1 203.0.113.10 9 1000 5 >/dev/null
	"$TRAFFIC" flood 203.0.113.1 203.0.113.20 9 1000 5 >/dev/null
	wait_for has_left_to 203.0.113.20
	same "$setting: nothing goes out to the blocked address" 0 "$(left_to 203.0.113.10)"
	same "$setting: 5 are counted on egress" 5 "$(counter tc egress dropped)"

	fwctl unblock 203.0.113.10 2001:db8:7::10 >/dev/null
	same "$setting: IPv4 arrives again" 5 "$(arrive udp4 203.0.113.10 203.0.113.1 5)"
	remove
	close_tun
done
