#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 67: more interfaces than there are descriptors: by a low soft limit of open files, by a low hard limit, by one
# that is lowered while the daemon runs, and by one that is too low for the daemon itself.
NEEDS=prlimit
. "${0%/*}/lib.sh"

N=60
SOFT=100 HARD=

daemon() {
	ulimit -Sn $SOFT
	[ -z "$HARD" ] || ulimit -Hn $HARD
	exec "$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run"
}

says_n_interfaces() { # NUMBER
	grep '^STATUS=Filtering' "$T/notified" | tail -n 1 | grep -q "on $1 interfaces"
}

says_more_than() { # N TEXT
	[ "$(grep -c "$2" "$T/log")" -gt "$1" ]
}

n_said() { # TEXT
	grep -c "$1" "$T/log"
}

n_rounds() { # of checks and events: each says what is attached
	grep -c '^STATUS=' "$T/notified"
}

made_more_rounds_than() { # N
	[ "$(n_rounds)" -gt "$1" ]
}

# Returns when a check has begun and ended.
wait_for_check() {
	wait_for made_more_rounds_than $(($(n_rounds) + 1))
}

link_ids() { # IFNAME
	link_of "tc_ingress_$(ifindex "$1")"
	link_of "tc_egress_$(ifindex "$1")"
}

has_links() { # IFNAME
	link_ids "$1" >/dev/null 2>&1
}

for ((i = 0; i < N; i++)); do
	echo "link add many$i type veth peer name other$i"
done | ip -batch -

start_with "Interfaces=many*"
check "a low soft limit: all are attached at the start" says_n_interfaces $N
check "a reload succeeds" reload "Interfaces=many* h0"
check "and attaches one more" wait_for says_n_interfaces $((N + 1))
stop
check "a restart succeeds" start
check "with all of them" says_n_interfaces $((N + 1))
remove
same "nothing is said of descriptors" 0 "$(n_said "limit of open files")"

SOFT=150 HARD=150
start_with "Interfaces=many*"
check "a low hard limit: all are attached at the start" says_n_interfaces $N
same "some by their pins alone, which is said" 1 "$(n_said "are held by their pins alone")"
check "a reload succeeds" reload "Interfaces=many* h0"
check "and attaches one more" wait_for says_n_interfaces $((N + 1))
ids=$(for ((i = 0; i < N; i++)); do link_ids many$i; done)
wait_for_check
stop
check "a restart succeeds" start
check "with all of them" says_n_interfaces $((N + 1))
wait_for_check
same "by the same links" "$ids" "$(for ((i = 0; i < N; i++)); do link_ids many$i; done)"
same "of which none was missed" 0 "$(n_said "our programs were detached")"

rm "$PINS/links/tc_ingress_$(ifindex many$((N - 1)))"
check "the only pin of a link is removed: it is attached again" wait_for has_links many$((N - 1))
check "with a warning" wait_for says_more_than 0 "'many$((N - 1))': our programs were detached"
rm "$PINS/links/tc_ingress_$(ifindex h0)"
check "a pin of a link that has a descriptor, too" wait_for has_links h0

ip link set many$((N - 1)) netns peer
check "an interface goes to another network namespace" wait_for says_n_interfaces $N
peer ip link set many$((N - 1)) netns 1
check "and comes back" wait_for says_n_interfaces $((N + 1))

before=$(link_ids h0)
prlimit --pid "$DAEMON" --nofile=100:150
ip link add late0 type veth peer name late1
check "the limit is lowered to what is in use: a reload succeeds" reload "Interfaces=many* late* h0"
check "and attaches two more" wait_for says_n_interfaces $((N + 3))

prlimit --pid "$DAEMON" --nofile=20:150
check "the limit is lowered below what is in use: one line" wait_for says_more_than 0 "No descriptors are left"
kill -HUP "$DAEMON"
check "a reload says why it fails" wait_for says_more_than 0 "Cannot read the configuration .*: Too many open files"
ip link add last0 type veth peer name last1
wait_for says_more_than "$(n_said "all hooks: total")" "all hooks: total"
wait_for says_more_than "$(n_said "all hooks: total")" "all hooks: total"
same "what is attached stays" "$before" "$(link_ids h0)"
same "no interface gets the blame" 0 "$(n_said 'Too many open files, trying again')"
same "that line is not repeated" 1 "$(n_said "No descriptors are left")"
prlimit --pid "$DAEMON" --nofile=150:150
reload "Interfaces=many* late* last* h0"
check "the limit is raised again: interfaces are followed" wait_for says_n_interfaces $((N + 5))
stop

before=$(link_ids h0)
SOFT=100 HARD=100
NOTIFY_SOCKET=$T/notify daemon >>"$T/log" 2>&1 &
wait $!
same "a limit too low for the daemon itself: exit status 2" 2 $?
check "it says how many are needed" says_more_than 0 "The limit of open files is 100, and [0-9]* are needed"
same "what is attached stays" "$before" "$(link_ids h0)"
