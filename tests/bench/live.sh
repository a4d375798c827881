#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a packet costs with a filter in its way, end to end: makes a namespace and a veth pair for each filter
# and lets bench-live send through them in turns. Runs in network, mount and process namespaces of its
# own; prints tables in Markdown. See run.

set -u

: "${EBPF_FWD:?path of ebpf-fwd}" "${FWCTL:?path of fwctl}" "${ADDRESSES:?path of bench-addresses}"
: "${LIVE:?path of bench-live}"

# shellcheck source=tests/bench/namespaces.sh
. "${0%/*}/namespaces.sh"

FILTERS=()
N_PAIRS=0
IPTABLES=$(command -v iptables-legacy || command -v iptables)

missing() { # NAME
	echo "- missing: $*"
}

inside() { # NETNS COMMAND...
	local netns=$1
	shift
	nsenter --net="/run/netns/$netns" -- "$@"
}

# A namespace with r0, which receives; what is sent from the other end gets there. Sets NETNS.
make_pair() { # [6]
	NETNS=n$N_PAIRS
	N_PAIRS=$((N_PAIRS + 1))
	ip netns add $NETNS || die "cannot make a namespace"
	ip link add s_$NETNS type veth peer name r0 address 02:00:00:00:00:01 netns $NETNS || die "cannot make a veth"
	if [ "${1:-}" = 6 ]; then
		inside $NETNS ip addr add 2001:db8::1/64 dev r0 nodad
	else
		inside $NETNS sh -c 'echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
			echo 0 >/proc/sys/net/ipv4/conf/r0/rp_filter; echo 1 >/proc/sys/net/ipv6/conf/r0/disable_ipv6'
		inside $NETNS ip addr add 192.0.2.1/24 dev r0
	fi
	inside $NETNS ip link set lo up
	inside $NETNS ip link set r0 up
	ip link set s_$NETNS up
}

# Names the pair just made to bench-live.
add() { # NAME LIST N
	FILTERS+=("$1|/run/netns/$NETNS|s_$NETNS|$2|$3")
}

list() { # plain|mixed|plain6|mixed6 N: path of the file
	local path=$T/$1.$2

	[ -f "$path" ] || "$ADDRESSES" "$1" "$2" 1 >"$path" || die "cannot make a list"
	echo "$path"
}

# --- the filters

add_fw() { # tc|xdp plain|mixed|mixed6 N
	local name=fw$1$2$3 options end=$((SECONDS + 60)) what
	local dir=$T/$name

	case $2 in
	plain) what=", addresses only" ;;
	mixed6) what=", IPv6" ;;
	*) what= ;;
	esac
	make_pair "${2//[a-z]/}"
	options="--pin-dir $T/bpf/$name --state-dir $dir/state --run-dir $dir/run"
	mkdir -p "$dir/state"
	printf '[Firewall]\nInterfaces=r0\nHooks=%s\nMaxEntries=2097152\n' "$1" >"$dir/conf"
	# shellcheck disable=SC2086 # options without spaces
	inside $NETNS "$EBPF_FWD" --config "$dir/conf" $options >"$dir/log" 2>&1 &
	# shellcheck disable=SC2086
	until "$FWCTL" lists $options >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || die "the daemon does not start: $(tail -n 5 "$dir/log")"
		sleep 0.05
	done
	# shellcheck disable=SC2086
	"$FWCTL" load bench "$(list "$2" "$3")" --force $options >"$dir/out" 2>&1 ||
		die "cannot load: $(cat "$dir/out")"
	add "ebpf-fw, ${1/tc/tcx}$what" "$2" "$3"
}

nft_script() { # LIST-FILE FLAGS [6]
	printf 'table netdev bench {\nset s {\ntype ipv%s_addr; %s\nelements = {\n' "${3:-4}" "$2"
	sed 's/$/,/' "$1"
	printf '}\n}\nchain c { type filter hook ingress device r0 priority 0; ip%s saddr @s drop; }\n}\n' "${3:-}"
}

add_nft() { # plain|interval N [6]
	local kind=mixed flags="flags interval; auto-merge;"

	[ "$1" = interval ] || kind=plain flags=
	make_pair "${3:-}"
	nft_script "$(list "$kind${3:-}" "$2")" "$flags" "${3:-}" >"$T/script"
	inside $NETNS nft -f "$T/script" || die "nft fails"
	add "nft netdev, $1 set${3:+, IPv6}" "$kind${3:-}" "$2"
}

add_ipset() { # N
	make_pair
	{
		echo "create bench hash:net family inet maxelem 4194304 hashsize 1024"
		sed 's/^/add bench /' "$(list mixed "$1")"
	} | inside $NETNS ipset restore || die "ipset fails"
	inside $NETNS "$IPTABLES" -t raw -A PREROUTING -m set --match-set bench src -j DROP || die "iptables fails"
	add "iptables raw, ipset hash:net" mixed "$1"
}

add_xdp_filter() { # N
	local map=/sys/fs/bpf/xdp-filter/filter_ipv4

	make_pair
	inside $NETNS xdp-filter load r0 -m native -f ipv4 >"$T/out" 2>&1 || die "xdp-filter fails: $(tail -n 1 "$T/out")"
	# as "xdp-filter ip -m src" does, which takes minutes for so many
	sed "s/\./ /g; s|.*|map update pinned $map key & value 1 0 0 0 0 0 0 0|" "$(list plain "$1")" >"$T/script"
	bpftool batch file "$T/script" >"$T/out" 2>&1 || die "bpftool fails: $(tail -n 1 "$T/out")"
	add "xdp-filter" plain "$1"
}

mount -t tmpfs tmpfs /run || die "cannot mount a private /run"
mkdir -p /run/netns "$T/bpf"
mount -t bpf -o mode=0700 bpf "$T/bpf" || die "cannot mount a private bpffs"
mount -t bpf bpf /sys/fs/bpf || die "cannot mount a private bpffs" # xdp-filter pins there

make_pair && add "no filter" none 0
make_pair && add "tcx, empty program" none 0
make_pair && add "xdp, empty program" none 0
make_pair && add "tcx, drops all" mixed 1
make_pair && add "xdp, drops all" mixed 1
for hook in tc xdp; do
	for n in 1 1000 1000000; do
		add_fw $hook mixed $n
	done
	add_fw $hook plain 1000
done
add_fw xdp plain 10000
make_pair && add "article's program, tcx" plain 1000
make_pair && add "article's program, xdp" plain 1000
if has nft; then
	for n in 1000 1000000; do
		add_nft plain $n
		add_nft interval $n
	done
else
	missing "nft (nftables)"
fi
if has ipset && [ -n "$IPTABLES" ]; then
	for n in 1000 1000000; do
		add_ipset $n
	done
else
	missing "ipset or iptables"
fi
if has xdp-filter; then
	add_xdp_filter 10000 # all it takes
else
	missing "xdp-filter (xdp-tools)"
fi

make_pair 6 && add "no filter, IPv6" none6 0
for n in 1000 1000000; do
	add_fw tc mixed6 $n
done
has nft && add_nft plain 1000 6

echo
"$LIVE" "$@" "${FILTERS[@]}"
