#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Interfaces=auto: what it chooses, that it does not forget what it chose, and that it says what it lets go of.
. "${0%/*}/lib.sh"

without_ipv6 # which would give each interface routes of its own

said() { # REGEX: in the journal, since log_mark
	tail -n +$((MARKED_LINE + 1)) "$T/log" | grep -Eq "$1"
}

log_mark() {
	MARKED_LINE=$(wc -l <"$T/log")
}

is_bare() { # DEV
	[ "$(n_attached "$1")" = $'ingress 0\negress 0' ]
}

# The daemon has taken in all events so far: one that comes after them is answered.
settle_events() {
	ip link add mark type veth peer name mark-p
	ip addr add 203.0.113.250/32 dev mark
	wait_for is_attached mark
	ip link del mark
}

# It is attached with an address alone; k0 has none, so that its default route is what it is attached for.
for mechanism in tcx clsact; do
	MECHANISM=$mechanism
	make_pair k0 p-k0
	ip link set k0 up
	start_with Interfaces=auto Hooks=tc TcMechanism=$mechanism
	check "$mechanism: an interface with an address is attached from the start, without a route" is_attached h0
	three_steps "$mechanism: an address and no route" $BAD4 probe_ping $BAD4 $HOST4
	check "$mechanism: one that has neither is not" is_bare k0
	check "$mechanism: nor is loopback" is_bare lo
	ip addr del $HOST4/24 dev h0
	ip addr del $MARK_HOST/24 dev h0
	end_by KILL
	start || die "the daemon does not start again"
	check "$mechanism: killed while the address is away, it stays attached" is_attached h0
	address_pair h0 p0 2>/dev/null # of IPv6, which is off

	ip route add default dev k0
	check "$mechanism: a default route is a reason" wait_for is_attached k0
	[ $mechanism = clsact ] || was=$(link_of "tc_ingress_$(ifindex k0)")
	ip route del default
	settle_events
	check "$mechanism: the route goes, it stays attached" is_attached k0
	for signal in TERM KILL; do
		end_by $signal
		start || die "the daemon does not start again"
		check "$mechanism: ended by $signal while the route is away, it stays attached" is_attached k0
	done
	[ $mechanism = clsact ] || same "by the same link" "$was" "$(link_of "tc_ingress_$(ifindex k0)")"

	# Another configuration: what no word names any more is let go, with the reason.
	log_mark
	reload "Interfaces=auto !k0" Hooks=tc TcMechanism=$mechanism
	check "$mechanism: !k0 lets it go" is_bare k0
	check "$mechanism: with a warning" said "'k0': not filtered any more: Interfaces= leaves it out"
	reload "Interfaces=auto k*" Hooks=tc TcMechanism=$mechanism
	check "$mechanism: a pattern names it" is_attached k0
	stop
	log_mark
	start_with Interfaces=auto Hooks=tc TcMechanism=$mechanism
	if said "'k0': not filtered any more: it has no hardware, no default route and no address"; then
		check "$mechanism: by other words after a restart, it is let go with a warning" is_bare k0
	else
		check "$mechanism: a warning says that it is let go" false
	fi
	check "$mechanism: others are not" is_attached h0

	# Its packets are judged elsewhere: as a port it is let go, whatever it was attached for.
	ip route add default dev k0
	wait_for is_attached k0
	ip route del default
	log_mark
	reload Interfaces=auto "Hooks=cgroup"
	check "$mechanism: no hook of interfaces: let go" is_bare k0
	check "$mechanism: no hook of interfaces: with the reason" said "'k0': not filtered any more: Hooks= has neither tc nor xdp"
	remove
	ip link del k0
done
MECHANISM=tcx

