#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two network namespaces see one pin directory, as a container with the bpffs of its host, and interfaces in them have the
# same number: the second daemon takes no link of the first one over, and status, doctor and unload say where it filters.
. "${0%/*}/lib.sh"

start_receivers

status_of() { # COMMAND [ARGUMENT]...
	"$@" >"$T/stdout" 2>"$T/stderr"
	echo $?
}

there() { # NAME FUNCTION [ARGUMENT]...: in that namespace, with everything else as here
	local name=$1
	shift
	nsenter --net="/run/netns/$name" -- bash -c "$(declare -f fwctl daemon); \"\$@\"" bash "$@"
}
export T PINS FWCTL EBPF_FWD

# With an h0 of its own under the number of ours.
make_twin() { # NAME
	ip netns add "$1"
	nsenter --net="/run/netns/$1" -- ip link add h0 index "$(ifindex h0)" type bridge
	nsenter --net="/run/netns/$1" -- ip link set h0 up
}

# The daemon in that namespace: its pid in OTHER.
start_there() { # NAME
	local before

	before=$(n_ready)
	NOTIFY_SOCKET=$T/notify nsenter --net="/run/netns/$1" -- "$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" \
		--state-dir "$T/state" --run-dir "$T/run-$1" >>"$T/log" 2>&1 &
	OTHER=$!
	DAEMON=$OTHER # as that of this namespace has ended
	wait_for is_ready_or_dead "$before"
}

stop_there() {
	kill "$OTHER" 2>/dev/null
	wait "$OTHER"
}

for MECHANISM in tcx clsact; do
	quietly ip netns del twin
	make_twin twin
	start_with "Hooks=tc cgroup" "TcMechanism=$MECHANISM"
	fwctl block $BAD4 >/dev/null
	same "$MECHANISM: blocked before" blocked "$(probe_udp $BAD4 $HOST4)"
	same "$MECHANISM: status -q where it filters" 0 "$(status_of fwctl status --quiet)"
	same "$MECHANISM: status says that it is here" True "$(fwctl status --json | json "d['netns_is_own']")"
	stop

	start_there twin
	quietly kill "$OTHER" # it has ended, or should not be there
	wait "$OTHER"
	same "$MECHANISM: the second daemon is refused for good" 2 $?
	check "$MECHANISM: and says why" grep -q "'$PINS' holds the firewall of another network namespace (net:\[[0-9]*\], this is net:\[[0-9]*\])" "$T/log"
	same "$MECHANISM: the first is attached as before" $'ingress 1\negress 1' "$(n_attached h0)"
	same "$MECHANISM: and blocks" blocked "$(probe_ping $BAD4 $HOST4)"

	same "$MECHANISM: status -q from the other namespace: not filtered here" 1 "$(status_of there twin fwctl status --quiet)"
	same "$MECHANISM: status there" 0 "$(status_of there twin fwctl status)"
	check "$MECHANISM: it names the namespace" grep -q "filters in another network namespace than this one: net:\[$(stat -L -c %i /proc/self/ns/net)\]" "$T/stderr"
	check "$MECHANISM: and gives no interface the name of one there" refuse grep -q "tc .* h0 " "$T/stdout"
	there twin fwctl doctor >"$T/stdout" 2>&1
	check "$MECHANISM: doctor there warns" grep -q "it filters in network namespace net:" "$T/stdout"
	check "$MECHANISM: doctor here does not" eval '! fwctl doctor | grep -q "it filters in network namespace"'
	same "$MECHANISM: unload there is refused" 1 "$(status_of there twin fwctl unload)"
	same "$MECHANISM: nothing was detached" $'ingress 1\negress 1' "$(n_attached h0)"

	check "$MECHANISM: a restart here goes on" start
	same "$MECHANISM: it blocks" blocked "$(probe_ping $BAD4 $HOST4)"
	stop
	fwctl unload >/dev/null
done

# A namespace that is created again, with another number of the kernel and perhaps the same inode: nothing of the old one is left.
MECHANISM=tcx
configure "Hooks=tc cgroup"
start_there twin
same "a firewall in the other namespace starts where nothing is pinned" True "$(there twin fwctl status --json | json "d['netns_is_own']")"
stop_there
ip netns del twin
make_twin twin
start_there twin
check "it starts again when its namespace was deleted and made again" kill -0 "$OTHER"
check "and is attached there" eval 'there twin fwctl status | grep -q "tc .* h0 "'
stop_there

# And from a namespace that is gone to one that was there all the time.
ip netns del twin
check "a namespace that is gone keeps nobody away" start
check "the daemon says so" grep -q "The network namespace of the run before is gone" "$T/log"
same "blocked here" blocked "$(probe_ping $BAD4 $HOST4)"
stop
