#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The xdp hook on the wire, native and generic: exact counts under floods, beside programs of others, through
# whatever becomes of the interface, and on and off without a gap. Acceptance 49.
. "${0%/*}/lib.sh"

N_BLAST=100000
RATE=5000 # of a flood that lasts: to drop each packet is a matter of order, not of speed

start_receivers
without_ipv6 # each packet counts; IPv6 at this hook is in the tests of frames and of names
"$TRAFFIC" gro h0

mechanism_of() { # DEV: how our program runs at xdp there, "none" if it does not
	fwctl status --json | grep -o "{\"hook\":\"xdp\",\"direction\":\"ingress\",\"where\":\"$1\",\"mechanism\":\"[^\"]*" | sed 's|.*"||' |
		grep . || echo none
}

is_mechanism() { # DEV MECHANISM
	[ "$(mechanism_of "$1")" = "$2" ]
}

hooks_of() { # DEV: the hooks that are attached to it
	fwctl status --json | grep -o "{\"hook\":\"[a-z]*\",\"direction\":\"[a-z]*\",\"where\":\"$1\"" | cut -d '"' -f 4 | sort -u | xargs
}

has_hooks() { # DEV HOOKS
	[ "$(hooks_of "$1")" = "$2" ]
}

notes() { # TEXT: does status say this of xdp?
	fwctl status | grep -q "^xdp note .*$1"
}