# An interface is let go in favour of another only once that one is filtered: a qdisc of another tool prevents it for a while.
MECHANISM=clsact
log_mark
make_pair k0 p-k0
ip link set k0 up
ip link add k0.5 link k0 type macvlan mode bridge
ip addr add 203.0.113.225/30 dev k0.5
start_with "Interfaces=auto !h0" Hooks=tc TcMechanism=clsact
check "a macvlan on a device that is not filtered is attached" wait_for is_attached k0.5
tc qdisc add dev k0 ingress
ip addr add 203.0.113.229/30 dev k0
check "the device below gets an address, and cannot be attached" wait_for said "'k0' is not filtered"
settle_events
check "the macvlan stays attached meanwhile" is_attached k0.5
tc qdisc del dev k0 ingress
check "the device is attached in the end" wait_for is_attached k0
check "and the macvlan is let go" wait_for is_bare k0.5
remove
ip link del k0
MECHANISM=tcx

# Default routes, however they are made: each interface has no address, and one route of its own.
only() { # DEV...: what is attached, of those that begin with k
	local i on=
	for i in "$T"/sys/class/net/k*; do
		is_bare "${i##*/}" || on="$on ${i##*/}"
	done
	echo "${on# }"
}
for i in {1..9}; do
	make_pair k$i p-k$i
	ip link set k$i up
	peer ip link set p-k$i up
done
echo 0 >/proc/sys/net/ipv6/conf/k2/disable_ipv6
echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode # routes tell the number of the object alone
start_with Interfaces=auto Hooks=tc
same "no route, no address: none is attached" "" "$(only)"
ip route add 224.0.0.0/4 dev k9
ip route add 10.0.0.0/8 dev k9
ip route add 0.0.0.0/1 dev k1
check "half of all addresses" wait_for is_attached k1
ip -6 route add 2000::/3 dev k2
check "all of IPv6 that is in use" wait_for is_attached k2
ip nexthop add id 3 dev k3
ip route add default nhid 3 table 7
check "a nexthop object, in a table of its own" wait_for is_attached k3
ip nexthop add id 4 dev k4
ip nexthop add id 5 dev k5
ip nexthop add id 6 group 4/5
ip route add default nhid 6 table 8
check "a group of nexthop objects, the first" wait_for is_attached k4
check "and the second" wait_for is_attached k5
ip nexthop replace id 3 dev k6
check "a nexthop object that is replaced" wait_for is_attached k6
ip route add default table 9 nexthop dev k7 nexthop dev k8
check "a multipath route, one leg" wait_for is_attached k7
check "and the other" wait_for is_attached k8
settle_events
same "multicast or private addresses are no default route" "k1 k2 k3 k4 k5 k6 k7 k8" "$(only)"
remove
start_with Interfaces=auto Hooks=tc
same "the same at a start" "k1 k2 k4 k5 k6 k7 k8" "$(only)"
remove

# Altnames.
ip link property add dev k9 altname the-ninth-of-these-interfaces
start_with "Interfaces=the-ninth-of-these-interfaces" Hooks=tc
same "an altname" "k9" "$(only)"
check "is not pending" refuse grep -q pending <(fwctl status)
ip link property add dev k3 altname late-altname
reload "Interfaces=auto late-altname !the-ninth-of-these-interfaces" Hooks=tc
same "an altname, also to leave one out" "k1 k2 k3 k4 k5 k6 k7 k8" "$(only)"
remove
ip -all nexthop flush 2>/dev/null
for i in {1..9}; do
	ip link del k$i
done

# No interface is filtered: whatever the reason, the journal and the doctor say so.
finds() { # LEVEL REGEX
	fwctl doctor --json 2>/dev/null | json "'\n'.join(f['level'] + ' ' + f['text'] for f in d['findings'])" >"$T/findings"
	grep -Eq "^$1 .*$2" "$T/findings"
}
log_mark
start_with Interfaces=enp99s0 "Hooks=tc cgroup"
check "a name that does not exist: the journal warns" said "No interface is filtered: only what sockets send"
check "the doctor, too" finds warning "no interface is filtered, and Hooks= has tc"
check "and it names the one that has an address" finds note "'h0' has an address and is not filtered: Interfaces= leaves it out"
reload Interfaces=auto "Hooks=tc cgroup"
check "it is attached: the doctor does not warn" refuse finds warning "no interface"
log_mark
reload "Interfaces=auto !h0" "Hooks=tc cgroup"
check "excluded: the journal warns" said "No interface is filtered: only what sockets send"
reload Interfaces=nothing Hooks=cgroup
check "not wanted: nobody warns" refuse finds "(warning|note)" "not? .*filtered"
remove

