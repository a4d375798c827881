#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 6 and 7: from one version to another with a different layout, and back, under a flood from a blocked
# source, by both mechanisms; the upgrade is killed at every step, and either version goes on from there. Not one
# packet is delivered, no entry, hit or count is lost or doubled, and nothing is left behind.
#
# OTHER is the directory of the other version's build. STEP=1 tries every call instead of some.
. "${0%/*}/lib.sh"

command -v strace >/dev/null || die "strace is missing: install it"
: "${OTHER:?build directory of another version}"
THIS_EBPF_FWD=$EBPF_FWD THIS_FWCTL=$FWCTL

use() { # this|other
	VERSION=$1
	case $1 in
	this) EBPF_FWD=$THIS_EBPF_FWD FWCTL=$THIS_FWCTL ;;
	other) EBPF_FWD=$OTHER/daemon/ebpf-fwd FWCTL=$OTHER/ctl/fwctl ;;
	esac
}

use_the_one_that_is_not() { # this|other
	if [ "$1" = this ]; then use other; else use this; fi
}

# What must survive: everything but what a flood changes and what time does.
entries() {
	fwctl show --json | json "'\n'.join(sorted(
		f\"{e['target']} {[(l['name'], l['direction'], l['until'] is None) for l in e['lists']]}\" for e in d['entries']))"
	fwctl lists --json | json "[(l['name'], l['action'], l['mode'], l['entries']) for l in d['lists']]"
}

hits() { # TARGET
	fwctl show --json | json "next(e['hits'] for e in d['entries'] if e['target'] == '$1')"
}

pins() {
	(cd "$PINS" && find . | sort | grep -v '_[01]$') # of the slots another may be in use
}

# Sent by the peer and lost on the way, in a queue, before any program could see it.
lost() {
	peer ip -s -j link show p0 | json "d[0]['stats64']['tx']['dropped']"
}

counted_flood_begin() {
	SEEN=$(counter tc ingress dropped) HIT=$(hits $BAD4) LISTED=$(list_dropped manual) LOST=$(lost)
	peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT 20000 0 >"$T/flooded"
	FLOOD=$!
}

# Every packet was counted once: by hook, by list and by entry.
counted_flood_end() { # NAME
	local sent

	kill "$FLOOD"
	wait "$FLOOD"
	settle
	sent=$(($(cat "$T/flooded") - $(lost) + LOST))
	note "$1: $sent packets"
	check "$1: there was a flood" test $sent -gt 10000
	same "$1: dropped and counted at the hook" "$sent" $(($(counter tc ingress dropped) - SEEN))
	same "$1: counted for the list" "$sent" $(($(list_dropped manual) - LISTED))
	same "$1: counted for the entry" "$sent" $(($(hits $BAD4) - HIT))
}

# What holds after each complete start. Only the last thing that is wrong is kept.
is_sound() { # WHEN
	local n_links=4

	[ "$mechanism" = clsact ] && n_links=2
	if [ "$(pins)" != "$PINS_WANTED" ]; then
		SOUND="$1: other pins: $(diff <(pins) <(echo "$PINS_WANTED") | tr '\n' ' ')"
	elif [ "$(entries)" != "$ENTRIES" ]; then
		SOUND="$1: other entries: $(diff <(entries) <(echo "$ENTRIES") | head -n 3)"
	elif [ "$(find "$PINS/links" -type f | wc -l)" != $n_links ]; then
		SOUND="$1: not $n_links links"
	elif ! is_attached h0; then
		SOUND="$1: not attached once"
	fi
}

more_than() { # N FILE: lines
	[ "$(wc -l <"$2")" -gt "$1" ]
}

