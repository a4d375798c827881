#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is said to be dropped is dropped: check, status and doctor against packets, for each way in which a hook may
# be missing.
NEEDS=python3
. "${0%/*}/lib.sh"

start_receivers

status_of() { # VERB [OPTION]...
	fwctl "$@" >/dev/null 2>&1
	echo $?
}

# One direction of check: verdict, reason, the hooks that would drop, and what each hook would do.
direction="(lambda x: (x['verdict'], x['reason'], x['hooks'] and [h['hook'] for h in x['hooks']],
	' '.join('%s:%s' % (j['hook'], j['verdict']) for j in x['judged'])))(d['directions'][0])"

check_says() { # NAME EXPECTED STATUS ARGUMENT...
	local name=$1 expected=$2 status=$3
	shift 3
	fwctl check "$@" --json >"$T/checked"
	same "$name: exit status" "$status" $?
	same "$name" "$expected" "$(json "$direction" <"$T/checked")"
}

notes() { # WORDS: of the last check
	json "' '.join(d.get('notes', []))" <"$T/checked" | grep -q "$1"
}

doctor_says() { # LEVEL REGEX
	fwctl doctor --json 2>/dev/null | json "[f['text'] for f in d['findings'] if f['level'] == '$1']" | grep -Eq "$2"
}

sent() { # is UDP to the blocked neighbour seen there?
	local before

	before=$(cat "$T/sys/class/net/h0/statistics/tx_packets")
	"$TRAFFIC" flood $HOST4 $BAD4 $PORT 2000 5 >/dev/null
	echo $(($(cat "$T/sys/class/net/h0/statistics/tx_packets") - before))
}

without_ipv6

# xdp judges what arrives, and nothing else.
start_with Hooks=xdp XdpMode=generic
fwctl block $BAD4 >/dev/null
check_says "xdp alone, ingress: dropped" "('drop', 'address', ['xdp'], 'xdp:drop tc:None cgroup:None')" 0 $BAD4 --in
same "xdp alone: nothing arrives" 0 "$(delivered $BAD4 $HOST4 5)"
same "xdp alone: what is sent leaves" 5 "$(sent)"
check_says "xdp alone, egress: not judged" "('pass', 'not-judged', [], 'cgroup:None tc:None')" 1 $BAD4 --out
check "and says why" notes "egress is not judged"
check "in text, too" grep -q "^egress *pass *not-judged" <(fwctl check $BAD4 --out 2>/dev/null)
fwctl check $BAD4 >/dev/null 2>&1
same "both directions: one drops" 0 $?
same "status -q: one direction is not judged" 1 "$(status_of status -q)"
fwctl status -q >"$T/stdout" 2>"$T/stderr"
check "it says which" grep -q "egress is judged nowhere" "$T/stderr"
same "and prints nothing" "" "$(cat "$T/stdout")"
check "doctor warns" doctor_says warning "egress is judged nowhere"
remove

# No interface is attached, the cgroup hook is: it sees local sockets, and pings pass.
start_with Interfaces=nonexist Hooks="tc cgroup"
fwctl block $BAD4 >/dev/null
check_says "cgroup alone: dropped there" "('drop', 'address', ['cgroup'], 'xdp:None tc:None cgroup:drop')" 0 $BAD4 --in
check "and says what it does not see" notes "ping"
same "as a ping shows" passes "$(probe_ping $BAD4 $HOST4)"
same "and UDP does" 0 "$(delivered $BAD4 $HOST4 5)"
same "status -q: tc is wanted and attached nowhere" 1 "$(status_of status -q)"
remove

# Only an interface that does not exist yet.
start_with Interfaces=nonexist Hooks=tc
fwctl block $BAD4 >/dev/null
check_says "attached nowhere: not judged" "('pass', 'not-judged', [], 'xdp:None tc:None cgroup:None')" 1 $BAD4 --in
same "as a packet shows" 5 "$(delivered $BAD4 $HOST4 5)"
same "status -q: no packet is judged" 3 "$(status_of status -q)"
ip link add nonexist type veth peer name nonexist-p
check "it comes and is attached" wait_for is_attached nonexist
check_says "from then on" "('drop', 'address', ['tc'], 'xdp:None tc:drop cgroup:None')" 0 $BAD4 --in
same "status -q: packets are judged" 0 "$(status_of status -q)"
ip link del nonexist
remove

# Nothing is missing.
start_with
check_says "nothing is blocked" "('pass', 'no-match', None, 'xdp:None tc:pass cgroup:pass')" 1 $BAD4 --in

# An IPv6 address that stands for a blocked IPv4 one is another address, and check says so.
quietly fwctl block 203.0.113.7
check_says "NAT64 of a blocked address passes" "('pass', 'no-match', None, 'xdp:None tc:pass cgroup:pass')" 1 64:ff9b::203.0.113.7 --in
check "and that is said" notes "NAT64 address of 203.0.113.7, which is blocked"
check_says "so does 6to4" "('pass', 'no-match', None, 'xdp:None tc:pass cgroup:pass')" 1 2002:cb00:7107::1 --in
check "and that is said, too" notes "6to4 address of 203.0.113.7, which is blocked"
check_says "that of another address" "('pass', 'no-match', None, 'xdp:None tc:pass cgroup:pass')" 1 64:ff9b::203.0.113.8 --in
check "gives no reason to" refuse notes "NAT64"
quietly fwctl unblock 203.0.113.7
same "status -q: packets are judged" 0 "$(status_of status -q)"
stop
same "status -q: also without the daemon" 0 "$(status_of status -q)"
check_says "without the daemon" "('pass', 'no-match', None, 'cgroup:pass tc:pass')" 1 $BAD4 --out
start || die "the daemon does not start"
remove

start_with Hooks=cgroup
same "status -q: the cgroup hook alone is what was asked for" 0 "$(status_of status -q)"
remove
