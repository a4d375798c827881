#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 96: a clsact qdisc that we have made goes with our filters; one that was there, or that others use, stays.
. "${0%/*}/lib.sh"

# shellcheck disable=SC2034 # is_attached reads it
MECHANISM=clsact
make_pair h1 p1
make_pair h2 p2

qdisc() { # DEV: the kind of what is in the place of clsact
	tc qdisc show dev "$1" | awk '$3 == "ffff:" { print $2 }'
}

qdiscs() {
	echo "h0=$(qdisc h0) h1=$(qdisc h1) h2=$(qdisc h2)"
}

add_foreign_filter() { # DEV [CHAIN]
	[ -e "$T/bpf/filter" ] || "$FOREIGN" program pass "$T/bpf/filter"
	tc filter add dev "$1" ingress pref 50 ${2:+chain "$2"} bpf da object-pinned "$T/bpf/filter" || die "no clsact in this kernel"
}

start_over() {
	start_with TcMechanism=clsact Hooks=tc "Interfaces=h0 h1 h2"
}

says_n_interfaces() { # NUMBER
	tail -n 5 "$T/notified" | grep -q "^STATUS=Filtering on $1 interfaces"
}

# One that was there, one that gets a filter of another tool, and one that is ours alone.
tc qdisc add dev h1 clsact
start_over
add_foreign_filter h2
same "all have clsact" "h0=clsact h1=clsact h2=clsact" "$(qdiscs)"
stop
check "unload" quietly fwctl unload
same "no qdisc remains that we made and nobody uses" "h0= h1=clsact h2=clsact" "$(qdiscs)"
check "nothing of ours is in the bpffs" test ! -e "$PINS"
tc qdisc del dev h1 clsact
tc qdisc del dev h2 clsact

# The daemon is dead, and was started more than once.
start_over
end_by KILL
start_over
end_by KILL
check "unload after a crash" quietly fwctl unload
same "nothing remains after a crash" "h0= h1= h2=" "$(qdiscs)"

# Another tool's filter in another chain, or a chain alone, is a use.
start_over
add_foreign_filter h1 7
tc chain add dev h2 egress chain 3 || die "no chains in this kernel"
stop
check "unload beside chains of others" quietly fwctl unload
same "the qdiscs with chains of others stay" "h0= h1=clsact h2=clsact" "$(qdiscs)"
tc qdisc del dev h1 clsact
tc qdisc del dev h2 clsact

# What a version loaded that left no mark: it is not known whose the qdisc is.
start_over
stop
check "there is a mark for each" test "$(find "$PINS/qdiscs" -mindepth 1 | wc -l)" = 3
rm -r "$PINS/qdiscs"
check "unload without marks" quietly fwctl unload
same "qdiscs without a mark stay" "h0=clsact h1=clsact h2=clsact" "$(qdiscs)"
for dev in h0 h1 h2; do
	tc qdisc del dev $dev clsact
done

# Filters without pins, and the marks are there.
start_over
stop
rm -r "$PINS/progs" && mkdir -m 0700 "$PINS/progs"
check "unload --force" quietly fwctl unload --force
same "unload --force leaves no qdisc of ours" "h0= h1= h2=" "$(qdiscs)"

# An interface is released, or goes to the other mechanism.
tc qdisc add dev h1 clsact
start_over
add_foreign_filter h2
reload TcMechanism=clsact Hooks=tc Interfaces=p0
same "released: ours goes, others' and used ones stay" "h0= h1=clsact h2=clsact" "$(qdiscs)"
tc filter del dev h2 ingress
reload TcMechanism=clsact Hooks=tc "Interfaces=h0 h1 h2"
same "and all have clsact again" "h0=clsact h1=clsact h2=clsact" "$(qdiscs)"
reload TcMechanism=tcx Hooks=tc "Interfaces=h0 h1 h2"
same "tcx instead: the qdisc of ours goes" "h0= h1=clsact" "$(qdiscs | cut -d ' ' -f 1-2)"
remove
tc qdisc del dev h1 clsact
tc qdisc del dev h2 clsact 2>/dev/null

# Another tool has put its own qdisc in the place of ours.
start_over
tc qdisc del dev h0 clsact
tc qdisc add dev h0 clsact 2>/dev/null
check "the filters are back" wait_for is_attached h0
stop
check "unload where a qdisc was exchanged" quietly fwctl unload
note "$(qdiscs)" # the daemon may have been faster with its own
same "what nobody exchanged is gone" "h1= h2=" "$(qdiscs | cut -d ' ' -f 2-3)"
tc qdisc del dev h0 clsact 2>/dev/null

# The interface is deleted, and another one gets its number.
start_over
index=$(ifindex h2)
ip link del h2
check "the deleted one is noticed" wait_for says_n_interfaces 2
same "its mark goes" "" "$(find "$PINS/qdiscs" -name "*_$index")"
stop
ip link add h2 index "$index" type veth peer name p2
tc qdisc add dev h2 clsact
check "unload beside a new interface of the same number" quietly fwctl unload
same "the qdisc of the new one stays" "h0= h1= h2=clsact" "$(qdiscs)"
