#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole story, played in two network namespaces: "host" has the firewall, "peer" is cut off. Every
# line after a prompt is a command as it is run, every other line is what it printed. The host that
# this runs on sees nothing of it: namespaces, bpffs, cgroup and state are the demo's own and end with it.
# Usage: demo.sh BUILD-DIRECTORY. Exit status: 0 the story holds, 1 it does not, 77 cannot be played here.

set -euo pipefail

host_address=192.0.2.1
peer_address=192.0.2.2

skip() {
	printf 'demo: cannot be played here: %s\n' "$*" >&2
	exit 77
}

fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

say() {
	printf '\n# %s\n' "$*"
}

# Runs a command behind a prompt. Its status is shown where it is not 0, and returned in $status.
run() {
	local prompt=$1
	shift

	printf '%s %s\n' "$prompt" "${*@Q}" | sed "s/'\([][A-Za-z0-9_.:=/,-]*\)'/\1/g"
	status=0
	"${command[@]}" "$@" || status=$?
	[ "$status" -eq 0 ] || printf '(exit status %s)\n' "$status"
}

host() {
	local command=()

	run 'host#' "$@"
}

peer() {
	local command=(nsenter "--net=/proc/$peer_pid/ns/net")

	run 'peer$' "$@"
}

peer_passes() {
	peer ping -c 2 -i 0.2 -W 1 "$host_address"
	[ "$status" -eq 0 ] || fail "expected the ping to pass"
}

peer_is_blocked() {
	peer ping -c 2 -i 0.2 -W 1 "$host_address"
	[ "$status" -ne 0 ] || fail "expected the ping to die"
}

# Knocks at a port nobody listens on: a refusal comes from the host, silence means the SYN is dropped.
peer_knocks() {
	peer timeout 2 bash -c ": >/dev/tcp/$host_address/80"
}

# Waits until a line of the daemon's log matches, for at most $1 seconds, and shows it.
show_log_line() {
	local end=$((SECONDS + $1))

	until tail -n +"$((log_seen + 1))" "$work/daemon.log" | grep -E -m 1 "$2"; do
		[ "$SECONDS" -lt "$end" ] || fail "no line of the daemon matches '$2': $(cat "$work/daemon.log")"
		sleep 0.2
	done
}

# Prints where the cgroup2 hierarchy is mounted.
find_cgroup2() {
	awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo
}

make_namespaces() {
	unshare --net sleep infinity &
	peer_pid=$!
	until [ "$(readlink "/proc/$peer_pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
		sleep 0.05
	done

	ip link set lo up
	ip link add to-peer type veth peer name to-host netns "$peer_pid"
	ip addr add "$host_address/24" dev to-peer
	ip link set to-peer up
	nsenter "--net=/proc/$peer_pid/ns/net" sh -c "ip link set lo up; ip addr add $peer_address/24 dev to-host; ip link set to-host up"
}

# Commands by their plain names, on this demo's own pins and lists.
make_commands() {
	local options="--pin-dir=$work/bpf/fw --state-dir=$work/state --run-dir=$work/run" program

	mkdir -p "$work/bin" "$work/bpf" "$work/state" "$work/run"
	mount -t bpf -o mode=0700 bpf "$work/bpf"
	for program in daemon/ebpf-fwd ctl/fwctl; do
		[ -x "$build/$program" ] || fail "'$build/$program' is missing: build first"
		printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$build/$program" "$options" >"$work/bin/${program#*/}"
		chmod +x "$work/bin/${program#*/}"
	done
	PATH=$work/bin:$PATH

	hooks="tc cgroup"
	cgroup=$(find_cgroup2)/ebpf-fw-demo-$$
	if ! mkdir "$cgroup" 2>/dev/null; then
		cgroup=
		hooks=tc
	fi
	printf '[Firewall]\nInterfaces=to-peer\nHooks=%s\nCgroup=/%s\n' "$hooks" "${cgroup##*/}" >"$work/demo.conf"
}

start_daemon() {
	printf 'host# ebpf-fwd --config demo.conf &\n'
	ebpf-fwd --config "$work/demo.conf" >"$work/daemon.log" 2>&1 &
	daemon_pid=$!
	until fwctl status --quiet 2>/dev/null; do
		kill -0 "$daemon_pid" 2>/dev/null || fail "the daemon does not start: $(cat "$work/daemon.log")"
		sleep 0.1
	done
	cat "$work/daemon.log"
}

clean_up() {
	local pid

	for pid in ${daemon_pid:-} ${peer_pid:-}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	if [ -d "$work/bpf/fw" ]; then
		fwctl unload >/dev/null 2>&1 || true # what is left ends with the bpffs, a line below
	fi
	umount "$work/bpf" 2>/dev/null || true
	[ -z "${cgroup:-}" ] || rmdir "$cgroup" || true
	rm -rf "$work"
}

play() {
	say "Two machines: host $host_address, and its peer $peer_address. The firewall starts on the host."
	start_daemon
	host fwctl status

	say "The peer reaches the host: ping is answered, and TCP port 80 is refused, for nobody listens there."
	peer_passes
	peer_knocks
	[ "$status" -eq 1 ] || fail "expected a refusal"

	say "The host blocks its peer. The ping dies, and TCP meets silence."
	host fwctl block "$peer_address"
	[ "$status" -eq 0 ] || fail "expected success"
	log_seen=$(wc -l <"$work/daemon.log")
	peer_is_blocked
	peer_knocks
	[ "$status" -eq 124 ] || fail "expected no answer"

	say "The daemon's line of the last 5 seconds shows the SYN, and what was dropped."
	show_log_line 12 'tc ingress.*dropped [1-9]'
	host fwctl show

	say "The daemon is killed. The kernel goes on without it, and so does fwctl."
	host kill -9 "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null || true
	daemon_pid=
	peer_is_blocked
	host fwctl check "$peer_address"

	say "The host lets its peer in again."
	host fwctl unblock "$peer_address"
	[ "$status" -eq 0 ] || fail "expected success"
	peer_passes

	say "Totals of everything that was judged; then the firewall goes, and leaves nothing."
	host fwctl stats
	host fwctl unload
	[ "$status" -eq 0 ] || fail "expected success"
}

[ $# -ge 1 ] || fail "usage: demo.sh BUILD-DIRECTORY"
build=$(cd "$1" && pwd)
if [ "${2:-}" != unshared ]; then
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	unshare --mount --net true 2>/dev/null || skip "no right to make namespaces"
	exec unshare --mount --net --propagation private "$0" "$build" unshared
fi

work=$(mktemp -d)
trap clean_up EXIT
trap 'exit 1' INT TERM
exec 2>&1 # what commands say of errors stays in its place
make_commands
make_namespaces
play