# A bridge with a container: its ports are judged, each packet once.
ip netns add box
ip link add c0 type veth peer name eth0 netns box
ip -n box addr add 192.0.2.77/24 dev eth0
ip -n box link set eth0 up
ip link add br0 type bridge forward_delay 0
ip addr flush dev h0
ip link set h0 master br0
ip link set c0 master br0 up
ip link set br0 address 02:00:00:00:00:01 up
for a in $HOST4/24 $MARK_HOST/24; do
	ip addr add "$a" dev br0
done
for a in $BAD4 $GOOD4 $MARK; do
	ip neigh replace "$a" dev br0 lladdr 02:00:00:00:00:02 nud permanent
done
wait_for passes probe_ping $GOOD4 192.0.2.77 || note "the bridge does not forward"
start_with Interfaces=auto Hooks=tc
check "the way out is a bridge: its ports are attached" is_attached h0
check "both, where none is hardware" is_attached c0
check "the bridge itself is not" is_bare br0
check "the doctor says where its packets are judged" finds ok "'br0' has an address .* judged at its port"
three_steps "bridged to a container" $BAD4 probe_ping $BAD4 192.0.2.77
three_steps "to the host" $BAD4 probe_ping $BAD4 $HOST4

hits() { # LIST
	fwctl lists --json | json "next(l['hits'] for l in d['lists'] if l['name'] == '$1')"
}
fwctl list add came mode=audit >/dev/null
fwctl list add went mode=audit >/dev/null
fwctl block $GOOD4 --in -l came >/dev/null
fwctl block $GOOD4 --out -l went >/dev/null
peer ping -q -n -c 5 -i 0.05 -I $GOOD4 $HOST4 >/dev/null
same "5 pings to the host and their answers count once" "5 5" "$(hits came) $(hits went)"
peer ping -q -n -c 5 -i 0.05 -I $GOOD4 192.0.2.77 >/dev/null
same "5 pings to the container, too" "10 10" "$(hits came) $(hits went)"

# Devices on top of others, overlays, and what leads to containers of this host.
ip link add mv0 link br0 type macvlan mode bridge
ip addr add 203.0.113.130/30 dev mv0
check "macvlan on it: judged below" wait_for finds ok "'mv0' has an address .* judged at"
check "and not attached" is_bare mv0
ip link add vx0 type vxlan id 7 dstport 4789 local $HOST4 remote $GOOD4 dev br0
ip addr add 203.0.113.1/25 dev vx0
ip link set vx0 up
peer ip link add vx0 type vxlan id 7 dstport 4789 local $GOOD4 remote $HOST4 dev p0
peer ip addr add 203.0.113.2/25 dev vx0
peer ip link set vx0 up
check "vxlan is attached" wait_for is_attached vx0
three_steps "inside of vxlan" 203.0.113.2 probe_ping 203.0.113.2 203.0.113.1
[ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } || die "no /dev/net/tun"
ip tuntap add tap0 mode tap
ip addr add 203.0.113.200/30 dev tap0
check "tap with an address is attached" wait_for is_attached tap0
ip link add docker0 type bridge
ip addr add 203.0.113.204/30 dev docker0
ip link add guest type veth peer name guest-p
ip link set guest master docker0
settle_events
check "what it runs over is still judged at the same ports" is_attached c0
check "a bridge of containers alone is not" is_bare docker0
check "nor are their ends of veth pairs" is_bare guest
check "the doctor says why" finds note "'docker0' has an address and is not filtered: it connects containers"
ip link set tap0 master docker0
check "tap in such a bridge keeps what it has" is_attached tap0
remove
