#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 45: bans with an end, while the wall clock jumps a year this way or that and processes live in time
# namespaces of their own. The end is one of the boot clock; what is written down for a reboot is one of the wall clock.
. "${0%/*}/lib.sh"

: "${WALLTIME:?path of walltime.so}"
YEAR=$((365 * 86400))

at() { # OFFSET COMMAND...: with a wall clock that goes that many seconds wrong
	local offset=$1
	shift
	LD_PRELOAD=$WALLTIME WALL_OFFSET=$offset "$@"
}

left() { # TARGET [OFFSET]: seconds until its end, as fwctl says with that wall clock
	at "${2:-0}" fwctl show "$1" --json |
		json "round(d['entries'][0]['lists'][0]['until'] - __import__('time').time() - ${2:-0})"
}

is_about() { # SECONDS FOUND
	[ "$2" -gt $(($1 - 120)) ] && [ "$2" -le $(($1 + 2)) ]
}

is_free() { # TARGET
	! fwctl check "$1" >/dev/null
}

start_at() { # OFFSET: the daemon with that wall clock
	: >"$T/log"
	export LD_PRELOAD=$WALLTIME WALL_OFFSET=$1
	start || die "the daemon does not start"
	unset LD_PRELOAD WALL_OFFSET
}

start_receivers
start_with

now=$(date +%s)
check "the wall clock of the test is the one it means" is_about $((now + YEAR + 100)) "$(at $YEAR date +%s)"
fwctl block 203.0.113.1 --for 1h >/dev/null
check "an hour is an hour" is_about 3600 "$(left 203.0.113.1)"
for offset in $YEAR -$YEAR; do
	check "wall clock $offset s: still blocked" quietly at "$offset" fwctl check 203.0.113.1
	check "wall clock $offset s: an hour is left all the same" is_about 3600 "$(left 203.0.113.1 "$offset")"
	at "$offset" fwctl block 203.0.113.2 --for 2s >/dev/null
	check "wall clock $offset s: two seconds begin" quietly fwctl check 203.0.113.2
	check "wall clock $offset s: and end" wait_for is_free 203.0.113.2
	at "$offset" fwctl block 203.0.113.3 --for 1h >/dev/null
	check "wall clock $offset s: an hour given then is an hour now" is_about 3600 "$(left 203.0.113.3)"
	quietly at "$offset" fwctl unblock 203.0.113.2 203.0.113.3

	# The daemon jumps, too, and starts anew: what is pinned keeps its end, whatever the file says.
	stop
	start_at "$offset"
	check "wall clock $offset s: still blocked by a new daemon" quietly fwctl check 203.0.113.1
	check "wall clock $offset s: with what was left" is_about 3600 "$(left 203.0.113.1)"
	stop
	start || die "the daemon does not start"
done

# Many changes with a clock that is a year ahead write the file anew: what is in force stays in it.
seq 0 2999 | sed 's/^/block 2001:db8:9::/; s/$/ --for 1h/' >"$T/batch"
for _ in 1 2 3; do
	at $YEAR fwctl batch "$T/batch" >/dev/null
	sed 's/^block/unblock/; s/ --for 1h//' "$T/batch" | at $YEAR fwctl batch - >/dev/null
done
check "a file written anew a year ahead keeps what is in force" grep -q '^203.0.113.1 ' "$T/state/lists/manual.list"

# Reboots: the end is that of the wall clock then.
quietly fwctl flush manual
fwctl block 203.0.113.4 --for 1h >/dev/null
fwctl block 203.0.113.5 >/dev/null
reboot_at() { # OFFSET
	stop
	quietly fwctl unload
	start_at "$1"
}
reboot_at 1800
check "rebooted for half an hour: half an hour is left" is_about 1800 "$(left 203.0.113.4 1800)"
reboot_at 7200
check "rebooted for two hours: it has ended" is_free 203.0.113.4
check "rebooted for two hours: what has no end has none" quietly fwctl check 203.0.113.5
reboot_at -$YEAR
check "rebooted with a clock that has lost a year: rather too long than too short" quietly fwctl check 203.0.113.4
stop
quietly fwctl unload
start || die "the daemon does not start"
check "and with the right one again: what is left" is_about 3600 "$(left 203.0.113.4)"

# A clock that is wrong at boot and set later: ends that were read from files are computed again, others stay.
set_clock() { # OFFSET: the wall clock of a daemon that runs
	echo "$1" >"$T/wall.new"
	mv "$T/wall.new" "$T/wall"
}

