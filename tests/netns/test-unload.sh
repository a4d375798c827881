#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 8 and 28 to 30: what is ours goes, what is others' stays and runs, before us and behind us.
. "${0%/*}/lib.sh"

without_ipv6
start_receivers


foreign_count() {
	"$FOREIGN" count "$T/bpf/$1"
}

add_foreign_filters() {
	local d

	tc qdisc add dev h0 clsact
	for d in ingress egress; do
		"$FOREIGN" program pass "$T/bpf/filter_$d"
		tc filter add dev h0 $d pref 50 bpf da object-pinned "$T/bpf/filter_$d" || die "no clsact in this kernel"
	done
}

sees() { # COMMAND... of a count: does it grow by a ping from the good neighbour?
	local before

	before=$("$@")
	quietly probe_ping $GOOD4 $HOST4
	[ "$("$@")" -gt "$before" ]
}

for mechanism in tcx clsact; do
	add_foreign_filters
	"$FOREIGN" tcx h0 ingress pass "$T/bpf/early" || die "no tcx in this kernel"
	start_with TcMechanism=$mechanism
	"$FOREIGN" tcx h0 ingress pass "$T/bpf/late"

	check "$mechanism: a clsact filter still sees ingress" sees foreign_count filter_ingress
	check "$mechanism: a clsact filter still sees egress" sees foreign_count filter_egress
	check "$mechanism: a tcx program attached before us still runs" sees foreign_count early
	check "$mechanism: a tcx program attached behind us still runs" sees foreign_count late

	fwctl block $BAD4 >/dev/null
	late=$(foreign_count late)
	same "$mechanism: blocked beside the others" 0 "$(delivered $BAD4 $HOST4 10)"
	if [ $mechanism = tcx ]; then
		same "$mechanism: what we drop does not reach those behind" $((late + 1)) "$(foreign_count late)"
	fi

	stop
	fwctl unload >/dev/null
	same "$mechanism: unload leaves no pin" "" "$(find "$PINS" -mindepth 1 -type f 2>/dev/null)"
	same "$mechanism: unload leaves the two tcx programs of others" 2 "$("$FOREIGN" attached h0 ingress)"
	same "$mechanism: unload leaves no filter of ours" "" \
		"$(for d in ingress egress; do tc filter show dev h0 $d; done | grep fw_)"
	same "$mechanism: not blocked any more" 10 "$(delivered $BAD4 $HOST4 10)"
	check "$mechanism: the others' clsact filter survives" sees foreign_count filter_ingress
	check "$mechanism: the others' tcx program survives" sees foreign_count late
	fwctl status --quiet
	same "$mechanism: status says not loaded" 3 $?

	rm -f "$T"/bpf/early* "$T"/bpf/late* "$T"/bpf/filter_*
	tc qdisc del dev h0 clsact
done

# Somebody else's drop behind us still works: we never say "OK" for others.
start_with
"$FOREIGN" tcx h0 ingress drop "$T/bpf/dropper"
same "a drop program behind us still drops" blocked "$(WAIT_LIMIT=$UNCOUNTED_LIMIT probe_ping $GOOD4 $HOST4)"
rm -f "$T"/bpf/dropper*
check "and its end lets pass again" wait_for passes probe_ping $GOOD4 $HOST4
remove

# A third party takes our filter away: it is back within one window.
start_with TcMechanism=clsact StatsIntervalSec=1
MECHANISM=clsact
fwctl block $BAD4 >/dev/null
tc qdisc del dev h0 clsact
check "a deleted qdisc is made again" wait_for is_attached h0
same "and blocks again" 0 "$(delivered $BAD4 $HOST4 10)"
tc filter del dev h0 ingress
check "deleted filters are made again" wait_for is_attached h0
same "and block again" 0 "$(delivered $BAD4 $HOST4 10)"
remove

start_with TcMechanism=tcx Hooks=tc
fwctl block $BAD4 >/dev/null
tc qdisc replace dev h0 clsact
tc qdisc del dev h0 clsact
same "tcx does not care about the qdisc" 0 "$(delivered $BAD4 $HOST4 10)"
