# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tunnels without an Ethernet header, between the host and the peer of peer.sh. What a device leaves before the IP header
# of an skb differs between devices, directions and kernels; packets are judged by their inner addresses with each of
# them. Sourced by scripts inside of the system under test, after tap.sh, peer.sh and service.sh, with the service
# attached to tc alone, so that each packet that is dropped was dropped there.

tunnel_types="ipip sit gre gre-multipoint ip6tnl ip6gre vti vti6 xfrm wireguard"
inner4=198.51.100. inner6=2001:db8:9:: # with 1 on the host, 2 (to be blocked) and 3 on the peer

# One end. KEYS are for both states and policies of IPsec, which are the same at both ends but for the direction.
tunnel_end() { # TYPE LOCAL4 REMOTE4 LOCAL6 REMOTE6 DEVICE-BELOW [COMMAND-PREFIX]...
	local type=$1 l4=$2 r4=$3 l6=$4 r6=$5 below=$6
	shift 6

	case $type in
	ipip | gre) "$@" ip link add tunnel type "$type" local "$l4" remote "$r4" ttl 64 ;;
	sit) "$@" ip link add tunnel type sit local "$l4" remote "$r4" ttl 64 mode any ;;
	gre-multipoint) "$@" ip link add tunnel type gre local "$l4" key 5 ttl 64 ;;
	ip6tnl) "$@" ip link add tunnel type ip6tnl local "$l6" remote "$r6" mode any ;;
	ip6gre) "$@" ip link add tunnel type ip6gre local "$l6" remote "$r6" ;;
	vti) "$@" ip link add tunnel type vti local "$l4" remote "$r4" key 7 ;;
	vti6) "$@" ip link add tunnel type vti6 local "$l6" remote "$r6" key 7 ;;
	xfrm) "$@" ip link add tunnel type xfrm dev "$below" if_id 7 ;;
	wireguard) "$@" ip link add tunnel type wireguard ;;
	esac || return 1

	case $type in
	vti) tunnel_secure "$l4" "$r4" "mark 7" "$@" ;;
	vti6) tunnel_secure "$l6" "$r6" "mark 7" "$@" ;;
	xfrm) tunnel_secure "$l4" "$r4" "if_id 7" "$@" ;;
	esac
}

tunnel_secure() { # LOCAL REMOTE KEY [COMMAND-PREFIX]...
	local l=$1 r=$2 key=$3 any
	shift 3

	# shellcheck disable=SC2086 # a key is two words
	for ends in "src $l dst $r" "src $r dst $l"; do
		"$@" ip xfrm state add $ends proto esp spi 7 reqid 7 mode tunnel flag af-unspec $key \
			aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128 || return 1
	done
	# shellcheck disable=SC2086
	for any in 0.0.0.0/0 ::/0; do
		"$@" ip xfrm policy add src $any dst $any dir out tmpl src "$l" dst "$r" proto esp reqid 7 mode tunnel $key &&
			"$@" ip xfrm policy add src $any dst $any dir in tmpl src "$r" dst "$l" proto esp reqid 7 mode tunnel $key ||
			return 1
	done
}

tunnel_wireguard() {
	peer ip route replace $host4/32 dev to-host src $good4 || return 1 # else it sends from the first address, which is blocked
	wg genkey >"$traffic_dir/key-host" && wg genkey >"$traffic_dir/key-peer" &&
		wg set tunnel listen-port 51820 private-key "$traffic_dir/key-host" \
			peer "$(wg pubkey <"$traffic_dir/key-peer")" endpoint $good4:51820 allowed-ips 0.0.0.0/0,::/0 &&
		peer wg set tunnel listen-port 51820 private-key "$traffic_dir/key-peer" \
			peer "$(wg pubkey <"$traffic_dir/key-host")" endpoint $host4:51820 allowed-ips 0.0.0.0/0,::/0
}

tunnel_add() { # TYPE
	local n

	tunnel_end "$1" $host4 $good4 $host6 $good6 to-peer && tunnel_end "$1" $good4 $host4 $good6 $host6 to-host peer || return 1
	[ "$1" != wireguard ] || tunnel_wireguard || return 1
	ip addr add ${inner4}1/24 dev tunnel && ip addr add ${inner6}1/64 dev tunnel nodad
	for n in 2 3; do
		peer ip addr add $inner4$n/24 dev tunnel && peer ip addr add $inner6$n/64 dev tunnel nodad || return 1
	done
	ip link set tunnel up && peer ip link set tunnel up || return 1
	[ "$1" = gre-multipoint ] || return 0
	for n in 2 3; do
		ip neigh replace $inner4$n lladdr $good4 dev tunnel && ip neigh replace $inner6$n lladdr $good4 dev tunnel || return 1
	done
	peer ip neigh replace ${inner4}1 lladdr $host4 dev tunnel && peer ip neigh replace ${inner6}1 lladdr $host4 dev tunnel
}