boot_wrong() { # OFFSET: with a list from before
	stop
	quietly fwctl unload
	rm -rf "$T/state" && mkdir -p "$T/state/lists"
	now=$(date +%s)
	printf '%s\n' "203.0.113.4 until=$((now + 3600))" "203.0.113.5" "203.0.113.6 until=$((now - 60))" \
		"203.0.113.8 until=$((now + 86400)) since=$((now - 100))" "203.0.113.9 until=$((now + 3600))" \
		>"$T/state/lists/manual.list"
	set_clock "$1"
	: >"$T/log"
	export LD_PRELOAD=$WALLTIME WALL_FILE=$T/wall
	start || die "the daemon does not start"
	unset LD_PRELOAD WALL_FILE
}

given_wrong() { # OFFSET ARGUMENT...: fwctl as long as the clock is wrong
	WALL_FILE=$T/wall at "$@" >/dev/null
}

is_corrected() {
	grep -q "The wall clock was set by" "$T/log"
}

check_corrected() { # NAME
	check "$1: what had an hour has it" is_about 3600 "$(left 203.0.113.4)"
	check "$1: what had a day has it" is_about 86400 "$(left 203.0.113.8)"
	check "$1: what has no end has none" quietly fwctl check 203.0.113.5
	check "$1: what had ended has" is_free 203.0.113.6
}

boot_wrong $((100 - $(date +%s)))
check "booted in 1970: blocked, for far too long" test "$(left 203.0.113.4)" -gt $YEAR
given_wrong 0 fwctl block 203.0.113.10 --for 1h
given_wrong 0 fwctl block 203.0.113.9 --for 10m
fwctl unblock 203.0.113.8 --runtime >/dev/null
given_wrong 0 fwctl block 203.0.113.11 --for 2s
check "booted in 1970: a ban of two seconds ends" wait_for is_free 203.0.113.11
set_clock 0
check "the clock is set: the daemon notices" wait_for is_corrected
check "the clock is set: what had an hour has it" is_about 3600 "$(left 203.0.113.4)"
check "the clock is set: what had ended has" wait_for is_free 203.0.113.6
check "the clock is set: a running ban keeps its hour" is_about 3600 "$(left 203.0.113.10)"
check "the clock is set: one that replaced a restored one, too" is_about 600 "$(left 203.0.113.9)"
check "the clock is set: what was taken out stays out" is_free 203.0.113.8
check "the clock is set: a running ban that has ended stays so" is_free 203.0.113.11

# A list that cannot be read when the clock is set is corrected once it can.
boot_wrong $((100 - $(date +%s)))
mv "$T/state/lists/manual.list" "$T/manual.list"
mkdir "$T/state/lists/manual.list"
set_clock 0
check "a list fails when the clock is set: the daemon says so" wait_for grep -q "'manual': cannot compute ends again" "$T/log"
rmdir "$T/state/lists/manual.list"
mv "$T/manual.list" "$T/state/lists/manual.list"
check "a list fails when the clock is set: it is tried again" wait_for grep -q "lists that had failed" "$T/log"
check_corrected "a list fails when the clock is set"
same "a list fails when the clock is set: that is said once" 1 "$(grep -c "cannot compute ends again" "$T/log")"

boot_wrong $YEAR
check "booted a year ahead: the ban is missing" is_free 203.0.113.4
given_wrong 0 fwctl block 203.0.113.10 --for 2s
check "booted a year ahead: a ban of two seconds ends" wait_for is_free 203.0.113.10
set_clock 0
check "the clock is set back: the daemon notices" wait_for is_corrected
check_corrected "the clock is set back"
check "the clock is set back: a running ban that has ended stays so" is_free 203.0.113.10

boot_wrong -$YEAR
end_by KILL
: >"$T/log"
start || die "the daemon does not start again"
check "the clock is set while no daemon runs: the next one notices" is_corrected
check_corrected "the clock is set while no daemon runs"
stop
quietly fwctl unload
rm -rf "$T/state" && mkdir "$T/state"
start || die "the daemon does not start"

# Time namespaces: their boot clock is not the kernel's that ends bans. A container that was moved here has one.
for offset in 100000000 -1000; do
	within() {
		unshare --time --boottime "$offset" --fork -- "$@"
	}
	[ "$offset" -gt 0 ] || [ "$(cut -d. -f1 /proc/uptime)" -gt 1100 ] || continue
	within "$FWCTL" block 203.0.113.6 --for 2s --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >/dev/null
	check "boot clock $offset s: two seconds begin" quietly fwctl check 203.0.113.6
	check "boot clock $offset s: and end" wait_for is_free 203.0.113.6
	fwctl block 203.0.113.7 --for 1h >/dev/null
	found=$(within "$FWCTL" show 203.0.113.7 --json --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" |
		json "round(d['entries'][0]['lists'][0]['until'] - __import__('time').time())")
	check "boot clock $offset s: an hour is an hour" is_about 3600 "$found"
done