for mode in native generic; do
	interfaces="Interfaces=h0 k0"
	start_with "$interfaces" "Hooks=xdp tc" XdpMode=$mode
	same "$mode: status says so" "xdp $mode" "$(mechanism_of h0)"
	same "$mode: both hooks are attached" "tc xdp" "$(hooks_of h0)"
	three_steps "$mode: udp" $BAD4 probe_udp $BAD4 $HOST4
	three_steps "$mode: ping" $BAD4 probe_ping $BAD4 $HOST4
	three_steps "$mode: a port" udp/$PORT probe_udp $BAD4 $HOST4

	fwctl block $BAD4 >/dev/null
	same "$mode: check names the hook" xdp \
		"$(fwctl check $BAD4 --in --json | json "d['directions'][0]['hooks'][0]['hook']")"
	same "$mode: of what leaves it is another" tc \
		"$(fwctl check $BAD4 --out --json | json "d['directions'][0]['hooks'][0]['hook']")"
	seen=$(counter xdp ingress dropped) listed=$(list_dropped manual) seen_tc=$(counter tc ingress dropped)
	note "$mode: $(peer "$TRAFFIC" blast p0 udp4 $BAD4 $HOST4 $N_BLAST)"
	wait_for counter_is xdp ingress dropped $((seen + N_BLAST))
	same "$mode: $N_BLAST frames are as many drops" $((seen + N_BLAST)) "$(counter xdp ingress dropped)"
	same "$mode: of which tc saw none" "$seen_tc" "$(counter tc ingress dropped)"
	same "$mode: and which count once in their list" $((listed + N_BLAST)) "$(list_dropped manual)"
	seen=$(counter xdp ingress packets) seen_tc=$(counter tc ingress packets)
	same "$mode: others pass" 20 "$(delivered $GOOD4 $HOST4 20)"
	same "$mode: and count at both hooks, with the mark" "21 21" \
		"$(($(counter xdp ingress packets) - seen)) $(($(counter tc ingress packets) - seen_tc))"

	# Restarts, and reloads that switch it off and on.
	before=$(received $BAD4)
	flood_begin $RATE
	was=$(link_of "xdp_ingress_$(ifindex h0)")
	for end in TERM KILL; do
		end_by $end
		start || die "the daemon does not start again"
	done
	same "$mode: its link is the same after restarts" "$was" "$(link_of "xdp_ingress_$(ifindex h0)")"
	for i in 1 2; do
		reload "$interfaces" Hooks=tc
		has_hooks h0 tc || note "$mode: reload $i leaves xdp on"
		reload "$interfaces" "Hooks=xdp tc" XdpMode=$mode
		is_mechanism h0 "xdp $mode" || note "$mode: reload $i leaves xdp off"
	done
	check "$mode: it went off and on" is_mechanism h0 "xdp $mode"
	same "$mode: no statistics of an egress that it does not have" 0 "$(grep -c 'xdp egress' "$T/log")"
	other=native
	[ $mode = generic ] || other=generic
	for hooks in "xdp tc" xdp; do
		reload "$interfaces" "Hooks=$hooks" XdpMode=$other
		same "$mode, Hooks=$hooks: changed to $other" "xdp $other" "$(mechanism_of h0)"
		reload "$interfaces" "Hooks=$hooks" XdpMode=$mode
		same "$mode, Hooks=$hooks: and back" "xdp $mode" "$(mechanism_of h0)"
	done
	same "$mode: xdp alone lets tc go" xdp "$(hooks_of h0)"
	reload "$interfaces" Hooks=tc
	same "$mode: tc alone lets xdp go" tc "$(hooks_of h0)"
	reload "$interfaces" "Hooks=xdp tc" XdpMode=$mode

	# What becomes of the interface.
	# Down, it must not keep a bond, the driver or another program from anything; tc stays.
	ip link set h0 down
	check "$mode: down, xdp steps aside" wait_for has_hooks h0 tc
	check "$mode: and says so" notes "h0: it is down"
	"$FOREIGN" xdp-program pass "$T/bpf/down_$mode"
	check "$mode: down, another program may come" ip link set dev h0 xdp pinned "$T/bpf/down_$mode"
	ip link set dev h0 xdp off
	ip link set h0 up
	check "$mode: up, it is back" wait_for is_mechanism h0 "xdp $mode"
	for mtu in 1400 9000 1500; do
		peer ip link set p0 mtu $mtu
		ip link set h0 mtu $mtu || note "mtu $mtu is refused"
	done
	ip link set h0 name k0
	check "$mode: renamed, it is the same" is_mechanism k0 "xdp $mode"
	ip link set k0 name h0
	ip netns add elsewhere
	ip link set h0 netns elsewhere
	ip netns exec elsewhere ip link set h0 netns 1
	for a in $HOST4/24 $MARK_HOST/24; do
		ip addr add "$a" dev h0
	done
	ip link set h0 up
	for a in $BAD4 $GOOD4 $MARK; do
		ip neigh replace "$a" dev h0 lladdr 02:00:00:00:00:02 nud permanent
	done
	ip netns del elsewhere
	check "$mode: down, up, other mtu, renamed, moved and back: attached" wait_for has_hooks h0 "tc xdp"
	same "$mode: in its mode" "xdp $mode" "$(mechanism_of h0)"
	flood_end
	same "$mode: none of the flood was delivered in all of this" 0 $(($(received $BAD4) - before))
	same "$mode: others pass after it" 10 "$(delivered $GOOD4 $HOST4 10)"

	# Deleted and made again.
	for i in 1 2 3; do
		index=$(ifindex h0)
		ip link del h0
		wait_for test ! -e "$PINS/links/xdp_ingress_$index" || note "$mode, $i: the pin of the deleted one stays"
		make_pair h0 p0
		wait_for has_hooks h0 tc || note "$mode, $i: tc is not attached while it is down"
		address_pair h0 p0
		wait_for has_hooks h0 "tc xdp" || note "$mode, $i: not attached"
	done 2>/dev/null # of IPv6, which is off
	"$TRAFFIC" gro h0
	same "$mode: deleted and made again: in its mode" "xdp $mode" "$(mechanism_of h0)"
	same "$mode: deleted and made again: it blocks" 0 "$(delivered $BAD4 $HOST4 10)"
	same "$mode: deleted and made again: others pass" 10 "$(delivered $GOOD4 $HOST4 10)"

	# Somebody else comes after us, and somebody takes our pin.
	"$FOREIGN" xdp-program pass "$T/bpf/late_$mode"
	check "$mode: another program is refused" refuse quietly ip link set dev h0 xdp pinned "$T/bpf/late_$mode"
	check "$mode: by force too" refuse quietly ip -force link set dev h0 xdp pinned "$T/bpf/late_$mode"
	check "$mode: by a link too" refuse quietly "$FOREIGN" xdp h0 "$T/bpf/late_$mode"
	for word in xdp xdpdrv xdpgeneric; do
		quietly ip link set dev h0 $word off # says nothing where it is not the mode in use
	done
	same "$mode: nobody can switch ours off" "xdp $mode" "$(mechanism_of h0)"
	rm "$PINS/links/xdp_ingress_$(ifindex h0)"
	check "$mode: a pin that was taken comes back" wait_for test -e "$PINS/links/xdp_ingress_$(ifindex h0)"
	same "$mode: ours has stayed" 0 "$(delivered $BAD4 $HOST4 10)"

	stop
	fwctl unload >/dev/null
	check "$mode: unload leaves nothing" refuse quietly grep -q xdp <(ip link show h0)
	rm -rf "$T/state" && mkdir "$T/state"