tunnel_remove() {
	ip link del tunnel
	peer ip link del tunnel
	peer ip route del $host4/32 dev to-host src $good4
	ip xfrm state flush
	ip xfrm policy flush
	peer ip xfrm state flush
	peer ip xfrm policy flush
}

tunnel_received() { # SIDE SOURCE
	awk -v source="$2" '$1 == source { n = $2 } END { print n + 0 }' "$traffic_dir/inner-$1"
}

has_received() { # SIDE SOURCE N
	[ "$(tunnel_received "$1" "$2")" -ge "$3" ]
}

tc_dropped() { # DIRECTION
	fwctl stats --json | python3 -c "import json, sys
print(sum(h['dropped'] for h in json.load(sys.stdin)['hooks'] if (h['hook'], h['direction']) == ('tc', '$1')))"
}

# Sends 5 packets each way of each family from or to the address that is blocked or not, then 5 for the other, which arrive
# last. What tc has dropped must be what did not arrive.
tunnel_judges() { # DIRECTION N-EXPECTED
	local side=host n before after dropped r=0
	local -a sent
	local inner

	[ "$1" = ingress ] || side=peer
	for inner in $inners; do
		[ $side = host ] && sent=(2 3) || sent=(1 1)
		before=$(tunnel_received $side "$inner${sent[0]}")
		after=$(tunnel_received $side "$inner${sent[1]}")
		dropped=$(tc_dropped "$1")
		for n in 2 3; do
			if [ $side = host ]; then
				peer "$traffic" flood $inner$n "${inner}1" $port 1000 5
			else
				"$traffic" flood "${inner}1" $inner$n $port 1000 5
			fi >/dev/null || r=1
		done
		if [ $side = host ]; then
			wait_until 10 has_received host "${inner}3" $((after + 5)) || r=1
			n=$(($(tunnel_received host "${inner}2") - before))
		else # one source for both: together with the 5 of the other
			wait_until 10 has_received peer "${inner}1" $((before + 5 + $2)) || r=1
			n=$(($(tunnel_received peer "${inner}1") - before - 5))
		fi
		dropped=$(($(tc_dropped "$1") - dropped))
		echo "$1, $inner: $n of 5 delivered, $dropped dropped by tc"
		[ "$n" = "$2" ] && [ "$dropped" = $((5 - $2)) ] || r=1
	done
	return $r
}

check_tunnel() { # TYPE
	local inner pids inners="$inner4 $inner6"

	case $1 in # of which family the inner packets are
	ipip | vti) inners=$inner4 ;;
	vti6) inners=$inner6 ;;
	esac
	rm -f "$traffic_dir"/inner-*
	"$traffic" recv "$traffic_dir/inner-host" $port &
	pids=$!
	nsenter --net=/run/netns/peer -- "$traffic" recv "$traffic_dir/inner-peer" $port &
	pids="$pids $!"
	check "$1: it is filtered" wait_until 30 is_filtered tunnel
	for inner in $inners; do
		check "$1: ${inner}1 answers" wait_until 10 peer ping -q -n -c 1 -W 1 -I "${inner}3" "${inner}1"
	done
	check "$1: packets come in, with Strict=yes" tunnel_judges ingress 5
	check "$1: packets go out" tunnel_judges egress 5
	check "$1: block" fwctl block --runtime ${inner4}2 ${inner6}2
	check "$1: nothing comes in from the blocked address" tunnel_judges ingress 0
	check "$1: nothing goes out to it" tunnel_judges egress 0
	check "$1: unblock" fwctl unblock ${inner4}2 ${inner6}2
	check "$1: packets come in again" tunnel_judges ingress 5
	# shellcheck disable=SC2086 # two pids
	kill $pids
}

check_tunnels() {
	local type

	for type in $tunnel_types; do
		if tunnel_add "$type" >"$traffic_dir/tunnel" 2>&1; then
			check_tunnel "$type"
		elif ! has_own_kernel && grep -Eqi "unknown device type|not supported" "$traffic_dir/tunnel"; then
			skip_check "$type" "this machine's kernel has no tunnel device '$type'" # the summary tries that itself
		else
			check "$type: can be made" fails cat "$traffic_dir/tunnel"
		fi
		tunnel_remove >/dev/null 2>&1 || true
	done
}