start_receivers
for mechanism in tcx clsact; do
	# shellcheck disable=SC2034 # is_attached looks for it
	MECHANISM=$mechanism SOUND=yes
	use this
	start_with TcMechanism=$mechanism
	same "$mechanism: passes before" 20 "$(delivered $BAD4 $HOST4 20)"
	seq 1 200 | sed 's/^/198.18.0./' >"$T/feed"
	{
		fwctl block $BAD4 $BAD6 203.0.113.0/24 2001:db8:7::/48 tcp/81 udp/7000-7100
		fwctl list add other mode=audit
		fwctl load other "$T/feed" --force
		fwctl block -l timed 203.0.113.0/24 --for 1d --in
		fwctl block tcp/81 -l timed --for 2h
		fwctl allow 203.0.113.9
		fwctl block --runtime 198.51.100.99
	} >/dev/null
	ENTRIES=$(entries)
	before=$(received $BAD4)
	stop

	# Whole upgrades, there and back.
	counted_flood_begin
	use other
	start || die "$mechanism: the other version does not start"
	PINS_WANTED=$(pins)
	is_sound "first upgrade"
	use this
	fwctl block 203.0.113.77 >"$T/refused" 2>&1
	same "$mechanism: the tool of the version before refuses" 3 $?
	check "$mechanism: and says why" grep -q 'another version' "$T/refused"
	use other
	for _ in 1 2 3; do
		end_daemon
		use_the_one_that_is_not $VERSION
		start || die "$mechanism: version $VERSION does not start"
		is_sound "$mechanism: to $VERSION"
	done
	end_daemon
	counted_flood_end "$mechanism: upgrades there and back"
	same "$mechanism: entries, pins and links are as they were" yes "$SOUND"
	check "$mechanism: runtime entries came along" quietly fwctl check 198.51.100.99 --in

	# Killed, and completed by the same version or by the one before. All calls of one kind under one flood.
	for calls in "rename 13 60" "unlink,rmdir 29 120" "mkdir 5 20" "bpf 251 3000"; do
		read -r call step end <<<"$calls"
		step=${STEP:-$step}
		[ $mechanism = clsact ] && [ -z "${STEP:-}" ] && step=$((step * 2))
		first=$((1 + RANDOM % step)) n_kills=0 SOUND=yes refused=yes
		counted_flood_begin
		for ((n = first; n < end; n += step)); do
			use_the_one_that_is_not $VERSION
			if daemon_dies_at $call $n; then
				n_kills=$((n_kills + 1))
				if compgen -G "$PINS/next-*/meta" >/dev/null; then
					quietly fwctl block 203.0.113.78 && refused="no, killed at $n"
				fi
				[ $((RANDOM % 2)) = 0 ] && use_the_one_that_is_not $VERSION
				start || die "$mechanism: version $VERSION does not start after a kill at $call $n"
			elif [ $n_kills = 0 ] && [ "$n" -gt 1 ]; then
				n=$((n / 2 - step)) # it makes fewer calls than this: an earlier one
			else
				n=$end
			fi
			is_sound "killed at $call $n, completed by $VERSION"
			end_daemon
		done
		counted_flood_end "$mechanism: $n_kills kills at $call"
		check "$mechanism: there were kills at $call" test $n_kills -gt 0
		same "$mechanism: killed at $call: entries, pins and links are as they were" yes "$SOUND"
		same "$mechanism: killed at $call: nothing is written to what an upgrade has left" yes "$refused"
	done
	same "$mechanism: none of all that was delivered" 0 $(($(received $BAD4) - before))
	start || die "the daemon does not start"
	fwctl unblock $BAD4 >/dev/null
	same "$mechanism: passes again" 20 "$(delivered $BAD4 $HOST4 20)"
	remove
	check "$mechanism: nothing is left" refuse test -e "$PINS"
done

# A hundred thousand entries, and commands that go on while version follows version: what was acknowledged is there.
block_on_and_on() {
	local i tool target

	for ((i = 0; ; i++)); do
		target=198.19.$((i / 250)).$((i % 250))
		for tool in "$THIS_FWCTL" "$OTHER/ctl/fwctl"; do
			"$tool" block $target --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" \
				>/dev/null 2>>"$T/refusals" || continue
			echo $target >>"$T/acknowledged"
			break
		done
		[ -e "$T/enough" ] && return
	done
}

use this
start_with
for ((i = 0; i < 100000; i++)); do
	echo 10.$((i / 50000)).$((i / 250 % 200)).$((i % 250))
done >"$T/feed"
fwctl load many "$T/feed" --force >/dev/null 2>&1
head -n 3000 "$T/feed" | sed 's/.*/block & -l brief --for 1d/' | quietly fwctl batch - # more ends than the map begins with
: >"$T/acknowledged"
block_on_and_on &
adder=$!
for _ in 1 2 3 4; do
	end_daemon
	use_the_one_that_is_not $VERSION
	start || die "version $VERSION does not start with 100000 entries"
	seen=$(wc -l <"$T/acknowledged")
	wait_for more_than "$seen" "$T/acknowledged"
