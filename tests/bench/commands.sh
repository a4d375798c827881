# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A daemon that is attached nowhere, and how long commands take. Sourced after namespaces.sh.

DAEMON=

# --- time

# Writes down what a command takes under a name, in seconds; "failed" if it fails.
take() { # NAME COMMAND...
	local name=$1 start end
	shift

	start=$EPOCHREALTIME
	"$@" >"$T/out" 2>&1
	local status=$?
	end=$EPOCHREALTIME
	if [ $status = 0 ]; then
		awk "BEGIN { print $end - $start }" >>"$T/time.$name"
	else
		echo "${0##*/}: $name: status $status: $(tail -n 3 "$T/out")" >&2
	fi
}

median() { # NAME
	[ -s "$T/time.$1" ] || return
	sort -g "$T/time.$1" | awk '{ v[NR] = $1 } END { print v[int(NR / 2) + 1] }'
}

# --- ebpf-fw

fwctl() {
	"$FWCTL" "$@" --pin-dir "$T/bpf/fw" --state-dir "$T/state" --run-dir "$T/run"
}

start() {
	local end=$((SECONDS + 20))

	mkdir -p "$T/state"
	"$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$T/bpf/fw" --state-dir "$T/state" --run-dir "$T/run" \
		>"$T/log" 2>&1 &
	DAEMON=$!
	until fwctl lists >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || die "the daemon does not start: $(tail -n 5 "$T/log")"
		sleep 0.05
	done
}

stop() {
	kill $DAEMON
	wait $DAEMON
	fwctl unload >/dev/null 2>&1
	rm -rf "$T/state"
}

mount -t tmpfs tmpfs /run || die "cannot mount a private /run"
mkdir -p "$T/bpf"
mount -t bpf -o mode=0700 bpf "$T/bpf" || die "cannot mount a private bpffs"
printf '[Firewall]\nInterfaces=none0\nHooks=tc\nMaxEntries=2097152\n' >"$T/fw.conf"
