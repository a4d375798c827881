#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attached, and not judging: the counters of the interface tell. And what looks like it and is not.
NEEDS=python3
. "${0%/*}/lib.sh"

without_ipv6
start_receivers

doctor_says() { # LEVEL REGEX
	fwctl doctor --json 2>/dev/null | json "'\n'.join(f['text'] for f in d['findings']
		if (f['level'], f['check']) == ('$1', 'unseen'))" | grep -Eq "$2"
}

metric() { # DIRECTION
	fwctl stats --prometheus | sed -n "s/^ebpffw_misses_packets{hook=\"tc\",direction=\"$1\"} //p"
}

log_has() { # REGEX
	grep -Eq "$1" "$T/log"
}

windows_of() { # COUNT [REGEX]: so many end; of these that had packets, if the log line is to say so
	local before

	before=$(grep -Ec "${2:-tc ingress: total}" "$T/log")
	wait_for more_lines_than "$((before + $1 - 1))" "${2:-tc ingress: total}"
}

more_lines_than() { # N REGEX
	[ "$(grep -Ec "$2" "$T/log")" -gt "$1" ]
}

stream_begin() {
	peer_begin "$TRAFFIC" flood $GOOD4 $HOST4 $PORT 2000 0 >"$T/flooded"
	FLOOD=$!
}

stream_end() {
	kill "$FLOOD"
	wait "$FLOOD"
}

start_with Hooks=tc StatsIntervalSec=1 StatsIdle=yes
fwctl block $BAD4 >/dev/null
stream_begin
windows_of 5
check "where all is seen nothing is said" refuse log_has "not judged"
check "doctor has looked" doctor_says ok "no hook misses"
same "the metric" 0 "$(metric ingress)"
same "status -q" 0 "$(fwctl status -q >/dev/null 2>&1; echo $?)"

# The first one that comes before ours is moved after it, the second stays.
"$FOREIGN" tcx-first h0 ingress accept "$T/bpf/foreign_a" || die "no tcx in this kernel"
check "a program that is first: ours takes the place back" wait_for log_has "ours is first again"
"$FOREIGN" tcx-first h0 ingress accept "$T/bpf/foreign_b"
check "a program that ends the chain before ours: the journal says what is missed, and where" \
	wait_for log_has "most packets are not judged: tc ingress sees [0-9]+ of [0-9]+ packets that h0 receives"
check "doctor: a problem" wait_for doctor_says problem "tc ingress sees [0-9]+ of [0-9]+ packets that h0 receives"
check "status says it" grep -q "not judged: tc ingress sees" <(fwctl status 2>&1)
same "status -q" 1 "$(fwctl status -q >/dev/null 2>&1; echo $?)"
same "the metric" "1 0" "$(metric ingress) $(metric egress)"
same "it is said once" 1 "$(grep -c "most packets are not judged" "$T/log")"
stream_end
windows_of 2 "all hooks: total 0"
check "an idle interface is no evidence for either" doctor_says problem "tc ingress sees"
stream_begin
rm "$T/bpf/foreign_b"
check "the program goes: it is taken back" wait_for log_has "tc ingress sees the packets of its interfaces again"
check "by doctor, too" wait_for doctor_says ok "no hook misses"
same "the metric" 0 "$(metric ingress)"

# XDP of others may take away what it likes: tc never gets it, and that is no fault of tc.
"$FOREIGN" xdp-program drop "$T/bpf/foreign_xdp" && ip link set dev h0 xdpgeneric pinned "$T/bpf/foreign_xdp" || die "no xdp"
check "XDP of somebody else drops all" wait_for more_lines_than 0 "all hooks: total 0"
windows_of 5 "all hooks: total 0"
same "that is not missed" 1 "$(grep -c "most packets are not judged" "$T/log")"
ip link set dev h0 xdpgeneric off

# Nor what our own xdp drops.
reload Hooks="xdp tc" StatsIntervalSec=1
fwctl block $GOOD4 >/dev/null
windows_of 5 "xdp ingress: total"
same "what our xdp drops is not missed at tc" 1 "$(grep -c "most packets are not judged" "$T/log")"
fwctl unblock $GOOD4 >/dev/null

# A tag counts on both devices, and each of them has a hook.
if ip link add link h0 name v7 type vlan id 7; then
	peer ip link add link p0 name v7 type vlan id 7
	peer ip addr add 203.0.113.10/24 dev v7
	peer ip link set v7 up
	ip addr add 203.0.113.1/24 dev v7
	reload Hooks=tc Interfaces="h0 v7" StatsIntervalSec=1
	ip link set v7 up
	stream_end
	peer_begin "$TRAFFIC" flood 203.0.113.10 203.0.113.1 $PORT 2000 0 >"$T/flooded"
	FLOOD=$!
	windows_of 5
	same "a VLAN and its device" 1 "$(grep -c "most packets are not judged" "$T/log")"
else
	note "no VLANs in this kernel"
fi

reload Hooks=tc StatsIntervalSec=0
check "without windows nobody compares" refuse test -e "$T/run/unseen"
stream_end
stop
