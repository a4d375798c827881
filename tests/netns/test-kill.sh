#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 3, 4 and 8: the daemon is killed, restarted and stopped under a flood, and not one packet of a
# blocked source gets through.
. "${0%/*}/lib.sh"

N_RESTARTS=20
start_receivers

flood_begin() {
	peer "$TRAFFIC" flood $BAD4 $HOST4 $PORT 50000 0 >"$T/flooded" &
	FLOOD=$!
	wait_for dropped_more_than "$(counter tc ingress dropped)"
}

flood_end() {
	kill "$FLOOD"
	wait "$FLOOD"
	settle
}

dropped_more_than() {
	[ "$(counter tc ingress dropped)" -gt "$1" ]
}

links() {
	local pin

	for pin in "$PINS"/links/*; do
		echo "${pin##*/} $("$FOREIGN" link "$pin")"
	done
}

for mechanism in tcx clsact; do
	start_with TcMechanism=$mechanism
	same "$mechanism: passes before" 20 "$(delivered $BAD4 $HOST4 20)"
	fwctl block $BAD4 >/dev/null
	before=$(received $BAD4)

	flood_begin
	stop KILL
	seen=$(counter tc ingress dropped)
	wait_for dropped_more_than $((seen + 5000))
	check "$mechanism: 5000 more dropped with the daemon dead" test $? = 0
	fwctl block $BAD6 >/dev/null
	check "$mechanism: fwctl blocks without a daemon" refuse probe_ping $BAD6 $HOST6
	fwctl unblock $BAD6 >/dev/null
	check "$mechanism: fwctl unblocks without a daemon" probe_ping $BAD6 $HOST6
	start || die "the daemon does not start again"

	was=$(links)
	[ $mechanism = tcx ] && n_links=4 || n_links=2
	same "$mechanism: a link for each hook" $n_links "$(links | wc -l)"
	last=0 is_monotonic=yes
	for ((i = 0; i < N_RESTARTS; i++)); do
		if [ $((i % 2)) = 0 ]; then stop KILL; else stop TERM; fi
		start || die "restart $i fails"
		now=$(counter tc ingress packets)
		[ "$now" -ge "$last" ] || is_monotonic=no
		last=$now
	done
	same "$mechanism: link ids are unchanged after $N_RESTARTS restarts" "$was" "$(links)"
	same "$mechanism: counters only grow" yes $is_monotonic
	if [ $mechanism = tcx ]; then
		same "one program of ours per hook" "1 1" "$(echo $("$FOREIGN" attached h0 ingress) $("$FOREIGN" attached h0 egress))"
	else
		same "one filter of ours per hook" "1 1" "$(echo $(tc filter show dev h0 ingress | grep -c fw_tc) \
			$(tc filter show dev h0 egress | grep -c fw_tc))"
	fi

	stop TERM
	seen=$(counter tc ingress dropped)
	wait_for dropped_more_than $((seen + 5000))
	check "$mechanism: 5000 more dropped with the daemon stopped" test $? = 0
	flood_end
	same "$mechanism: none of the flood was delivered" 0 $(($(received $BAD4) - before))
	check "$mechanism: status says that filtering goes on" fwctl status --quiet
	start || die "the daemon does not start after a stop"
	check "$mechanism: the entry is still there" fwctl check $BAD4 --in
	fwctl unblock $BAD4 >/dev/null
	same "$mechanism: passes again" 20 "$(delivered $BAD4 $HOST4 20)"
	remove
done
