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

# What a port entry and an address entry reach: loopback, the host, and a container with a namespace of its own.
# The services are a resolver of the host (UDP, port 53 on any address) and one of TCP, port 8000, in both places.
BOX4=203.0.113.2 BOX_HOST4=203.0.113.1 BOX_OTHER4=203.0.113.9
ip netns add box
ip link add k0 type veth peer name c0 netns box
ip addr add $BOX_HOST4/24 dev k0
ip addr add $BOX_OTHER4/24 dev k0
ip link set k0 up
nsenter --net=/run/netns/box -- bash -c "ip link set lo up; ip addr add $BOX4/24 dev c0; ip link set c0 up"
ip -6 addr add fe80::53/64 dev h0 nodad

in_box() { # COMMAND...: in the container, whose processes are below the cgroup as well
	inside nsenter --net=/run/netns/box -- "$@"
}

inside "$TRAFFIC" recv "$T/stub" 53 &
inside "$TRAFFIC" sink 8000 &
in_box "$TRAFFIC" recv "$T/boxed" 53 &
in_box "$TRAFFIC" sink 8000 &
wait_for test -f "$T/stub" -a -f "$T/boxed"

has_received() { # SOURCE FILE N
	[ "$(received "$1" "$2")" -ge "$3" ]
}

# Are 3 packets for port 53 delivered, or is any dropped? On egress the sender is told, and gives up.
asks() { # RUN FILE SOURCE DESTINATION
	local before n_dropped

	before=$(received "$3" "$2") n_dropped=$(dropped_by)
	"$1" "$TRAFFIC" flood "$3" "$4" 53 2000 3 >/dev/null 2>&1
	wait_for is_settled "$3" "$2" $((before + 3)) "$n_dropped"
	[ "$(dropped_by)" = "$n_dropped" ] && echo passes || echo blocked
}

is_settled() { # SOURCE FILE RECEIVED DROPPED
	has_received "$1" "$2" "$3" || [ "$(dropped_by)" -gt "$4" ]
}

connects() { # RUN SOURCE DESTINATION
	case $("$1" "$TRAFFIC" try tcp "$2" "$3" 8000) in
	ok) echo passes ;;
	EINPROGRESS) echo blocked ;;
	*) echo "connect fails" ;;
	esac
}

# Blocked are ports of the host, and nothing else.
check_ports() { # NAME
	same "$1, udp/53 blocked: a stub resolver on 127.0.0.53 answers" passes "$(asks inside stub 127.0.0.1 127.0.0.53)"
	same "$1, udp/53 blocked: one on ::1 answers" passes "$(asks inside stub ::1 ::1)"
	same "$1, udp/53 blocked: one on an address of the host answers the host" passes "$(asks inside stub $HOST4 $HOST4)"
	same "$1, udp/53 blocked: on one of IPv6, too" passes "$(asks inside stub $HOST6 $HOST6)"
	same "$1, udp/53 blocked: a stub resolver in a container answers the container" passes \
		"$(asks in_box boxed 127.0.0.1 127.0.0.53)"
	same "$1, tcp/8000 blocked: 127.0.0.1:8000 answers" passes "$(connects inside 127.0.0.1 127.0.0.1)"
	same "$1, tcp/8000 blocked: on the host's own address it answers the host" passes "$(connects inside $HOST4 $HOST4)"
	same "$1, tcp/8000 blocked: a container's 127.0.0.1:8000 answers the container" passes \
		"$(connects in_box 127.0.0.1 127.0.0.1)"
}


for hooks in "tc cgroup" cgroup; do
	start_with "Hooks=$hooks"
	fwctl block udp/53 tcp/8000 >/dev/null
	check_ports "Hooks=$hooks"
	same "Hooks=$hooks, tcp/8000 blocked: a container's port 8000 answers the host" passes \
		"$(connects inside $BOX_HOST4 $BOX4)"
	same "Hooks=$hooks, udp/53 blocked: a container's resolver answers the host" passes \
		"$(asks inside boxed $BOX_HOST4 $BOX4)"
	same "Hooks=$hooks, udp/53 blocked: the host's port is closed to the container" blocked \
		"$(asks in_box stub $BOX4 $BOX_HOST4)"
	same "Hooks=$hooks: nothing to note of ports" None "$(fwctl status --json | json "d['cgroup_ports']")"
	fwctl unblock udp/53 tcp/8000 >/dev/null
	same "Hooks=$hooks: an address passes into a container" passes "$(asks inside boxed $BOX_OTHER4 $BOX4)"
	fwctl block $BOX_OTHER4 127.0.0.0/8 $HOST4 --force >/dev/null 2>&1
	same "Hooks=$hooks: an address is blocked inside a container" blocked "$(asks inside boxed $BOX_OTHER4 $BOX4)"
	same "Hooks=$hooks: loopback is exempt from addresses, too" passes "$(asks inside stub 127.0.0.1 127.0.0.53)"
	same "Hooks=$hooks: so is the loopback of a container" passes "$(asks in_box boxed 127.0.0.1 127.0.0.53)"
	same "Hooks=$hooks: and what goes to the host's own address" passes "$(asks inside stub $HOST4 $HOST4)"

	reload "Hooks=$hooks" "Interfaces=h0 lo"
	same "Hooks=$hooks, Interfaces= names lo: loopback is judged" blocked "$(asks inside stub 127.0.0.1 127.0.0.53)"
	same "Hooks=$hooks, Interfaces= names lo: in a container, too" blocked "$(asks in_box boxed 127.0.0.1 127.0.0.53)"
	fwctl unblock 127.0.0.0/8 >/dev/null
	fwctl block udp/53 --force >/dev/null
	same "Hooks=$hooks, Interfaces= names lo: ports are judged there" blocked "$(asks inside stub 127.0.0.1 127.0.0.53)"
	same "Hooks=$hooks, Interfaces= names lo: those of a container are not" passes \
		"$(asks in_box boxed 127.0.0.1 127.0.0.53)"
	reload "Hooks=$hooks"
	same "Hooks=$hooks, Interfaces= names lo no more: it is exempt again" passes \
		"$(asks inside stub 127.0.0.1 127.0.0.53)"
	remove
