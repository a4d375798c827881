#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 47: a limit on the daemon's memory, as MemoryMax= of the unit sets it, holds for the tables too
# that it makes: it says what did not fit, filters with the rest, and is not killed. How much it takes with a list
# and without depends on kernel and machine, so that is measured first, and the limits are in between.
. "${0%/*}/lib.sh"

N_LINES=400000
N_MORE=20000
N_PART=200000
N_TIMED=10000 # of the list, in another one too and with an end there: what the kernel keeps beside them
N_SMALL=300   # in a list that comes after all that
NO_LIMIT=$((1 << 40))
LEFT=$((4 << 20))      # the daemon leaves 2 MiB, and asks for less than that at a time
SHARES="5 20 40 60 80" # percent of what the list takes beyond that

# Where groups can be made, in whichever hierarchy has the memory controller: sets $parent and the names of their files.
find_controller() {
	controller=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup" && $NF ~ /(^|,)memory(,|$)/) print $5 }' \
		/proc/self/mountinfo | head -n 1)
	if [ -n "$controller" ]; then
		parent=$controller$FW_TEST_CGROUP
		limit=memory.limit_in_bytes usage=memory.usage_in_bytes peak=memory.max_usage_in_bytes
		mkdir "$parent"
	else
		parent=$CGROUP/memory
		limit=memory.max usage=memory.current peak=memory.peak
		mkdir "$parent" && echo +memory >"$CGROUP/cgroup.subtree_control" && echo +memory >"$parent/cgroup.subtree_control"
	fi 2>/dev/null
}

n_groups=0
make_group() {
	n_groups=$((n_groups + 1))
	group=$parent/$n_groups
	mkdir "$group"
	[ -e "$group/$limit" ] && [ -e "$group/$peak" ]
}

remove_group() {
	[ "$n_groups" = 0 ] || rmdir "$group"
}

# fwctl load in a group of its own: 0, or how it failed.
load_in_group() { # LIMIT, in bytes
	make_group || die "no group for memory"
	echo "$1" >"$group/$limit"
	( # the shell is in there too, and says so if somebody is killed
		echo "$BASHPID" >"$group/cgroup.procs"
		fwctl load --force big "$T/part"
	) >"$T/stdout" 2>"$T/stderr"
}

n_restored() {
	fwctl status --json | json "d['entries']['ipv4']['count']"
}

# In a group of its own, so that what another has left behind is not counted.
start_in_group() { # LIMIT, in bytes
	local before

	make_group || die "no group for memory"
	echo "$1" >"$group/$limit"
	: >"$T/log"
	before=$(n_ready)
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		NOTIFY_SOCKET=$T/notify daemon
	) >>"$T/log" 2>&1 &
	DAEMON=$!
	wait_for is_ready_or_dead "$before"
	[ "$(n_ready)" -gt "$before" ]
}

# Whatever is pinned goes too, so that the next start fills everything anew.
end_in_group() {
	stop
	fwctl unload >/dev/null
	remove_group
}

is_between() { # LEAST NUMBER MOST
	[ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}

reloads() { # [KEY=VALUE]...
	local before

	before=$(n_ready)
	reload "$@"
	[ "$(n_ready)" -gt "$before" ]
}

if ! find_controller || ! make_group; then
	echo "1..0 # SKIP no memory controller to be had here, or none that tells the peak"
	trap - EXIT
	exit 0
fi
remove_group
trap 'finish; rmdir "$parent"' EXIT

awk -v n=$N_LINES 'BEGIN { while (i < n) { printf "%d.%d.%d.0/24\n", 1 + i / 65536, i / 256 % 256, i % 256; i++ } }' >"$T/big"

numbers 1 $N_MORE | sed 's/.*/block & --runtime/' >"$T/more"

configure
start_in_group $NO_LIMIT || die "the daemon does not start"
fwctl block $BAD4 >/dev/null
base=$(cat "$group/$peak")
seq $N_SMALL | sed 's/.*/block 2001:db8:1::& -l small/' | quietly fwctl batch -
quietly fwctl list add big
check "a list is loaded without a limit" quietly fwctl load --force big "$T/big"
same "all of it is there" $((N_LINES + 1)) "$(n_restored)"
sed "s/.*/block & -l late --for 1d/; ${N_TIMED}q" "$T/big" | quietly fwctl batch --force -
same "some of it in another list, too" $N_TIMED "$(n_entries late)"
end_in_group
start_in_group $NO_LIMIT || die "the daemon does not start with the list"
all=$(cat "$group/$usage")
note "the daemon takes $((base >> 10)) KiB at most, with the list $((all >> 10))"
end_in_group

for share in $SHARES; do
	name="with memory for $share % of the list"
	check "$name: it starts" start_in_group $((base + LEFT + (all - base - LEFT) * share / 100))
	check "$name: it says which list did not fit, and what to raise" grep -q "'big'.*raise MemoryMax=" "$T/log"
	check "$name: what was put in by hand is there, and some of the list" is_between 2 "$(n_restored)" $N_LINES
	check "$name: what fits is in force" quietly fwctl check 1.0.0.1 --in
	same "$name: so is all of a small list that comes later" $N_SMALL "$(n_entries small)"
	check "$name: there is memory to reload" reloads "Interfaces=h0 h1"
	make_pair h1 p1
	check "$name: there is memory to attach" wait_for is_attached h1
	ip link del h1
	configure
	quietly fwctl batch "$T/more"
	check "$name: there is memory to reload when others have filled its tables" reloads
	check "$name: it is not killed" kill -0 "$DAEMON"
	end_in_group
done

start_in_group $NO_LIMIT || die "the daemon does not start without the limit"
same "without the limit all of it is back" $((N_LINES + 1)) "$(n_restored)"
same "with all that ends" $N_TIMED "$(n_entries late)"
end_in_group

# fwctl itself, where it makes the table: all of the list, in kernel and file, or nothing.
configure
start_in_group $NO_LIMIT || die "the daemon does not start without the limit"
quietly fwctl list del big
quietly fwctl list del late
head -n $N_PART "$T/big" >"$T/part"
quietly fwctl list add big
load_in_group $NO_LIMIT || die "the list cannot be loaded"
most=$(cat "$group/$peak")
rmdir "$group"
note "to load $N_PART lines fwctl takes $((most >> 10)) KiB at most"
n_refused=0
for percent in 30 50 60 70 80 90 95 100; do
	quietly fwctl list del big
	quietly fwctl list add big
	load_in_group $((most * percent / 100))
	status=$?
	rmdir "$group"
	n=$(n_entries big)
	same "a load with $percent % of its memory: kernel and file agree (status $status)" "$n" \
		"$(grep -c '^[0-9]' "$T/state/lists/big.list")"
	if [ $status = 0 ]; then
		same "a load with $percent % of its memory: all of it" $N_PART "$n"
	else
		same "a load with $percent % of its memory: none of it" 0 "$n"
		n_refused=$((n_refused + (status == 5)))
	fi
done
check "it was refused, and not killed, at some" test $n_refused -gt 0
stop
