#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fwctl is killed at every system call that changes something. Whatever the moment: kernel, file and counts agree
# after the next command, an acknowledged entry is never lost, and a repetition completes what was cut short.
. "${0%/*}/lib.sh"

command -v strace >/dev/null || die "strace is missing: install it"

STEP=9 # of all calls of bpf(): another tenth of them each run, so that all are tried in the end
FIRST=$((1 + RANDOM % STEP))
note "every ${STEP}th call of bpf(), from the ${FIRST}th on"

held() { # LIST: as found by going through the tables
	fwctl show "$1" | awk 'NR > 1' | wc -l
}

# Runs fwctl until its Nth call of one of these. Does it die of it? Else there were fewer.
dies_at() { # CALLS N ARGUMENT...
	local calls=$1 n=$2
	shift 2
	quietly strace -f -o /dev/null -e trace="$calls" -e inject="$calls:signal=KILL:when=$n" \
		"$FWCTL" "$@" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run"
	[ $? -ge 128 ]
}

# What a command has told the caller is in the kernel and in the file.
is_whole() { # TARGET
	fwctl check "$1" --in >/dev/null && fwctl export manual | grep -q "^$1\( \|$\)"
}

is_gone() { # TARGET
	! fwctl check "$1" --in >/dev/null && ! fwctl export manual | grep -q "^$1\( \|$\)"
}

start_with
hold_daemon # it would do what the next command is to do
fwctl block 203.0.113.7 2001:db8:1::/48 >/dev/null

# A single block and unblock. pwrite64 and fsync are those of the list file.
for call in bpf pwrite64 fsync; do
	n_kills=0 kept=yes repeated=yes agreed=yes gone=yes first=1 step=1
	[ $call = bpf ] && first=$FIRST step=$STEP
	for ((n = first; n < 400; n += step)); do
		dies_at $call $n block $BAD4 tcp/7000 || break
		n_kills=$((n_kills + 1))
		is_whole 203.0.113.7 || kept="no, killed at $n"
		quietly fwctl block $BAD4 || repeated="no, killed at $n"
		is_whole $BAD4 || repeated="no, killed at $n"
		[ "$(n_entries manual)" = "$(held manual)" ] || agreed="no, killed at $n"

		dies_at $call $n unblock $BAD4 tcp/7000 || true
		quietly fwctl unblock $BAD4 tcp/7000
		is_gone $BAD4 || gone="no, killed at $n"
		[ "$(n_entries manual)" = "$(held manual)" ] || agreed="no, unblock killed at $n"
	done
	quietly fwctl unblock $BAD4 tcp/7000
	check "block killed at $call: $n_kills moments" test $n_kills -ge 1
	same "block killed at $call: what was there stays" yes "$kept"
	same "block killed at $call: a repetition completes it" yes "$repeated"
	same "block and unblock killed at $call: counts agree after the next command" yes "$agreed"
	same "unblock killed at $call: a repetition completes it" yes "$gone"
done

# In the middle of many: the next command, of whatever list, puts the counts right. Entries come and go without a system
# call, unless the lists that hold one end at different times.
seq 1 100 | sed 's/^/198.18.0./' >"$T/hundred"
seq 1 100 | sed 's/.*/block 198.18.0.& -l brief --for 1d/' | quietly fwctl batch -
for next in "lists" "list add other" "block 203.0.113.200 -l third" "list disable many"; do
	quietly fwctl load many "$T/hundred" --force
	same "a hundred before '$next'" 100 "$(n_entries many)"
	check "flush is killed in the middle, before '$next'" dies_at bpf 120 flush many
	left=$(held many)
	check "it was the middle, before '$next'" test "$left" -gt 0 -a "$left" -lt 100
	# shellcheck disable=SC2086 # several words
	quietly fwctl $next
	same "counts are right after '$next'" "$left" "$(n_entries many)"
	quietly fwctl list enable many
	quietly fwctl list del other
	check "a repeated flush empties it, after '$next'" quietly fwctl flush many
	same "and counts none, after '$next'" "0 0" "$(n_entries many) $(held many)"
done

# And so does the one after it, if the next command is killed while it does that.
quietly fwctl load many "$T/hundred" --force
check "flush is killed in the middle" dies_at bpf 120 flush many
n_kills=0
while [ $n_kills -lt 400 ] && dies_at bpf $((n_kills + 1)) lists; do
	n_kills=$((n_kills + 1))
done
check "lists is killed while it counts anew: $n_kills moments" test $n_kills -ge 20
same "counts are right after the one that lives" "$(held many)" "$(n_entries many)"
quietly fwctl flush many

# A table grows: of the two that there are meanwhile the next change, of whatever kind, leaves the one in use.
n_tables() {
	find "$PINS/maps" -name 'table[46]_*' | wc -l
}

numbers 1 17000 >"$T/long"
# Which of its calls make a map: the kills begin there, and end when the exchange is over.
quietly strace -f -o "$T/calls" -e trace=bpf "$FWCTL" load many "$T/long" --force --pin-dir "$PINS" \
	--state-dir "$T/state" --run-dir "$T/run"
read -r first last < <(awk '/ bpf\(/ { n++ } / bpf\(BPF_MAP_CREATE/ { if (!first) first = n; last = n }
	END { print first + 0, last + 0 }' "$T/calls")
quietly fwctl flush many
note "of its calls of bpf() the ones from $first to $last make maps"
n_kills=0 n_beside=0 is_one=yes agreed=yes
for ((n = first; n < last + 20; n++)); do
	dies_at bpf $n load many "$T/long" --force || break
	n_kills=$((n_kills + 1))
	[ "$(n_tables)" = 2 ] || n_beside=$((n_beside + 1))
	quietly fwctl block 2001:db8:2::1 --runtime
	[ "$(n_tables)" = 2 ] || is_one="no, growth killed at $n"
	[ "$(n_entries many)" = "$(held many)" ] || agreed="no, growth killed at $n"
	quietly fwctl flush many
done
note "growth was killed at $n_kills moments, at $n_beside of them with a table beside the one in use"
check "growth is killed with a table beside the one in use" test $n_beside -gt 0
same "growth killed: the next change leaves one table" yes "$is_one"
same "growth killed: counts are right after the next change" yes "$agreed"
quietly fwctl unblock 2001:db8:2::1 --runtime

# A list is made or not made.
n_kills=0 is_ready=yes
for call in bpf mkdirat renameat fsync; do
	first=1 step=1
	[ $call = bpf ] && first=$FIRST step=$STEP
	for ((n = first; n < 400; n += step)); do
		dies_at $call $n block 203.0.113.201 -l fresh/one || break
		n_kills=$((n_kills + 1))
		quietly fwctl block 203.0.113.201 -l fresh/one || is_ready="no, killed at $call $n"
		[ "$(n_entries fresh/one)" = 1 ] || is_ready="no, killed at $call $n: $(n_entries fresh/one) entries"
		quietly fwctl list del fresh/one
	done
	quietly fwctl list del fresh/one
done
check "the first block of a list killed at $n_kills moments" test $n_kills -ge 10
same "the first block of a list killed: a repetition does it" yes "$is_ready"
before=$(fwctl export | sort)
kill -CONT "$DAEMON"
stop
quietly fwctl unload
start || die "the daemon does not start after kills"
same "after all that a reboot finds the same" "$before" "$(fwctl export | sort)"