done
touch "$T/enough"
wait $adder
note "$(wc -l <"$T/acknowledged") acknowledged, $(wc -l <"$T/refusals") refused: $(sort "$T/refusals" | uniq -c | sort -rn | tr '\n' ';')"
check "with commands going on: some were acknowledged" test "$(wc -l <"$T/acknowledged")" -ge 4
same "with commands going on: each acknowledged entry is there" "" \
	"$(comm -23 <(sort "$T/acknowledged") <(fwctl show manual --json | json "'\n'.join(e['target'] for e in d['entries'])" | sort))"
same "with commands going on: those from before are there" "100000" "$(fwctl lists --json | json "[l['entries'] for l in d['lists'] if l['name'] == 'many'][0]")"
same "with commands going on: each end is that of its list" 3000 "$(fwctl show brief --json | json "sum(
	[(l['name'], l['until'] is None) for l in e['lists']] == [('many', True), ('brief', False)] for e in d['entries'])")"
same "with commands going on: a refusal says why" "" "$(grep -Ev 'another version|upgrade|waiting for the writer lock|^$' "$T/refusals")"
remove

# From pins that cannot be read: without the description of the maps, with one that is not theirs, and where nothing is as
# it should be. The old programs drop until ours have taken their place, which have what the list files say.
unreadable_begin() { # MECHANISM
	# shellcheck disable=SC2034 # is_attached looks for it
	MECHANISM=$1
	start_with TcMechanism="$1"
	{
		fwctl block $BAD4 203.0.113.0/24 tcp/81
		fwctl block -l timed 203.0.113.0/24 --for 1d
		fwctl block --runtime 198.51.100.99
	} >/dev/null
	end_daemon
	use_the_one_that_is_not $VERSION
	peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT 5000 0 >/dev/null
	FLOOD=$!
	before=$(received $BAD4)
}

unreadable_end() { # NAME
	same "$1: each hook has our program once" yes "$(is_attached h0 && echo yes)"
	check "$1: the log says that they cannot be read" grep -q 'the lists are restored from their files' "$T/log"
	kill $FLOOD
	wait $FLOOD
	settle
	same "$1: none was delivered" "$before" "$(received $BAD4)"
	check "$1: durable entries are there" quietly fwctl check 203.0.113.7 --in
	same "$1: with their ends" "[('manual', False), ('timed', True)]" "$(fwctl show --json | json "next([
		(l['name'], l['until'] is not None) for l in e['lists']] for e in d['entries'] if e['target'] == '203.0.113.0/24')")"
	same "$1: what was added with --runtime is not" 3 "$(fwctl show --json | json "len(d['entries'])")"
	check "$1: counters began at zero" test "$(counter tc ingress dropped)" -gt 0
	check "$1: nothing of the old version is left" refuse compgen -G "$PINS/next-*"
	same "$1: and of links" "$([ "$MECHANISM" = tcx ] && echo 4 || echo 2)" "$(find "$PINS/links" -type f | wc -l)"
	fwctl unblock $BAD4 >/dev/null
	same "$1: passes again" 20 "$(delivered $BAD4 $HOST4 20)"
	end_daemon
	remove
	rm -rf "$T/state"
	mkdir "$T/state"
}

for mechanism in tcx clsact; do
	unreadable_begin $mechanism
	rm "$PINS/maps/schema"
	start || die "the daemon does not start without a description"
	unreadable_end "$mechanism: no description"
done

unreadable_begin tcx
rm "$PINS/maps/schema"
mkdir "$T/state/lists/broken.list"
check "a list that cannot be restored: the start fails" refuse start
check "a list that cannot be restored: the old programs go on" is_attached h0
same "a list that cannot be restored: none was delivered" "$before" "$(received $BAD4)"
rm -rf "$T/state/lists"/broken.list*
start || die "the daemon does not start after the list was mended"
unreadable_end "a list that could not be restored"

unreadable_begin tcx
rm "$PINS/maps/lists"
"$FOREIGN" array 12 "$PINS/maps/lists" || die "no array"
start || die "the daemon does not start on other maps"
unreadable_end "a map of another shape"

unreadable_begin tcx
rm "$PINS/maps/schema" "$PINS/meta"
"$FOREIGN" array 12 "$PINS/meta" || die "no array"
start || die "the daemon does not start on another meta"
unreadable_end "another meta"

unreadable_begin tcx
rm "$PINS/maps/schema"
for ((n = 1 + RANDOM % 4; ; n += 4)); do
	daemon_dies_at rename $n || break # and it runs
	n_kills=$n
done
check "no description, killed: there were kills" test $n_kills -gt 8
unreadable_end "no description, killed at every fourth rename"
