#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A port of a container that the host publishes under another number by DNAT: which number and which address does each hook
# judge? The rows of "What is judged where" in fwctl(8) for it, each hook alone, as packets show. The others are in test-cgroup.sh.
NEEDS=nft
. "${0%/*}/lib.sh"

BOX4=203.0.113.2 BOX_HOST4=203.0.113.1
PUBLISHED=8080 INSIDE=8000

ip netns add box
ip link add k0 type veth peer name c0 netns box
ip addr add $BOX_HOST4/24 dev k0
ip link set k0 up
nsenter --net=/run/netns/box -- bash -c "ip link set lo up; ip addr add $BOX4/24 dev c0; ip link set c0 up
	ip route add default via $BOX_HOST4"
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<-END || skip "this kernel has no DNAT"
	table ip publish {
		chain prerouting {
			type nat hook prerouting priority -100
			tcp dport $PUBLISHED dnat to $BOX4:$INSIDE
		}
		chain output {
			type nat hook output priority -100
			ip daddr $HOST4 tcp dport $PUBLISHED dnat to $BOX4:$INSIDE
		}
	}
END
inside nsenter --net=/run/netns/box -- "$TRAFFIC" sink $INSIDE &

answer() { # RUN SOURCE DESTINATION PORT
	case $("$1" "$TRAFFIC" try tcp "$2" "$3" "$4") in
	ok) echo passes ;;
	EINPROGRESS) echo blocked ;;
	*) echo "connect fails" ;;
	esac
}

from_outside() { # to the published port
	answer peer $GOOD4 $HOST4 $PUBLISHED
}

from_host() { # to the same, of which the host knows the address of the container
	answer inside $HOST4 $HOST4 $PUBLISHED
}

does_pass() { # COMMAND...
	[ "$("$@")" = passes ]
}

wait_for does_pass from_outside || die "nothing is published"
wait_for does_pass from_host || die "nothing is published to the host"

# By hook: the published port, the port in the container, the address of the client.
while read -r hook published inside address; do
	start_with Hooks="$hook"
	quietly fwctl block tcp/$PUBLISHED
	same "$hook: the published port is blocked" "$published" "$(from_outside)"
	same "$hook: the published port is blocked, and the host asks" passes "$(from_host)"
	quietly fwctl unblock tcp/$PUBLISHED
	quietly fwctl block tcp/$INSIDE
	same "$hook: the port in the container is blocked" "$inside" "$(from_outside)"
	same "$hook: the port in the container is blocked, and the host asks" passes "$(from_host)"
	quietly fwctl unblock tcp/$INSIDE
	quietly fwctl block $GOOD4
	same "$hook: the client is blocked" "$address" "$(from_outside)"
	quietly fwctl unblock $GOOD4
	same "$hook: nothing is blocked" passes "$(from_outside)"
	remove
done <<-END
	xdp blocked passes blocked
	tc blocked passes blocked
	cgroup passes passes blocked
END
