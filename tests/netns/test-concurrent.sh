#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 16: fifty fwctl at once add, remove, look and load. No acknowledged change is lost, a listing ends and
# says nothing twice, and nobody waits for ever.
. "${0%/*}/lib.sh"

N_WORKERS=50
N_TURNS=6

targets() { # of all lists, as the kernel has them
	fwctl show --json | sed -n 's/.*"target":"\([^"]*\)".*/\1/p'
}

# Each has a third of the address space of its own to itself, lists that all share, and one of its own now and then.
worker() { # NUMBER
	local i a

	for ((i = 0; i < N_TURNS; i++)); do
		a=198.18.$1.$i
		fwctl block $a -l "shared$(($1 % 3))" >/dev/null 2>&1 || echo "block $a: $?"
		fwctl check $a >/dev/null || echo "check $a after block: $?"
		case $((($1 + i) % 4)) in
		0) fwctl show >"$T/show.$1" || echo "show: $?" ;;
		1) seq 0 99 | sed "s/^/198.19.$1./" | fwctl load "own$(($1 % 5))" - --force >/dev/null 2>&1 || echo "load: $?" ;;
		2) fwctl lists >/dev/null || echo "lists: $?" ;;
		3) echo "block 198.18.$1.$((i + 100)) -l shared$(($1 % 3))" | fwctl batch - >/dev/null 2>&1 || echo "batch: $?" ;;
		esac
		if [ $((i % 2)) = 1 ]; then
			fwctl unblock $a -l "shared$(($1 % 3))" >/dev/null 2>&1 || echo "unblock $a: $?"
			fwctl check $a >/dev/null && echo "check $a after unblock: still blocked"
		fi
	done
}

# What must be there at the end.
expected() {
	local n i

	for ((n = 0; n < N_WORKERS; n++)); do
		for ((i = 0; i < N_TURNS; i++)); do
			[ $((i % 2)) = 1 ] || echo "198.18.$n.$i"
			[ $(((n + i) % 4)) != 3 ] || echo "198.18.$n.$((i + 100))"
		done
	done | sort
}

start_with
began=$SECONDS
for ((n = 0; n < N_WORKERS; n++)); do
	worker $n >"$T/worker.$n" 2>&1 &
	WORKERS[n]=$!
done
wait "${WORKERS[@]}"
note "$((SECONDS - began)) s"
same "every command of $N_WORKERS at once did what it said" "" "$(cat "$T"/worker.*)"
same "no acknowledged change is lost in the kernel" "$(expected)" "$(targets | grep '^198\.18\.' | sort)"
same "nor in the files" "$(expected)" "$(fwctl export | sed -n 's/^\(198\.18\.[0-9.]*\).*/\1/p' | sort)"
same "a listing says nothing twice" "" "$(targets | sort | uniq -d)"
same "a listing while others write says nothing twice" "" \
	"$(for f in "$T"/show.*; do awk 'NR > 1 { print $1, $2 }' "$f" | sort | uniq -d; done)"
for list in shared0 shared1 shared2 own0 own1 own2 own3 own4; do
	same "the number of entries is right: $list" "$(fwctl show $list | awk 'NR > 1' | wc -l)" "$(n_entries $list)"
done
before=$(fwctl export | sort)
stop
quietly fwctl unload
start || die "the daemon does not start"
same "a reboot finds the same" "$before" "$(fwctl export | sort)"
