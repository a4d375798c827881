#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 3, 4 and 8: the daemon is killed, restarted and stopped under a flood, and not one packet of a
# blocked source gets through.
. "${0%/*}/lib.sh"

N_RESTARTS=12
start_receivers

links() {
	local pin

	for pin in "$PINS"/links/*; do
		echo "${pin##*/} $("$FOREIGN" link "$pin")"
	done
}

# Under a flood the counters of hooks do not tell whose packet was dropped: the entry's own does.
has_hits() { # TARGET
	[ "$(fwctl show --json | json "next((e['hits'] for e in d['entries'] if e['target'] == '$1'), 0)")" -gt 0 ]
}

for mechanism in tcx clsact; do
	MECHANISM=$mechanism
	start_with TcMechanism=$mechanism
	same "$mechanism: passes before" 20 "$(delivered $BAD4 $HOST4 20)"
	fwctl block $BAD4 >/dev/null
	before=$(received $BAD4)

	flood_begin
	end_by KILL
	seen=$(counter tc ingress dropped)
	wait_for dropped_more_than $((seen + 5000))
	check "$mechanism: 5000 more dropped with the daemon dead" test $? = 0
	fwctl block $BAD6 >/dev/null
	peer_begin ping -q -n -c 1 -W $WAIT_LIMIT -I $BAD6 $HOST6 >/dev/null
	ping=$!
	check "$mechanism: fwctl blocks without a daemon" wait_for has_hits $BAD6
	check "$mechanism: and nobody answers" kill $ping
	wait $ping
	fwctl unblock $BAD6 >/dev/null
	check "$mechanism: fwctl unblocks without a daemon" quietly peer ping -q -n -c 1 -W $WAIT_LIMIT -I $BAD6 $HOST6
	start || die "the daemon does not start again"

	was=$(links)
	[ $mechanism = tcx ] && n_links=4 || n_links=2
	same "$mechanism: a link for each hook" "$n_links" "$(links | wc -l)"
	last=0 is_monotonic=yes
	for ((i = 0; i < N_RESTARTS; i++)); do
		if [ $((i % 2)) = 0 ]; then end_by KILL; else stop; fi
		start || die "restart $i fails"
		now=$(counter tc ingress packets)
		[ "$now" -ge "$last" ] || is_monotonic=no
		last=$now
	done
	same "$mechanism: link ids are unchanged after $N_RESTARTS restarts" "$was" "$(links)"
	same "$mechanism: counters only grow" yes $is_monotonic
	check "$mechanism: one program of ours per hook" is_attached h0

	stop
	seen=$(counter tc ingress dropped)
	wait_for dropped_more_than $((seen + 5000))
	check "$mechanism: 5000 more dropped with the daemon stopped" test $? = 0
	flood_end
	same "$mechanism: none of the flood was delivered" 0 $(($(received $BAD4) - before))
	check "$mechanism: status says that filtering goes on" fwctl status --quiet
	start || die "the daemon does not start after a stop"
	check "$mechanism: the entry is still there" quietly fwctl check $BAD4 --in
	fwctl unblock $BAD4 >/dev/null
	same "$mechanism: passes again" 20 "$(delivered $BAD4 $HOST4 20)"
	remove
done
