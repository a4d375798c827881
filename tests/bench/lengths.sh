#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Lists whose entries all have one prefix length, for each length: a million of them, or half of all that exist if that is
# less. How long the whole commands take that load and flush one, and what memory the kernel needs for it. Prints a table in
# Markdown. See run.

set -u

: "${EBPF_FWD:?path of ebpf-fwd}" "${FWCTL:?path of fwctl}" "${ADDRESSES:?path of bench-addresses}"

N=1000000
LENGTHS4=$(seq 12 32) LENGTHS6=$(seq 12 128)
if [ "${1:-}" = --quick ]; then # where the filter goes from one place to another
	LENGTHS4="12 16 17 20 21 24 25 32" LENGTHS6="12 19 20 24 28 29 32 33 47 48 64 65 128"
fi

# shellcheck source=tests/bench/namespaces.sh
. "${0%/*}/namespaces.sh"
# shellcheck source=tests/bench/commands.sh
. "${0%/*}/commands.sh"

has bpftool || die "bpftool is missing"

kib() { # PIN-PATTERN: memory of the maps
	local pin

	for pin in "$T/bpf/fw/maps/"$1; do
		bpftool -j map show pinned "$pin"
	done | grep -o '"bytes_memlock":[0-9]*' | awk -F: '{ n += $2 } END { printf "%d", n / 1024 }'
}

row() { # 4|6 LENGTH
	local n filter table

	"$ADDRESSES" "ip$1/$2" $N 1 >"$T/list" || die "cannot make a list"
	n=$(wc -l <"$T/list")
	rm -f "$T"/time.*
	take load fwctl load bench "$T/list" --force
	filter=$(kib "filter$1_[01]") table=$(kib "table$1_[01]")
	take flush fwctl flush bench
	printf '| IPv%s /%s | %s | %.2f | %s | %s | %.2f | %s |\n' "$1" "$2" "$n" "$(median load)" "$table" "$filter" \
		"$(median flush)" "$(kib "filter$1_[01]")"
}

start
echo "| entries | n | load, s | table, KiB | filter, KiB | flush, s | filter after that, KiB |"
echo "|---|---|---|---|---|---|---|"
for length in $LENGTHS4; do
	row 4 "$length"
done
for length in $LENGTHS6; do
	row 6 "$length"
done
stop
