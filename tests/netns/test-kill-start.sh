#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 5: a start is killed at calls of each kind that changes something, with nothing loaded and with all of
# it in force under a flood. The next start converges: each hook once, no pin too many, every durable entry in force.
# STEP=1 tries every call.
. "${0%/*}/lib.sh"

command -v strace >/dev/null || die "strace is missing: install it"

pins() {
	(cd "$PINS" && find . | sort | grep -v '_[01]$') # of the slots another may be in use
}

start_receivers
for mechanism in tcx clsact; do
	# shellcheck disable=SC2034 # is_attached looks for it
	MECHANISM=$mechanism
	start_with TcMechanism=$mechanism
	same "$mechanism: passes before" 20 "$(delivered $BAD4 $HOST4 20)"
	fwctl block $BAD4 tcp/81 >/dev/null
	wanted=$(pins)
	end_daemon

	for calls in "rename 9 40" "unlink 9 80" "mkdir 2 20" "sendto 4 40" "bpf 151 1200"; do
		read -r call step end <<<"$calls"
		step=${STEP:-$step}
		n_kills=0 pinned=yes attached=yes
		for ((n = 1 + RANDOM % step; n < end; n += step)); do
			is_loaded=$((RANDOM % 2))
			[ $is_loaded = 1 ] || fwctl unload >/dev/null
			before=$(received $BAD4)
			peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT 5000 0 >/dev/null
			flood=$!
			if daemon_dies_at $call $n; then
				n_kills=$((n_kills + 1))
				start || die "$mechanism: does not start after a kill at $call $n"
			else
				n=$end
			fi
			[ "$(pins)" = "$wanted" ] || pinned="no, killed at $n: $(diff <(pins) <(echo "$wanted") | tr '\n' ' ')"
			is_attached h0 || attached="no, killed at $n"
			kill $flood
			wait $flood
			settle
			[ $is_loaded = 0 ] && before=$(received $BAD4)
			quietly fwctl check $BAD4 --in || attached="no, killed at $n: does not block"
			[ "$(delivered $BAD4 $HOST4 5)" = 0 ] || attached="no, killed at $n: does not block"
			[ "$(received $BAD4)" = "$before" ] || attached="no, killed at $n: let packets slip"
			end_daemon
		done
		check "$mechanism: $n_kills kills at $call" test $n_kills -gt 0
		same "$mechanism: killed at $call: the pins are those of a start" yes "$pinned"
		same "$mechanism: killed at $call: each hook has our program once, which blocks" yes "$attached"
	done
	quietly fwctl unload
	rm -rf "$T/state"
	mkdir "$T/state"
done
