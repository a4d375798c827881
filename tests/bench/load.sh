#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How long it takes to load a list and to change it, against the loaders of nftables and ipset: whole
# commands that read a text file, in turns, medians. Runs in network, mount and process namespaces of its
# own; prints a table in Markdown. See run.

set -u

: "${EBPF_FWD:?path of ebpf-fwd}" "${FWCTL:?path of fwctl}" "${ADDRESSES:?path of bench-addresses}"

N=1000000
N_CHANGED=10000 # 1 %
N_BATCH=15000 N_BATCH_REMOVED=14680
ROUNDS=3 SLOW_ROUNDS=2
ADD_LIMIT=20 # seconds: an interval set takes about a minute to take one more
if [ "${1:-}" = --quick ]; then
	ROUNDS=2 SLOW_ROUNDS=1 ADD_LIMIT=5
fi

# shellcheck source=tests/bench/namespaces.sh
. "${0%/*}/namespaces.sh"
# shellcheck source=tests/bench/commands.sh
. "${0%/*}/commands.sh"

# --- input

make_inputs() {
	mkdir -p "$T/in"
	"$ADDRESSES" mixed $N 1 >"$T/in/mixed" || die "cannot make a list"
	"$ADDRESSES" plain $N 1 >"$T/in/plain" || die "cannot make a list"
	"$ADDRESSES" plain $((N_BATCH + N_CHANGED + 1)) 2 >"$T/in/more"

	{ # 1 % out, as many others in
		tail -n +$((N_CHANGED + 1)) "$T/in/mixed"
		head -n $N_CHANGED "$T/in/more"
	} >"$T/in/changed"
	awk -v n=$N_BATCH -v skip=$N_CHANGED 'NR > skip && NR <= skip + n { print "block", $1, "-l bench" }' \
		"$T/in/more" >"$T/in/batch"
	tail -n $N_BATCH_REMOVED "$T/in/mixed" | sed 's/.*/unblock & -l bench/' >>"$T/in/batch"

	nft_script plain "" >"$T/in/nft-plain"
	nft_script mixed "flags interval; auto-merge;" >"$T/in/nft-interval"
	{
		echo "create bench hash:net family inet maxelem 4194304 hashsize 1048576"
		sed 's/^/add bench /' "$T/in/mixed"
	} >"$T/in/ipset"
}

nft_script() { # LIST FLAGS
	printf 'table inet bench {\nset s {\ntype ipv4_addr; %s\nelements = {\n' "$2"
	sed 's/$/,/' "$T/in/$1"
	printf '}\n}\n}\n'
}

# --- ebpf-fw

round_fw() {
	local n

	start
	take fw-load fwctl load bench "$T/in/mixed"
	for n in 1 2 3 4 5; do
		take fw-block fwctl block 198.51.100.$n -l bench
		take fw-unblock fwctl unblock 198.51.100.$n -l bench
	done
	take fw-same fwctl load bench "$T/in/mixed"
	take fw-changed fwctl load bench "$T/in/changed"
	take fw-batch fwctl batch "$T/in/batch"
	stop
}

# --- the others

round_nft() { # plain|interval
	take "nft-$1" nft -f "$T/in/nft-$1"
	if [ "$1" = plain ]; then
		take nft-plain-add nft add element inet bench s '{ 198.51.100.77 }'
	elif [ ! -e "$T/slow" ]; then # once is enough
		: >"$T/slow"
		take nft-interval-add timeout $ADD_LIMIT nft add element inet bench s '{ 198.51.100.77 }' 2>/dev/null
	fi
	nft delete table inet bench 2>/dev/null
}

round_ipset() {
	take ipset ipset restore -file "$T/in/ipset"
	take ipset-add ipset add bench 198.51.100.77
	ipset destroy bench
}

# --- the table

ms() { # SECONDS
	[ -z "$1" ] || awk "BEGIN { printf \"%.1f ms\", $1 * 1000 }"
}

row() { # WHAT NAME GOAL-RATIO ADD-NAME
	local t add ratio=
	t=$(median "$2")
	add=$(ms "$(median "$4")")
	if [ "$4" = nft-interval-add ] && [ -z "$add" ] && [ -n "$t" ]; then
		add="over $ADD_LIMIT s"
	fi
	if [ -z "$t" ]; then
		echo "| $1 | missing | | $3 | |"
		return
	fi
	[ "$2" = fw-load ] || ratio=$(awk "BEGIN { printf \"%.1fx\", $t / $FW }")
	echo "| $1 | $(awk "BEGIN { printf \"%.2f\", $t }") | $ratio | $3 | ${add:-missing} |"
}

single() { # WHAT NAME GOAL
	local t
	t=$(median "$2")
	echo "| $1 | $(ms "${t:-}") | $3 |"
}

print() {
	FW=$(median fw-load)
	FW=${FW:-0}
	[ "$FW" != 0 ] || FW=1e9
	echo "Loading $N IPv4 entries from text, whole command; medians of $ROUNDS rounds ($SLOW_ROUNDS for the interval set)."
	echo "Mixed lengths, but for the plain set, which holds addresses only. Only ebpf-fw's is durable."
	echo
	echo "| loader | s | times ebpf-fw's | goal | one more, with these present |"
	echo "|---|---|---|---|---|"
	row "fwctl load" fw-load "at most 1.5 s" fw-block
	row "nft -f, interval set with auto-merge" nft-interval 8x nft-interval-add
	row "ipset restore, hash:net" ipset 2x ipset-add
	row "nft -f, plain set" nft-plain 1.3x nft-plain-add
	echo
	echo "| ebpf-fw with $N entries present | took | goal |"
	echo "|---|---|---|"
	single "block one" fw-block "5 ms"
	single "unblock one" fw-unblock "5 ms"
	single "load the same again" fw-same "-"
	single "load with 1 % changed" fw-changed "400 ms"
	single "batch of $N_BATCH adds and $N_BATCH_REMOVED removals" fw-batch "1000 ms"
}

make_inputs

for ((i = 0; i < ROUNDS; i++)); do
	round_fw
	has nft && round_nft plain
	has ipset && round_ipset
	if has nft && [ $i -lt $SLOW_ROUNDS ]; then
		round_nft interval
	fi
done
print
