#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 47: a limit on the daemon's memory, as MemoryMax= of the unit sets it, holds for the tables too
# that it makes: it says what did not fit, filters with the rest, and is not killed.
. "${0%/*}/lib.sh"

N_LINES=200000
LIMIT=$((24 << 20)) # the daemon and its programs fit, the tables for all of these do not

# A memory cgroup of our own, in whichever hierarchy has the controller; sets $group and $limit_file.
make_group() {
	local v1

	v1=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup" && $NF ~ /(^|,)memory(,|$)/) print $5 }' \
		/proc/self/mountinfo | head -n 1)
	if [ -n "$v1" ]; then
		group=$v1$FW_TEST_CGROUP
		limit_file=$group/memory.limit_in_bytes
	else
		group=$CGROUP/memory
		limit_file=$group/memory.max
		echo +memory >"$CGROUP/cgroup.subtree_control"
	fi 2>/dev/null
	mkdir "$group" 2>/dev/null && [ -e "$limit_file" ]
}

n_entries() {
	fwctl status --json | json "d['entries']['ipv4']['count']"
}

start_limited() {
	local before

	before=$(n_ready)
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		NOTIFY_SOCKET=$T/notify daemon
	) >>"$T/log" 2>&1 &
	DAEMON=$!
	wait_for is_ready_or_dead "$before"
	[ "$(n_ready)" -gt "$before" ]
}

make_group || {
	echo "1..0 # SKIP no memory controller to be had here"
	trap - EXIT
	exit 0
}
trap 'finish; rmdir "$group"' EXIT

awk -v n=$N_LINES 'BEGIN { while (i < n) { printf "%d.%d.%d.0/24\n", 1 + i / 65536, i / 256 % 256, i % 256; i++ } }' >"$T/big"

start_with
fwctl block $BAD4 >/dev/null
quietly fwctl list add big
check "a list is loaded without a limit" quietly fwctl load --force big "$T/big"
same "all of it is there" $((N_LINES + 1)) "$(n_entries)"
stop
fwctl unload >/dev/null

echo $LIMIT >"$limit_file"
: >"$T/log"
check "with a limit it starts all the same" start_limited
check "it says which list did not fit, and what to raise" grep -q "'big'.*raise MemoryMax=" "$T/log"
check "it is not killed" kill -0 "$DAEMON"
check "some entries are there" test "$(n_entries)" -gt 0
check "fewer than in the file" test "$(n_entries)" -le $N_LINES
check "what fits is in force" quietly fwctl check 1.0.0.1 --in
stop
echo -1 >"$limit_file" 2>/dev/null || echo max >"$limit_file"
start || die "the daemon does not start without the limit"
same "without the limit all of it is back" $((N_LINES + 1)) "$(n_entries)"
