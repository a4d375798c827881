#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Any user can be root of a network namespace of his own, take a blocked address there and send to himself. That is
# dropped, and is no evidence: hits, "last hit", the journal, monitor, top and metrics tell it from the host's own.
. "${0%/*}/lib.sh"

: "${SOURCE_ROOT:?}"
. "${0%/*}/records.sh"

FORGED4=203.0.113.7 VICTIM4=203.0.113.1 N=5

without_ipv6
start_receivers
start_with Hooks=cgroup StatsIntervalSec=1 Strict=yes
if [ "$(fwctl status --json | json "d['cgroup_ports']")" != None ]; then
	trap - EXIT
	echo "1..0 # SKIP this kernel does not tell cgroup programs the network namespace"
	exit 0
fi

# Two namespaces below one of a user's own, with a wire between them.
cat >"$T/forge" <<'END'
set -e
sysctl -qw net.ipv6.conf.default.disable_ipv6=1 || :
ip link set lo up
unshare --net sleep infinity &
sender=$!
trap 'kill $sender' EXIT
until [ "$(readlink /proc/$sender/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link add v0 address 02:00:00:00:00:11 type veth peer name s0 address 02:00:00:00:00:12 netns $sender
ip addr add $VICTIM4/24 dev v0
ip link set v0 up
nsenter --net=/proc/$sender/ns/net bash -c "ip addr add $FORGED4/24 dev s0; ip link set s0 up
	ip neigh replace $VICTIM4 dev s0 lladdr 02:00:00:00:00:11 nud permanent"
"$TRAFFIC" recv "$T/forged" "$PORT" &
receiver=$!
trap 'kill $sender $receiver' EXIT
until [ -f "$T/forged" ]; do sleep 0.01; done
while read -r n; do
	nsenter --net=/proc/$sender/ns/net "$TRAFFIC" flood "$FORGED4" "$VICTIM4" "$PORT" 2000 "$n" >/dev/null
	echo sent >>"$T/forged.sent"
done
END
export T TRAFFIC PORT FORGED4 VICTIM4
mkfifo "$T/orders"
inside unshare --user --map-root-user --net bash "$T/forge" <"$T/orders" &
exec 7>"$T/orders"
: >"$T/forged.sent"

forge() { # COUNT: packets from the blocked address to himself
	local before

	before=$(wc -l <"$T/forged.sent")
	echo "$1" >&7
	wait_for has_sent $((before + 1))
}

has_sent() { # TIMES
	[ "$(wc -l <"$T/forged.sent")" -ge "$1" ]
}

got_forged() { # COUNT
	[ "$(received $FORGED4 forged)" -ge "$1" ]
}

forge $N
wait_for got_forged $N || die "nothing can be sent in a user namespace"

fwctl block $FORGED4 $BAD4 >/dev/null
view() { # NAME ARGUMENT...: in the background, as a process of its own
	(exec "$FWCTL" "$@" --json --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >"$T/$1") &
	viewers="${viewers:-} $!"
}
view monitor
wait_for test -s "$T/monitor" || die "the monitor does not start"
view top --interval=1
wait_for test -s "$T/top" || die "top does not start"
forget
forge $N

entry() { # TARGET KEY
	fwctl show "$1" --json | json "d['entries'][0]['$2']"
}

list() { # KEY
	fwctl lists --json | json "next(l['$1'] for l in d['lists'] if l['name'] == 'manual')"
}

check "they are dropped" wait_for counter_is cgroup ingress dropped $N
same "none arrived" $N "$(received $FORGED4 forged)"
same "the entry has no hit" 0 "$(entry $FORGED4 hits)"
same "nor a last one" None "$(entry $FORGED4 last_hit)"
same "nor has the list" "0 0" "$(list hits) $(list dropped)"
same "the list counts them apart" $N "$(list hits_other_netns)"
same "so does the hook" $N "$(counter cgroup ingress dropped_other_netns)"
check "stats says so" grep -q "$N of the drops were in other network namespaces" <(fwctl stats 2>&1)
check "so do the metrics" grep -qx "ebpffw_dropped_other_netns_packets_total{hook=\"cgroup\",direction=\"ingress\"} $N" \
	<(fwctl stats --prometheus)

check "the journal says where they were dropped" wait_for has_record SOURCE "r['FW_SRC'] == '$FORGED4' and
	r['FW_OTHER_NETNS'] == 'yes' and r['MESSAGE'].startswith('dropped from $FORGED4 in another network namespace: ')"
window_tells() { # COUNT
	[ "$(sum_of WINDOW FW_DROPPED_OTHER_NETNS)" = "$1" ]
}
check "and how many, of those of the window" wait_for window_tells $N

of_monitor() { # ADDRESS EXPRESSION
	python3 -c "import json
e = [e for e in map(json.loads, open('$T/monitor')) if e.get('source') == '$1']
print($2)"
}
monitor_has() { # ADDRESS COUNT
	[ "$(of_monitor "$1" "len(e)" 2>/dev/null)" = "$2" ]
}
check "monitor shows each" wait_for monitor_has $FORGED4 $N
same "and where, without a name that an interface of the host has" "[(True, None)]" \
	"$(of_monitor $FORGED4 "sorted({(x['other_netns'], x['interface']) for x in e})")"

of_top() { # ADDRESS: the four numbers of the latest block
	python3 - "$T/top" "$1" <<'END'
import json, sys
text, d, last = open(sys.argv[1]).read(), json.JSONDecoder(), {}
while text.strip():
    try:
        block, end = d.raw_decode(text.lstrip())
    except ValueError:
        break
    last, text = block, text.lstrip()[end:]
print(*[(a["packets_in"], a["dropped"], a["packets_other_netns"], a["dropped_other_netns"])
        for a in last.get("addresses", []) if a["address"] == sys.argv[2]])
END
}
top_says() { # ADDRESS NUMBERS
	[ "$(of_top "$1")" = "$2" ]
}
check "top counts them apart" wait_for top_says $FORGED4 "(0, 0, $N, $N)"

# The same of a neighbour: that is evidence.
forget
same "the host's own: none arrives" 0 "$(delivered $BAD4 $HOST4 $N)"
same "the host's own: hits" $N "$(entry $BAD4 hits)"
check "the host's own: the last one" test "$(entry $BAD4 last_hit)" != None
same "the host's own: of the list, too" "$N $N $N" "$(list hits) $(list dropped) $(list hits_other_netns)"
same "the host's own: counted as such" "$((2 * N)) $N" \
	"$(counter cgroup ingress dropped) $(counter cgroup ingress dropped_other_netns)"
check "the host's own: the journal" wait_for has_record SOURCE "r['FW_SRC'] == '$BAD4' and r['FW_OTHER_NETNS'] == ''
	and r['MESSAGE'].startswith('dropped from $BAD4: ')"
check "the host's own: monitor" wait_for monitor_has $BAD4 $N
same "the host's own: by the name of its interface" "[(False, 'h0')]" \
	"$(of_monitor $BAD4 "sorted({(x['other_netns'], x['interface']) for x in e})")"
check "the host's own: top" wait_for top_says $BAD4 "($N, $N, 0, 0)"

# With ports in use the kernel has been asked already; addresses of others must not be taken for the host's.
fwctl block udp/9 >/dev/null
forge $N
check "while ports are blocked: dropped" wait_for counter_is cgroup ingress dropped_other_netns $((2 * N))
same "while ports are blocked: no hit" 0 "$(entry $FORGED4 hits)"

# What the daemon has reported is not reported again.
fwctl unblock udp/9 >/dev/null
check "all in all" wait_for window_tells $N
stop
forget
start_with Hooks=cgroup StatsIntervalSec=1 Strict=yes
forge 1
check "after a restart the windows go on" wait_for window_tells 1
exec 7>&-
# shellcheck disable=SC2086 # several processes
kill $viewers $receiver
remove