done

# A kernel that does not tell cgroup programs the namespace leaves ports to tc, where there is tc. This one is made to
# seem so; the machines of kernel-* are.
start_untold() { # [KEY=VALUE]...
	local before

	configure "$@"
	before=$(n_ready)
	NOTIFY_SOCKET=$T/notify strace -o /dev/null -e trace=getsockopt -e inject=getsockopt:error=ENOPROTOOPT \
		"$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >>"$T/log" 2>&1 &
	wait_for ready_more_than "$before"
	DAEMON=$(cat "$T/run/ebpf-fwd.pid")
}

ready_more_than() { # N
	[ "$(n_ready)" -gt "$1" ]
}

notes_ports() { # TEXT
	fwctl status | grep -q "^cgroup ports .*$1" && grep -q "Cgroup.*: ports.*$1" "$T/log" &&
		grep -q "^note *attached *cgroup: .*$1" <(fwctl doctor)
}

if command -v strace >/dev/null; then
	: >"$T/log"
	start_untold "Hooks=tc cgroup"
	check "namespaces not told, tc: status, doctor and the log say who judges ports" notes_ports "left to tc and xdp"
	fwctl block udp/53 tcp/8000 >/dev/null
	check_ports "namespaces not told, tc"
	same "namespaces not told, tc: a container's port 8000 answers the host" passes "$(connects inside $BOX_HOST4 $BOX4)"
	fwctl block udp/$PORT >/dev/null
	same "namespaces not told, tc: the host's port is closed" 0 "$(delivered $GOOD4 $HOST4 5)"
	same "namespaces not told, tc: check names tc" "tc" \
		"$(fwctl check udp/$PORT --in --json | json "' '.join(h['hook'] for h in d['directions'][0]['hooks'])")"
	reload Hooks=cgroup
	check "namespaces not told, cgroup alone: all say so" notes_ports "judged in every network namespace"
	same "namespaces not told, cgroup alone: the host's port is closed" 0 "$(delivered $GOOD4 $HOST4 5)"
	check_ports "namespaces not told, cgroup alone"
	same "namespaces not told, cgroup alone: so is a container's" blocked "$(asks inside boxed $BOX_HOST4 $BOX4)"
	end_daemon
	fwctl unload >/dev/null
	rm -rf "$T/state" && mkdir "$T/state"
fi

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

# The first mount of cgroup2 is one of a part of the groups, then one that another mount hides: the next one is taken.
mkdir "$T/part" "$T/whole" "$CGROUP/part"
mount --bind "$CGROUP/part" "$T/part"
mount --bind "$CGROUP2" "$T/whole"
for hidden in no yes; do
	[ $hidden = no ] || mount --bind "$T/whole" "$T/part"
	[ $hidden = no ] || mount -t tmpfs none "$T/part"
	[ $hidden = yes ] || umount -l "$CGROUP2"
	: >"$T/log"
	start_with Hooks=cgroup
	check "a part of the groups is mounted first, hidden: $hidden: the log says which mount is taken" \
		grep -q "Cgroup '$FW_TEST_CGROUP': filtering, below '$T/whole'" "$T/log"
	same "it is attached" cgroup "$(hooks)"
	three_steps "cgroup" $BAD4 probe_udp $BAD4 $HOST4
	remove
done
umount -l "$T/whole"
umount "$T/part"
umount "$T/part" # what was mounted first, a part, is all that is left
: >"$T/log"
awk '$4 == "/" && / - cgroup2 / { exit 1 }' /proc/self/mountinfo || die "the root cgroup can still be reached"
start_with "Hooks=tc cgroup" Cgroup=/
check "only a part is mounted: the log names it" grep -q "below '$T/part', where only the part '$FW_TEST_CGROUP/part' of all" "$T/log"
check "and so does doctor" eval 'fwctl doctor | grep -q "only the part .$FW_TEST_CGROUP/part. of all cgroups is mounted"'
check "no word of a namespace in that of pid 1" refuse grep -q "blocked for the host, too" "$T/log"
remove
NOTIFY_SOCKET=$T/notify peer_begin "$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >>"$T/log" 2>&1
DAEMON=$!
check "Cgroup=/ in another network namespace: the log warns" wait_for grep -q "Cgroup=/ is every process of the host.*blocked for the host, too" "$T/log"
remove
umount "$T/part"
mount -t cgroup2 none "$CGROUP2"
rmdir "$CGROUP/part"

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
