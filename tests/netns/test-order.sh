#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody else's program or filter that ends the chain: ours comes before it, or it is said that packets are not
# judged. Each answer of status, doctor and check is compared with packets.
NEEDS=python3
. "${0%/*}/lib.sh"

without_ipv6
start_receivers

position() { # DIRECTION: "POSITION of PROGRAMS" of ours at tc of h0
	fwctl status --json 2>/dev/null | json "next(('%s of %s' % (h['position'], h['programs']) for h in d['hooks']
		if (h['hook'], h['where'], h['direction']) == ('tc', 'h0', '$1')), 'none')"
}

is_position() { # DIRECTION TEXT
	[ "$(position "$1")" = "$2" ]
}

doctor_says() { # LEVEL CHECK REGEX
	fwctl doctor --json 2>/dev/null | json "'\n'.join(f['text'] for f in d['findings']
		if (f['level'], f['check']) == ('$1', '$2'))" | grep -Eq "$3"
}

status_of() { # VERB [ARGUMENT]...
	fwctl "$@" >/dev/null 2>&1
	echo $?
}

programs() { # DIRECTION: the numbers of the programs of ours at tc of h0
	fwctl status --json 2>/dev/null | json "[h['program'] for h in d['hooks']
		if (h['hook'], h['where'], h['direction']) == ('tc', 'h0', '$1')]"
}

below_has() { # N: packets of the good neighbour
	[ "$(received $GOOD4 received_below)" = "$1" ]
}

exchange_qdisc() { # the daemon may be faster, and make clsact again
	tc qdisc del dev h0 clsact && quietly tc qdisc add dev h0 ingress
}

log_has() { # REGEX
	grep -Eq "$1" "$T/log"
}

clean() {
	rm -f "$T"/bpf/foreign*
	tc qdisc del dev h0 clsact 2>/dev/null
	tc qdisc del dev h0 ingress 2>/dev/null
	: >"$T/log"
}

# A program that was there first, and lets all pass: ours comes before it.
"$FOREIGN" tcx h0 ingress accept "$T/bpf/foreign_a" || die "no tcx in this kernel"
"$FOREIGN" tcx h0 ingress pass "$T/bpf/foreign_b"
start_with Hooks=tc
fwctl block $BAD4 >/dev/null
same "attached after an accepting program: ours is first" "1 of 3" "$(position ingress)"
same "and the other way" "1 of 1" "$(position egress)"
same "nothing of a blocked source arrives" 0 "$(delivered $BAD4 $HOST4 10)"
same "the others still see what passes" 5 "$(delivered $GOOD4 $HOST4 5)"
check "as the accepting one has counted" test "$("$FOREIGN" count "$T/bpf/foreign_a")" -ge 5
same "status -q" 0 "$(status_of status -q)"
check "status shows the position" grep -Eq "^tc +ingress +h0 .* 1 of 3" <(fwctl status)
check "doctor: the other runs after ours" doctor_says note others "tcx ingress on h0: program [0-9]+ 'foreign', which runs after ours"

# One that comes later and before ours: the place is taken back once, without a gap.
peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT 20000 0 >"$T/flooded"
FLOOD=$!
wait_for dropped_more_than "$(dropped)"
link=$(link_of "tc_ingress_$(ifindex h0)") program=$(programs ingress)
"$FOREIGN" tcx-first h0 ingress pass "$T/bpf/foreign_first"
check "a program attached before ours: ours takes the place back" wait_for is_position ingress "1 of 4"
check "the journal has it" wait_for log_has "program [0-9]+ ran before ours at tc ingress, ours is first again"
flood_end
same "meanwhile nothing of a blocked source has arrived" 0 "$(received $BAD4)"
same "by a new link" no "$([ "$link" = "$(link_of "tc_ingress_$(ifindex h0)")" ] && echo yes || echo no)"
same "of the same program" "$program" "$(programs ingress)"
same "with one link of ours" 4 "$("$FOREIGN" attached h0 ingress)"
check "that is pinned" test -e "$PINS/links/tc_ingress_$(ifindex h0)"
check "doctor has nothing against it" refuse doctor_says problem others .