done

# Somebody else is there before us: it stays, tc filters, and we attach when it has gone.
for hooks in "xdp tc" xdp; do
	pin=$T/bpf/early_${hooks% *}
	[ "$hooks" = xdp ] && pin=${pin}_alone
	"$FOREIGN" xdp-program pass "$pin"
	ip link set dev h0 xdp pinned "$pin"
	start_with "Hooks=$hooks"
	same "Hooks=$hooks, a foreign program: tc filters" tc "$(hooks_of h0)"
	check "Hooks=$hooks, a foreign program: status says whose" notes "h0: program .* of somebody else .*'foreign'"
	check "Hooks=$hooks, a foreign program: the log says so" grep -q "'h0' has no xdp, tc filters it: program" "$T/log"
	three_steps "Hooks=$hooks, a foreign program: udp" $BAD4 probe_udp $BAD4 $HOST4
	seen=$("$FOREIGN" count "$pin")
	delivered $GOOD4 $HOST4 10 >/dev/null
	check "Hooks=$hooks, a foreign program: it goes on seeing packets" test "$("$FOREIGN" count "$pin")" -gt "$seen"
	fwctl block $BAD4 >/dev/null
	before=$(received $BAD4)
	flood_begin $RATE
	ip link set dev h0 xdp off
	check "Hooks=$hooks, the foreign program goes: ours comes" wait_for has_hooks h0 \
		"$([ "$hooks" = xdp ] && echo xdp || echo "tc xdp")"
	check "Hooks=$hooks, the foreign program is gone: no note" refuse notes "h0"
	flood_end
	same "Hooks=$hooks, a foreign program: none of the flood was delivered" 0 $(($(received $BAD4) - before))
	remove
done

# Frames in several buffers.
ip link set h0 mtu 9000
peer ip link set p0 mtu 9000
start_with "Hooks=xdp" XdpMode=native
same "mtu 9000: native" "xdp native" "$(mechanism_of h0)"
same "mtu 9000: a large frame passes" 3 "$(delivered_frames udp4-large $BAD4 $HOST4 3)"
fwctl block $BAD4 >/dev/null
seen=$(counter xdp ingress dropped_bytes)
same "mtu 9000: one of a blocked source does not" 0 "$(delivered_frames udp4-large $BAD4 $HOST4 3)"
same "mtu 9000: all its bytes count" $((3 * (14 + 20 + 8 + 4900))) $(($(counter xdp ingress dropped_bytes) - seen))
remove
ip link set h0 mtu 1500
peer ip link set p0 mtu 1500

# Generic mode is not for ever: native mode is tried again with another MTU, and at a reload.
start_with "Hooks=xdp tc" XdpMode=generic
stop
start_with "Hooks=xdp tc" XdpMode=auto
same "what is generic stays so at a start" "xdp generic" "$(mechanism_of h0)"
ip link set h0 mtu 1400
check "another mtu: native mode is tried again" wait_for is_mechanism h0 "xdp native"
ip link set h0 mtu 1500
remove
start_with "Hooks=xdp tc" XdpMode=generic
reload "Hooks=xdp tc" XdpMode=auto
check "a reload: native mode is tried again" wait_for is_mechanism h0 "xdp native"
remove

# And it is tried again from time to time: here the driver refuses while the peer has more queues. Nothing gets through
# meanwhile, and the log has a line only when it works.
ip link del h0
ip link add h0 address 02:00:00:00:00:01 numrxqueues 1 numtxqueues 1 type veth \
	peer name p0 address 02:00:00:00:00:02 numtxqueues 2 numrxqueues 2 netns peer
