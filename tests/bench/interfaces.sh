#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two thousand interfaces, each with tc and native xdp: how long the daemon takes to start, to reload, to start again on
# what is attached, and to notice one more; what a check costs, which is made every five seconds; memory and descriptors.
# With --quick there are 500. Prints a table in Markdown. See run.

set -u

: "${EBPF_FWD:?path of ebpf-fwd}" "${FWCTL:?path of fwctl}"

# shellcheck source=tests/bench/namespaces.sh
. "${0%/*}/namespaces.sh"
# shellcheck source=tests/bench/commands.sh
. "${0%/*}/commands.sh"

N=2000
ROUND_LIMIT=900 # seconds
CHECKS=4        # over which the time of one is the mean
[ "${1:-}" = --quick ] && N=500

wait_for() { # COMMAND...: until it succeeds
	local end=$((SECONDS + ROUND_LIMIT))

	until "$@"; do
		kill -0 $DAEMON 2>/dev/null || die "the daemon has ended: $(tail -n 5 "$T/log")"
		[ $SECONDS -le $end ] || die "waited in vain for: $*: $(tail -n 5 "$T/log")"
		sleep 0.02
	done
}

says_more_than() { # N TEXT
	[ "$(grep -c "$2" "$T/log")" -gt "$1" ]
}

# Seconds until the daemon says TEXT, after the command.
time_of() { # TEXT COMMAND...
	local before start

	before=$(grep -c "$1" "$T/log")
	start=$EPOCHREALTIME
	"${@:2}"
	wait_for says_more_than "$before" "$1"
	awk "BEGIN { printf \"%.2f\", $EPOCHREALTIME - $start }"
}

launch() {
	"$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$T/bpf/fw" --state-dir "$T/state" --run-dir "$T/run" >>"$T/log" 2>&1 &
	DAEMON=$!
	echo $DAEMON >"$T/pid"
}

end() {
	kill $DAEMON
	while kill -0 $DAEMON 2>/dev/null; do
		sleep 0.02
	done
}

processor_ticks() {
	sed 's/.*) //' /proc/$DAEMON/stat | awk '{ print $12 + $13 }'
}

# Milliseconds of processor time that a check takes.
time_of_check() {
	local before

	before=$(processor_ticks)
	sleep $((CHECKS * 5))
	echo $((($(processor_ticks) - before) * 1000 / $(getconf CLK_TCK) / CHECKS))
}

make_one() { # NAME
	ip link add "$1" type veth peer name "peer$1"
	ip link set "$1" up
}

resident() { # in MiB
	awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' /proc/$DAEMON/status
}

n_descriptors() {
	find /proc/$DAEMON/fd -mindepth 1 2>/dev/null | wc -l
}

measure() { # MECHANISM
	local first again reloaded check one memory n

	printf '[Firewall]\nInterfaces=m*\nHooks=tc xdp\nTcMechanism=%s\nStatsIntervalSec=0\n' "$1" >"$T/fw.conf"
	: >"$T/log"
	mkdir -p "$T/state"
	first=$(time_of 'Ready, version' launch)
	DAEMON=$(cat "$T/pid")
	reloaded=$(time_of reloaded kill -HUP "$DAEMON")
	check=$(time_of_check)
	memory=$(resident)
	n=$(n_descriptors)
	one=$(time_of "'mlast': filtering by xdp" make_one mlast)
	ip link del mlast
	end
	again=$(time_of 'Ready, version' launch)
	DAEMON=$(cat "$T/pid")
	end
	printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$1" $N "$first" "$again" "$reloaded" "$one" "$check" "$memory" "$n"
	fwctl unload >/dev/null 2>&1
	rm -rf "$T/state"
}

for ((i = 0; i < N; i += 2)); do
	echo "link add m$i type veth peer name m$((i + 1))"
	echo "link set m$i up"
	echo "link set m$((i + 1)) up"
done >"$T/links"
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null
ip -batch "$T/links" || die "cannot make $N interfaces"

cat <<-'END'
	veth with tc and native xdp. Seconds until the daemon is ready the first time, again on what is attached, and until a
	reload is done; until one more interface is filtered; milliseconds of processor time for a check, made every five seconds.

	| tc by | interfaces | start, s | start again, s | reload, s | one more, s | a check, ms | memory, MiB | descriptors |
	|---|---|---|---|---|---|---|---|---|
END
for mechanism in tcx clsact; do
	measure $mechanism
done
