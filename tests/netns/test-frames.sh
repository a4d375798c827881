#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 31 and 36: every frame of the catalogue on the wire. What a socket gets before must not reach it
# from a blocked address, with tc alone and with xdp alone; what a test run cannot produce is here: tags that
# the stack takes off one by one, and non-linear skbs.
. "${0%/*}/lib.sh"

start_receivers
ip link set h0 mtu 9000
peer ip link set p0 mtu 9000

source_of() { # FRAME
	case $1 in
	*6*) case $1 in *0800 | *in-86dd) echo $BAD4 $HOST4 ;; *) echo $BAD6 $HOST6 ;; esac ;;
	*) echo $BAD4 $HOST4 ;;
	esac
}

# Those that a socket receives; the others of the catalogue are for the counters.
deliverable="udp4 udp4-large udp4-padded udp4-options-4 udp4-options-40 udp4-priority-1 udp4-priority-2
	udp4-priority-3 udp4-priority-4 udp6 udp6-priority-2 udp6-hop-by-hop udp6-options-2 udp6-options-long
	udp6-atomic"
others="udp4-vlan udp4-qinq udp4-qinq-priority udp4-tags-4 udp4-tags-5 udp4-snap ihl4 ihl0 length4-short
	version6-in-0800 fragment4-first-8 fragment4-next cut4-options udp6-ah header6-too-long syn6-headers-20"

for setting in "tc TcMechanism=tcx" "tc TcMechanism=clsact" "xdp XdpMode=native" "xdp XdpMode=generic"; do
	mechanism=${setting#*=}
	start_with "Hooks=${setting% *}" "${setting#* }"
	for frame in $deliverable; do
		read -r from to < <(source_of "$frame")
		same "$mechanism: $frame is delivered" 3 "$(delivered_frames "$frame" "$from" "$to" 3)"
	done
	fwctl block $BAD4 $BAD6 >/dev/null
	for frame in $deliverable $others; do
		read -r from to < <(source_of "$frame")
		same "$mechanism: $frame of a blocked source is not" 0 "$(delivered_frames "$frame" "$from" "$to" 3)"
	done
	remove
done

# A blocked port behind headers that only the host follows. What comes from other ports, or has none, passes.
delivered_behind() { # FRAME...: as one packet
	local before frame

	before=$(received $GOOD6)
	for frame in "$@"; do
		peer "$TRAFFIC" frame p0 "$frame" $GOOD6 $HOST6 $PORT 1
	done
	settle || echo "?"
	echo $(($(received $GOOD6) - before))
}

decided() { # HOOK REASON: packets at ingress
	fwctl stats --prometheus | sed -n "s/^ebpffw_decided_packets_total{hook=\"$1\",direction=\"ingress\",reason=\"$2\"} //p"
}

hidden_port="udp6-headers-9 udp6-headers-17 udp6-between,udp6-between-next"
for setting in "tc tcx" "tc clsact" "xdp native" "cgroup"; do
	read -r hook mechanism <<<"$setting"
	start_with "Hooks=$hook" TcMechanism="$([ "$hook" = tc ] && echo "$mechanism" || echo auto)"
	for port in $hidden_port; do
		same "$setting: $port is delivered" 1 "$(delivered_behind ${port//,/ })"
	done
	quietly fwctl block --in udp/$PORT
	for port in $hidden_port; do
		same "$setting: $port to a blocked port is not" 0 "$(delivered_behind ${port//,/ })"
	done
	[ "$hook" = cgroup ] && n=1 || n=2 # it sees no fragments
	same "$setting: what hides the port is counted" "$n" "$(decided "$hook" hidden-port)"
	same "$setting: later fragments pass" 0 "$(peer ping -q -n -c 1 -W 1 -s 20000 -I $GOOD6 $HOST6 >/dev/null; echo $?)"
	quietly fwctl unblock udp/$PORT
	for port in $hidden_port; do
		same "$setting: $port is delivered again" 1 "$(delivered_behind ${port//,/ })"
	done
	remove
done

without_ipv6
start_with Hooks=tc

gain() { # FIELD FRAME: how much the counter gains by 1000 of them
	local before

	before=$(counter tc ingress "$1")
	peer "$TRAFFIC" frame p0 "$2" $BAD4 $HOST4 $PORT 1000
	settle
	echo $(($(counter tc ingress "$1") - before))
}

for blocked in no yes; do
	[ $blocked = no ] || fwctl block $BAD4 >/dev/null
	for frame in syn4 syn4-options syn4-data syn4-priority-2 syn-fin4; do
		same "blocked=$blocked: 1000 $frame are 1000 SYN" 1000 "$(gain syn $frame)"
	done
	for frame in syn-ack4 rst4 ack4 ack4-option-syn fragment4-next fragment4-first-8; do
		same "blocked=$blocked: 1000 $frame are no SYN" 0 "$(gain syn $frame)"
	done
	same "blocked=$blocked: 1000 syn-ack4 are 1000 SYN+ACK" 1000 "$(gain syn_ack syn-ack4)"
	same "blocked=$blocked: 1000 fragment4-first-8 are unparsed" 1000 "$(gain unparsed fragment4-first-8)"
	same "blocked=$blocked: 1000 syn4 and the mark are packets" 1001 "$(gain packets syn4)"
done
same "1000 fragment4-first-8 of a blocked source are dropped" 1000 "$(gain dropped fragment4-first-8)"
same "1000 ihl4 of a blocked source are dropped" 1000 "$(gain dropped ihl4)"

# Strict= takes effect with a reload, in both directions.
send_malformed() { # prints how many the firewall has called malformed since it was loaded
	peer "$TRAFFIC" frame p0 ihl4 $GOOD4 $HOST4 $PORT 3
	settle || echo "?"
	decided tc malformed
}
same "Strict=no: malformed packets are not dropped" 0 "$(send_malformed)"
reload Hooks=tc Strict=yes
same "Strict=yes by a reload: they are" 3 "$(send_malformed)"
reload Hooks=tc Strict=no
same "Strict=no by a reload: they are not again" 3 "$(send_malformed)"
remove