# A second time it is left, and said.
"$FOREIGN" tcx-first h0 ingress accept "$T/bpf/foreign_again"
check "again: the journal warns" wait_for log_has "program [0-9]+ runs before ours at tc ingress"
same "status shows it" "2 of 5" "$(position ingress)"
same "as a packet does" 5 "$(delivered $BAD4 $HOST4 5)"
same "status -q" 1 "$(status_of status -q)"
check "doctor: a problem" doctor_says problem others "tcx ingress on h0: program [0-9]+ 'foreign', which runs before ours"
fwctl check $BAD4 --in --json >"$T/checked"
same "check names it" "[('tc', 'h0', True)]" \
	"$(json "[(b['hook'], b['where'], b['program'] > 0) for b in d['directions'][0]['before']]" <"$T/checked")"
check "and says what that means" grep -q "program [0-9]* 'foreign' at tc ingress of h0 may have decided first" "$T/checked"
fwctl check $BAD4 --out --json >"$T/checked"
same "not of the other direction" "[]" "$(json "d['directions'][0]['before']" <"$T/checked")"
reload Hooks=tc
check "a reload takes the place back once more" wait_for is_position ingress "1 of 5"
same "and blocks" 0 "$(delivered $BAD4 $HOST4 5)"
stop
"$FOREIGN" tcx-first h0 ingress accept "$T/bpf/foreign_third"
same "without the daemon it stays" "2 of 6" "$(position ingress)"
: >"$T/log"
start || die "the daemon does not start"
same "a start takes it back" "1 of 6" "$(position ingress)"
same "and blocks" 0 "$(delivered $BAD4 $HOST4 5)"

# Somebody gives our link another program: it is not ours any more, and is put right.
"$FOREIGN" update "$PINS/links/tc_ingress_$(ifindex h0)" accept
check "a link of ours with another program is put right" wait_for log_has "our programs were detached, attached them again"
same "and blocks" 0 "$(delivered $BAD4 $HOST4 5)"
remove
clean

# clsact: filters of others at a small priority.
MECHANISM=clsact
tc qdisc add dev h0 clsact
"$FOREIGN" program accept "$T/bpf/foreign_filter"
tc filter add dev h0 ingress pref 10 protocol all bpf da object-pinned "$T/bpf/foreign_filter" || die "no cls_bpf"
start_with Hooks=tc TcMechanism=clsact
fwctl block $BAD4 >/dev/null
same "clsact: ours comes before an accepting filter" 0 "$(delivered $BAD4 $HOST4 5)"
same "and says so" "1 of 2" "$(position ingress)"
check "doctor: the other runs after ours" doctor_says note others "clsact ingress on h0: a filter of kind bpf.* at priority 10, which runs after ours"
tc filter del dev h0 ingress pref 1
check "a filter that was removed comes back" wait_for is_attached h0
remove
clean

# Another kind has the first priority: ours is the second best, and it is said.
tc qdisc add dev h0 clsact
tc filter add dev h0 ingress pref 1 protocol ip u32 match u32 0 0 classid 1:1 || die "no cls_u32"
start_with Hooks=tc TcMechanism=clsact
fwctl block $BAD4 >/dev/null
same "the first priority has filters of another kind" "2 of 2" "$(position ingress)"
same "which end the chain" 5 "$(delivered $BAD4 $HOST4 5)"
check "doctor: a problem" doctor_says problem others "a filter of kind u32 at priority 1, which runs before ours"
check "the journal warns" log_has "the u32 filter at priority 1 runs before ours at tc ingress"
same "status -q" 1 "$(status_of status -q)"
tc filter del dev h0 ingress pref 1
same "it goes: ours judges" 0 "$(delivered $BAD4 $HOST4 5)"
check "the journal says so" wait_for log_has "our program is the first at tc ingress again"
stop
# As a version before has left it.
same "a filter at the priority of a version before" "[66]" \
	"$(tc -j filter show dev h0 ingress | json "sorted({f['pref'] for f in d})")"
start || die "the daemon does not start"
same "is replaced" "[1]" "$(tc -j filter show dev h0 ingress | json "sorted({f['pref'] for f in d})")"
same "and blocks" 0 "$(delivered $BAD4 $HOST4 5)"

# tcx comes before all filters.
"$FOREIGN" tcx h0 ingress accept "$T/bpf/foreign_tcx"
check "clsact, and a tcx program: the journal warns" wait_for log_has "program [0-9]+ runs before ours at tc ingress"
same "the position counts both" "2 of 2" "$(position ingress)"
check "doctor: a problem" doctor_says problem others "tcx ingress on h0: program [0-9]+ 'foreign', which runs before ours"
remove
clean

