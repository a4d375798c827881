#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 21, 22, 37 and 38: peers on the cgroup, no cgroup2, what cgroup alone cannot do, and what an
# application sees when its packets are dropped on egress.
. "${0%/*}/lib.sh"

start_receivers

hooks() {
	fwctl status --json | json "' '.join(sorted({h['hook'] for h in d['hooks']}))"
}

try_inside() { # WHAT: towards the blocked neighbour, from within the cgroup
	inside "$TRAFFIC" try "$1" $HOST4 $BAD4 9
}

# The table of what applications see, by hook; the neighbour answers nothing here, so "ok" is "sent".
table() { # HOOK UDP UDP+ERRORS TCP ICMP
	same "$1 passes before" ok "$(try_inside udp)"
	fwctl block $BAD4 --out >/dev/null
	same "$1, UDP: $2" "$2" "$(try_inside udp)"
	same "$1, UDP with IP_RECVERR: $3" "$3" "$(try_inside udp-errors)"
	same "$1, TCP: $4" "$4" "$(try_inside tcp)"
	same "$1, raw ICMP: $5" "$5" "$(try_inside icmp)"
	check "$1: counted" test "$(counter "$1" egress dropped)" -ge 3
	same "$1: the other way is open" 5 "$(delivered $BAD4 $HOST4 5)"
	fwctl unblock $BAD4 >/dev/null
	same "$1 passes again" ok "$(try_inside udp)"
}

# A blocked connect waits for its limit: EINPROGRESS is how connect() says so with a send timeout.
start_with Hooks=tc
table tc ok ENOBUFS EINPROGRESS ok
remove
start_with Hooks=cgroup
table cgroup EPERM EPERM EINPROGRESS EPERM

# The kernel answers echo requests before the cgroup hook: documented, and this is the proof.
fwctl block $BAD4 >/dev/null
same "cgroup alone does not block ping" passes "$(probe_ping $BAD4 $HOST4)"
same "cgroup alone blocks UDP" 0 "$(delivered $BAD4 $HOST4 5)"
remove

# Peers on the cgroup.
for kind in multi override exclusive; do
	: >"$T/log"
	"$FOREIGN" cgroup "$CGROUP" ingress $kind "$T/bpf/peer_$kind" || die "no cgroup programs in this kernel"
	start_with
	if [ $kind = multi ]; then
		same "beside a peer of kind $kind" "cgroup tc" "$(hooks)"
	else
		same "tc goes on with a peer of kind $kind" tc "$(hooks)"
		id=$("$FOREIGN" id "$T/bpf/peer_$kind")
		check "the log names the peer of kind $kind" grep -q "program $id .*holds cgroup.*bpftool prog show id $id" "$T/log"
		check "status names it, too" grep -q "program $id .*holds cgroup" <(fwctl status)
	fi
	three_steps "with a peer of kind $kind" $BAD4 probe_udp $BAD4 $HOST4
	remove
	"$FOREIGN" leave "$CGROUP" ingress "$T/bpf/peer_$kind"
done

# A reload to a cgroup that takes one direction only changes neither.
OTHER=$CGROUP/other
mkdir "$OTHER"
"$FOREIGN" cgroup "$OTHER" egress exclusive "$T/bpf/peer_egress" || die "no cgroup programs in this kernel"
: >"$T/log"
start_with
was="$(link_of cgroup_ingress) $(link_of cgroup_egress)"
fwctl block $BAD4 >/dev/null
configure "Cgroup=$FW_TEST_CGROUP/other"
kill -HUP "$DAEMON"
check "a refused cgroup: the log says which one stays" wait_for grep -q "Cgroup '$FW_TEST_CGROUP' stays" "$T/log"
check "a refused cgroup: the peer's program is named" grep -q "program [0-9]* .*holds cgroup" "$T/log"
same "a refused cgroup: both links are as they were" "$was" "$(link_of cgroup_ingress) $(link_of cgroup_egress)"
check "a refused cgroup: status says why" grep -q 'holds cgroup' <(fwctl status)
same "a refused cgroup: nothing passes" 0 "$(delivered $BAD4 $HOST4 5)"
"$FOREIGN" leave "$OTHER" egress "$T/bpf/peer_egress"
check "when the peer has gone it is attached there" wait_for grep -q "Cgroup '$FW_TEST_CGROUP/other': filtering" "$T/log"
check "by other links" test "$was" != "$(link_of cgroup_ingress) $(link_of cgroup_egress)"
remove
rmdir "$OTHER"

# No such cgroup, and no cgroup2 at all.
: >"$T/log"
configure Cgroup=/no-such-cgroup-here
if start; then
	same "an absent cgroup: tc goes on" tc "$(hooks)"
	check "an absent cgroup: the log names it" grep -q 'no-such-cgroup-here' "$T/log"
	remove
else
	check "an absent cgroup: refused with its name" grep -q 'no-such-cgroup-here' "$T/log"
fi
umount -R /sys/fs/cgroup
: >"$T/log"
start_with
same "without cgroup2: tc goes on" tc "$(hooks)"
check "without cgroup2: the log says so" grep -qi 'cgroup2\? .*not\|no cgroup' "$T/log"
three_steps "without cgroup2" $BAD4 probe_ping $BAD4 $HOST4