address_pair h0 p0 2>/dev/null # of IPv6, which is off
peer "$TRAFFIC" queues p0 2 || die "the peer has no second queue"
for hooks in "xdp tc" xdp; do
	start_with "Hooks=$hooks"
	same "Hooks=$hooks, native mode is refused: generic" "xdp generic" "$(mechanism_of h0)"
	check "Hooks=$hooks, native mode is refused: status says why" notes "h0: there is no native mode: it has too few queues"
	fwctl block $BAD4 >/dev/null
	before=$(received $BAD4)
	flood_begin $RATE
	n_lines=$(wc -l <"$T/log")
	was=$(link_of "xdp_ingress_$(ifindex h0)")
	is_another_link() {
		local now

		now=$(link_of "xdp_ingress_$(ifindex h0)" 2>/dev/null) && [ -n "$now" ] && [ "$now" != "$was" ]
	}
	check "Hooks=$hooks, native mode is refused: tried again" wait_for is_another_link
	check "Hooks=$hooks, refused again: generic" wait_for is_mechanism h0 "xdp generic"
	same "Hooks=$hooks, refused again: no word about it" "" "$(tail -n +$((n_lines + 1)) "$T/log" | grep "'h0'")"
	peer "$TRAFFIC" queues p0 1
	check "Hooks=$hooks, refused no more: native, without a reload" wait_for is_mechanism h0 "xdp native"
	same "Hooks=$hooks, native at last: the log says so, once" 1 \
		"$(tail -n +$((n_lines + 1)) "$T/log" | grep -c "'h0': filtering by xdp native")"
	flood_end
	check "Hooks=$hooks, native at last: tc as configured" has_hooks h0 "$([ "$hooks" = xdp ] && echo xdp || echo "tc xdp")"
	same "Hooks=$hooks, native at last: none of the flood was delivered" 0 $(($(received $BAD4) - before))
	remove
	peer "$TRAFFIC" queues p0 2
done
ip link del h0
make_pair h0 p0
address_pair h0 p0 2>/dev/null
"$TRAFFIC" gro h0

# Interfaces without it: a bridge has no driver that could, a tunnel no Ethernet.
ip link add b0 type bridge
ip link set b0 up
ip tuntap add t0 mode tun
ip link set t0 up
start_with "Interfaces=h0 b0 t0" "Hooks=xdp tc" "XdpInterfaces=* !h0"
same "not in XdpInterfaces=: tc alone" tc "$(hooks_of h0)"
same "a bridge: generic" "xdp generic" "$(mechanism_of b0)"
check "a bridge: status says why" notes "b0: there is no native mode: its driver has none"
same "a tunnel: tc alone" tc "$(hooks_of t0)"
check "a tunnel: status says why" notes "t0: its frames have no Ethernet header"
check "a bridge: json has it in its row" test "$(fwctl status --json |
	json "[h['reason'][:14] for h in d['hooks'] if h['where'] == 'b0' and h['hook'] == 'xdp'][0]")" = "there is no na"
reload "Interfaces=h0 b0 t0" "Hooks=xdp tc" "XdpInterfaces=b0" XdpMode=native
wait_for has_hooks b0 tc
check "a bridge: native is not to be had, tc filters" notes "b0: XdpMode=native is configured, and its driver has none"
reload "Interfaces=h0" "Hooks=xdp tc" "XdpInterfaces=* b0"
check "in XdpInterfaces= alone: status says that it is not enough" notes "b0: XdpInterfaces= names it, and Interfaces= does not"
remove
ip link set h0 master b0
ip addr flush dev h0
for a in $HOST4/24 $MARK_HOST/24; do
	ip addr add "$a" dev b0
done
ip link set b0 address 02:00:00:00:00:01 up
for a in $BAD4 $GOOD4 $MARK; do
	ip neigh replace "$a" dev b0 lladdr 02:00:00:00:00:02 nud permanent
done
start_with "Interfaces=b0 h0" Hooks=xdp
wait_for passes probe_udp $GOOD4 $HOST4
three_steps "a bridge: udp" $BAD4 probe_udp $BAD4 $HOST4
same "a bridge and its port: native at the port" "xdp native" "$(mechanism_of h0)"
fwctl block $BAD4 >/dev/null
seen=$(counter xdp ingress dropped)
same "a bridge and its port: blocked" 0 "$(delivered $BAD4 $HOST4 10)"
same "a bridge and its port: each drop counts once" 10 $(($(counter xdp ingress dropped) - seen))