# A qdisc 'ingress' in the place of clsact: it has no egress.
tc qdisc add dev h0 ingress
start_with Hooks=tc TcMechanism=clsact
fwctl block $BAD4 >/dev/null
same "qdisc ingress: what arrives is judged" 0 "$(delivered $BAD4 $HOST4 5)"
same "by the program of its direction" "1 of 1" "$(position ingress)"
same "what leaves is not, and nobody says that it is" none "$(position egress)"
check "the journal says what to do" log_has "tc qdisc del dev h0 ingress"
check "it does not say that nothing is filtered" refuse log_has "Nothing is filtered"
check "but that it is in one direction" log_has "No interface is filtered in both directions, some are in one, and no cgroup"
check "status has it, too" grep -q "^failed .*tc qdisc del dev h0 ingress" <(fwctl status 2>/dev/null)
check "doctor: a problem" doctor_says problem attached "egress.*qdisc 'ingress'"
check "and a direction that is judged nowhere" doctor_says warning attached "egress is judged nowhere"
same "status -q" 1 "$(status_of status -q)"
fwctl check $BAD4 --out --json >"$T/checked"
same "check: not judged" not-judged "$(json "d['reason']" <"$T/checked")"
tc qdisc del dev h0 ingress
check "it goes: both directions are judged" wait_for is_attached h0
check "by a program each" [ "$(programs ingress)" != "$(programs egress)" ]
same "status -q" 0 "$(status_of status -q)"
same "and blocks" 0 "$(delivered $BAD4 $HOST4 5)"
check "a qdisc ingress cannot come then" refuse quietly tc qdisc add dev h0 ingress
: >"$T/log"
wait_for exchange_qdisc
check "unless clsact is removed: only what is there is shown" wait_for log_has "not filtered: egress"
same "nothing is attached at egress" none "$(position egress)"
fwctl status >/dev/null 2>&1
remove
same "unload leaves none" "" "$(tc filter show dev h0 ingress)"
clean

# xdp: one program is all there is, and what it lets pass comes to tc.
"$FOREIGN" xdp-program pass "$T/bpf/foreign_xdp"
ip link set dev h0 xdpgeneric pinned "$T/bpf/foreign_xdp" || die "no generic xdp"
start_with Hooks="xdp tc"
fwctl block $BAD4 >/dev/null
same "another program at xdp: tc judges what it lets pass" 0 "$(delivered $BAD4 $HOST4 5)"
check "doctor warns of the rest" doctor_says warning others "xdp ingress on h0: program [0-9]+ 'foreign', which runs before ours"
fwctl check $BAD4 --in --json >"$T/checked"
same "check names it" "[('xdp', 'h0')]" "$(json "[(b['hook'], b['where']) for b in d['directions'][0]['before']]" <"$T/checked")"
ip link set dev h0 xdpgeneric off
remove
clean

# cgroup: all programs run, whatever their order and however they were attached below ours.
"$FOREIGN" cgroup "$CGROUP" ingress multi "$T/bpf/foreign_multi" || die "no cgroup programs"
start_with Hooks=cgroup
fwctl block $BAD4 >/dev/null
same "another program on the cgroup, first: ours drops" 0 "$(delivered $BAD4 $HOST4 5)"
same "status shows the position" "2 of 2" "$(fwctl status --json | json "next('%s of %s' % (h['position'], h['programs'])
	for h in d['hooks'] if (h['hook'], h['direction']) == ('cgroup', 'ingress'))")"
check "doctor: a note, for both run" doctor_says note others "cgroup ingress on .*program [0-9]+ 'foreign': both run"
same "status -q" 0 "$(status_of status -q)"
mkdir "$CGROUP/below"
"$FOREIGN" cgroup "$CGROUP/below" ingress override "$T/bpf/foreign_below"
(echo "$BASHPID" >"$CGROUP/below/cgroup.procs" && exec "$TRAFFIC" recv "$T/received_below" 5001) &
wait_for test -f "$T/received_below"
peer "$TRAFFIC" flood $BAD4 $HOST4 5001 2000 5 >/dev/null
peer "$TRAFFIC" flood $GOOD4 $HOST4 5001 2000 5 >/dev/null
check "a program on a cgroup below" wait_for below_has 5
same "does not switch ours off" 0 "$(received $BAD4 received_below)"
kill $!
remove
