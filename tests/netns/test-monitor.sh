#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fwctl monitor: each drop as it happens, to several at once, and an exact account of what was not shown, whoever is
# flooded, stopped or killed.
. "${0%/*}/lib.sh"

: "${WATCHERS:?path of watchers}"
OTHER4=198.51.100.20

# In place of this shell, so that its process is the monitor's.
monitor() { # ARGUMENT...
	exec "$FWCTL" monitor --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" "$@"
}

# Starts a monitor that writes JSON to $T/NAME, and waits until it misses nothing any more.
begin() { # NAME ARGUMENT...: its process is then $MONITOR
	: >"$T/$1"
	monitor --json "${@:2}" >"$T/$1" &
	MONITOR=$!
	wait_for test -s "$T/$1" || die "the monitor '$1' does not start"
}

end() { # PROCESS...
	kill -TERM "$@"
	wait "$@"
}

# What a monitor has said, as an expression of events and of total, its last account.
said() { # NAME EXPRESSION
	python3 -c "import json
lines = [json.loads(line) for line in open('$T/$1')]
events = [line for line in lines if 'summary' not in line]
total = [line['summary'] for line in lines if 'summary' in line][-1]
print(*$2)"
}

MATCHED="[total['matched']]"
ADDS_UP="[total['matched'] == total['shown'] + total['hidden'] + total['lost']]"
IS_SHOWN="[total['shown'] == sum(e['packets'] for e in events)]"

event() { # NUMBER KEY...: of the monitor "all"
	local keys
	keys=$(printf "'%s', " "${@:2}")
	said all "[events[$1][key] for key in ($keys)]"
}

has_events() { # NAME NUMBER
	[ "$(said "$1" "[len(events)]" 2>/dev/null || echo 0)" -ge "$2" ] # the last line may be half written
}

flood() { # SOURCE DESTINATION COUNT [PER_SECOND]
	peer "$TRAFFIC" flood "$1" "$2" $PORT "${4:-1000000}" "$3" >/dev/null
}

taken() { # slots, rings and gates
	"$WATCHERS" "$PINS"
}

has_taken() { # PATTERN
	# shellcheck disable=SC2053 # it is a pattern
	[[ $(taken) == $1 ]]
}

NOTHING="slots 0 rings 0 drops shut looking no packets shut seen no"

# The fields of one event of each family and reason, in either direction.
one_event_each() {
	fwctl list add ports >/dev/null
	fwctl block $BAD4 >/dev/null
	fwctl block 2001:db8::10/127 >/dev/null
	fwctl block udp/6000-6010 -l ports >/dev/null
	begin all
	flood $BAD4 $HOST4 1
	flood $BAD6 $HOST6 1
	peer "$TRAFFIC" flood $GOOD4 $HOST4 6005 1000 1 >/dev/null
	peer ping -q -n -c 1 -W 0.2 -I $BAD4 $HOST4 >/dev/null
	ping -q -n -c 1 -W 0.2 -I $HOST4 $BAD4 >/dev/null
	wait_for has_events all 5
	end $MONITOR

	same "IPv4" "tc ingress h0 drop address 192.0.2.10 192.0.2.1 5000 udp 192.0.2.10 manual" "$(event 0 \
		hook direction interface verdict reason source destination destination_port protocol entry list)"
	same "IPv6, by a prefix" "2001:db8::10 2001:db8::1 5000 udp 2001:db8::10/127 manual" \
		"$(event 1 source destination destination_port protocol entry list)"
	same "by a range of ports, of another list" "192.0.2.20 6005 port udp/6000-6010 ports" \
		"$(event 2 source destination_port reason entry list)"
	same "a ping" "icmp 8 0 98 1" "$(event 3 protocol icmp_type icmp_code bytes packets)"
	same "at egress, by the destination" "egress 192.0.2.1 192.0.2.10 192.0.2.10" \
		"$(event 4 direction source destination entry)"
	same "time is that of the wall" True "$(said all "[all(abs(e['time'] - $(date +%s)) < 60 for e in events)]")"
	same "everything is shown" "5 True" "$(said all "$MATCHED + $IS_SHOWN")"
}

