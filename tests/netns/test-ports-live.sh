#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ports change in a long batch while packets come: a blocked address does not reach a port that was unblocked. The batch is
# killed in the middle: packets are judged by what was in place before, the doctor says so, and the daemon completes it.
NEEDS="strace flock python3"
. "${0%/*}/lib.sh"

PORT=7777
STEP=8 # calls of bpf() to the next death: a change reads all 64 lists before it is complete

has_problem() { # CHECK
	fwctl doctor --json | json "[f for f in d['findings'] if (f['level'], f['check']) == ('problem', '$1')]" | grep -q text
}

# Runs a batch until its Nth call of bpf(). Does it die of it?
batch_dies_at() { # N FILE
	quietly strace -f -o /dev/null -e trace=bpf -e inject="bpf:signal=KILL:when=$1" \
		"$FWCTL" batch "$2" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run"
	[ $? -ge 128 ]
}

start_with
without_ipv6
start_receivers
quietly fwctl allow 203.0.113.1
quietly fwctl block $BAD4 udp/7777
same "the port is blocked" blocked "$(probe_udp $GOOD4 $HOST4)"

# 15,000 lines, with which the change of the ports waits for its end
{
	echo "unblock udp/7777"
	echo "allow udp/8888"
	numbers 1 15000 | sed 's/^/block /'
} >"$T/batch"
before=$(received $BAD4)
flood_begin
n=$(dropped)
check "a batch of 15,000 lines" quietly fwctl batch "$T/batch"
n=$(($(dropped) - n))
flood_end
check "packets of the blocked address came meanwhile: $n" test "$n" -gt 100
same "none of them has reached the unblocked port" 0 $(($(received $BAD4) - before))
same "others reach it" passes "$(probe_udp $GOOD4 $HOST4)"
same "the blocked address still does not" blocked "$(probe_udp $BAD4 $HOST4)"

# Killed in the middle
{
	echo "block udp/7777"
	echo "unblock udp/8888"
	echo "block udp/9001"
	echo "unblock udp/9001"
	numbers 15001 15100 | sed 's/^/block /'
} >"$T/killed"
n_kills=0 n_problems=0 leaked=no completed=yes
for ((i = 1; i < 400 && n_problems < 3; i++)); do
	hold_daemon
	batch_dies_at $i "$T/killed" || break
	n_kills=$((n_kills + 1))
	if ! has_problem changes; then
		kill -CONT "$DAEMON"
		i=$((i + STEP))
		continue
	fi
	n_problems=$((n_problems + 1))
	[ "$(delivered $BAD4 $HOST4 3)" = 0 ] || leaked="yes, killed at $i"
	kill -CONT "$DAEMON"
	wait_for refuse has_problem changes || completed="no, killed at $i"
	[ "$(delivered $BAD4 $HOST4 3)" = 0 ] || leaked="yes, killed at $i, after the repair"
	held=no
	fwctl show manual | grep -q "^udp/7777 " && held=yes
	passed=no
	[ "$(delivered $GOOD4 $HOST4 3)" = 3 ] && passed=yes
	[ $held != $passed ] || completed="no, killed at $i: blocked $held, passes $passed"
	i=$((i + 20))
done
kill -CONT "$DAEMON"
check "the batch was killed at $n_kills moments, at $n_problems of them in the middle of the change" test $n_problems = 3
same "the doctor's problem goes within a check of the daemon, and packets are judged as the lists say" yes "$completed"
same "does the blocked address reach the port?" no "$leaked"
check "the daemon says so" grep -q "completed what it had begun" "$T/log"

# And again to the end: nothing is left of the deaths
check "the same batch in whole" quietly fwctl batch "$T/killed"
same "the port is blocked again" blocked "$(probe_udp $GOOD4 $HOST4)"
check "nothing is half done" refuse has_problem changes