# Shown and not shown together are what the sender sent, whatever the rate.
exact_flood() {
	local rate sent=20000 dropped
	for rate in 0 1 500; do
		begin flood --rate $rate
		dropped=$(counter tc ingress dropped)
		flood $BAD4 $HOST4 $sent
		settle || note "the mark is lost"
		end $MONITOR
		same "rate $rate: the hook has dropped what was sent" $((dropped + sent)) "$(counter tc ingress dropped)"
		same "rate $rate: so says the monitor, and its numbers add up" "$sent True True" \
			"$(said flood "$MATCHED + $ADDS_UP + $IS_SHOWN")"
		same "rate $rate: it is kept" True \
			"$(said flood "[$rate == 0 or 0 < total['shown'] < $sent / 2]")"
	done
	same "nothing is left behind" "$NOTHING" "$(taken)"
}

# One reads, one is killed in the middle, one has a reader that does not read.
three_at_once() {
	local reading killed stuck flood sent=30000
	mkfifo "$T/fifo"
	exec 9<>"$T/fifo"
	begin killed --rate 0
	killed=$MONITOR
	begin reading --rate 0
	reading=$MONITOR
	monitor --json --rate 0 >"$T/fifo" 9>&- &
	stuck=$!
	wait_for has_taken "slots 3 rings 3 drops open *"
	check "three watch" has_taken "slots 3 rings 3 drops open * packets shut seen no"

	flood $BAD4 $HOST4 $sent 20000 &
	flood=$!
	wait_for has_events killed 100
	kill -KILL $killed
	wait $killed 2>/dev/null
	wait $flood
	settle || note "the mark is lost"
	check "the slot of the killed one ends by itself" wait_for has_taken "slots 2 *"
	check "the one that nobody reads from goes on" kill -0 $stuck
	end $reading
	same "the one that reads has an account of all" "$sent True True" \
		"$(said reading "$MATCHED + $ADDS_UP + $IS_SHOWN")"

	kill -TERM $stuck
	cat <&9 >"$T/stuck" &
	flood=$!
	wait $stuck
	check "so has the one that was not read from" wait_for grep -q "\"matched\":$sent" "$T/stuck"
	kill $flood
	exec 9>&-
	begin sweeper # what the killed one has left goes when somebody comes, if the daemon was not first
	check "what the killed one left is gone" has_taken "slots 1 rings 1 drops open * packets shut seen no"
	end $MONITOR
	same "nothing is left behind" "$NOTHING" "$(taken)"
}

# A drop on each CPU, for each shuts its own gate.
ignores_drops() {
	local cpu

	for ((cpu = 0; cpu < $(nproc --all); cpu++)); do
		taskset -c $cpu nsenter --net=/run/netns/peer -- "$TRAFFIC" flood $BAD4 $HOST4 $PORT 1000000 1 >/dev/null 2>&1
	done
	has_taken "slots 0 rings 1 * looking no *"
}

# With nobody left to shut it, the gate is shut by the first drop that comes too late.
shuts_by_itself() {
	stop # it would sweep
	begin killed
	flood $BAD4 $HOST4 1
	wait_for has_events killed 1
	same "with a monitor each drop is looked at" "slots 1 rings 1 drops open looking yes packets shut seen no" "$(taken)"
	kill -KILL $MONITOR
	wait $MONITOR 2>/dev/null
	wait_for has_taken "slots 0 *"
	same "and when it was killed, too" "slots 0 rings 1 drops open looking yes packets shut seen no" "$(taken)"
	check "until one comes too late" wait_for ignores_drops
	begin next
	flood $BAD4 $HOST4 3
	wait_for has_events next 3
	end $MONITOR
	same "the next one opens it, without a daemon" "3 True" "$(said next "$MATCHED + $IS_SHOWN")"
	start || die "the daemon does not start again"
}

# What one looks for is shown although others flood: the filter comes before the rate.
needle() {
	local needle
	fwctl block $OTHER4 >/dev/null
	peer ip addr add $OTHER4/24 dev p0
	ip neigh replace $OTHER4 dev h0 lladdr 02:00:00:00:00:02 nud permanent
	begin needle --rate 1 --src $OTHER4
	needle=$MONITOR
	begin other --rate 1 --src 192.0.2.0/24 --dst 203.0.113.0/24
	flood $BAD4 $HOST4 5000
	flood $OTHER4 $MARK_HOST 1
	flood $BAD4 $HOST4 5000
	settle || note "the mark is lost"
	wait_for has_events needle 1
	end $needle $MONITOR
	same "the one in 10001 that was asked for" "198.51.100.20 1" \
		"$(said needle "[e['source'] for e in events] + $MATCHED")"
	same "nothing goes to another destination" 0 "$(said other "$MATCHED")"
}

# Each filter lets through its own and nothing else.
filters() {
	local row name want arguments pids=()
	local rows=("list 2 --list ports" "hook 0 --hook cgroup" "hooks 8 --hook cgroup --hook tc" "in 7 --in"
		"out 1 --out" "v6 3 --src 2001:db8::/32" "exactly 2 --src $BAD4 --in" "host 4 --dst 192.0.0.0/8 --dst $HOST4 --in")
	for row in "${rows[@]}"; do
		read -r name want arguments <<<"$row"
		# shellcheck disable=SC2086
		begin "filter-$name" $arguments
		pids+=("$MONITOR")
	done
	flood $BAD4 $HOST4 2
	flood $BAD6 $HOST6 3
	flood $GOOD4 $HOST4 6
	peer "$TRAFFIC" flood $GOOD4 $HOST4 6005 1000 2 >/dev/null
	ping -q -n -c 1 -W 0.2 -I $HOST4 $BAD4 >/dev/null
	settle || note "the mark is lost"
	end "${pids[@]}"
	for row in "${rows[@]}"; do
		read -r name want arguments <<<"$row"
		same "filter $arguments" "$want" "$(said "filter-$name" "$MATCHED")"
	done
}

# A list in mode audit drops nothing: shown only on demand.
audit() {
	local drops
	fwctl list add probation mode=audit >/dev/null
	fwctl block $GOOD4 -l probation >/dev/null
	begin drops
	drops=$MONITOR
	begin audit --audit --list probation
	flood $GOOD4 $HOST4 3
	flood $BAD4 $HOST4 2
	settle || note "the mark is lost"
	end $MONITOR $drops
	same "would-drops on demand, of one list" "3 pass audited probation" \
		"$(said audit "$MATCHED + [events[-1][key] for key in ('verdict', 'reason', 'list')]")"
	same "else drops alone" 2 "$(said drops "$MATCHED")"
	fwctl unblock $GOOD4 -l probation >/dev/null
}

# Stopped for longer than its lease it says that it knows nothing of that time, and goes on: a moment later, for
# first it gives up what it had.
stopped() {
	local sent=0

	begin stopped
	kill -STOP $MONITOR
	wait_for has_taken "slots 0 *"
	flood $BAD4 $HOST4 1000
	kill -CONT $MONITOR
	until has_events stopped 1 || [ $sent = 500 ]; do
		flood $BAD4 $HOST4 1
		sent=$((sent + 1))
		sleep 0.02
	done
	end $MONITOR
	same "after a stop" "True True 1" \
		"$(said stopped "[0 < total['matched'] <= $sent] + $IS_SHOWN + [total['interruptions']]")"
}

ends() {
	local flood
	flood $BAD4 $HOST4 2000 500 &
	flood=$!
	same "--count ends it" 3 "$( (monitor --json --count 3 2>/dev/null) | grep -c '"verdict"')"
	same "a reader that goes ends it" 2 "$( (monitor 2>"$T/errors") | head -n 2 | wc -l)"
	(monitor 2>/dev/null >/dev/full)
	same "a full disk is an error" 1 $?
	(monitor 2>/dev/null >&-)
	same "no output at all, too" 1 $?
	kill $flood
	same "without a word" "fwctl: watching, Ctrl-C ends it" "$(cat "$T/errors")"
	quietly fwctl list add brief
	begin brief --list brief
	quietly fwctl list del brief
	quietly fwctl list add heir # gets the number that the filter has
	wait_for refuse kill -0 $MONITOR 2>/dev/null || kill $MONITOR
	wait $MONITOR
	same "removing its list ends it" 1 $?
	quietly fwctl list del heir
	same "nothing is left behind" "$NOTHING" "$(taken)"
	begin last
	stop
	fwctl unload >/dev/null
	wait $MONITOR
	same "unloading ends it" 3 $?
}

start_with Hooks=tc
start_receivers
one_event_each
exact_flood
three_at_once
shuts_by_itself
needle
filters
audit
stopped
ends
