#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 100: the bpffs of the host is unmounted and mounted again, or another is mounted over it, while the daemon runs in a
# mount namespace of its own, as under the unit: it pins there, with all that was pinned, and no packet gets through.
# keeper.py does what systemd does.
. "${0%/*}/lib.sh"

mount --make-rshared / # as systemd does: of our own mount namespace

# shellcheck disable=SC2016 # for the inner shell
daemon() {
	exec python3 "${0%/*}/keeper.py" "$T/keeper" "$T/notified" bash -c '
		mkdir -p -m 0700 "$2" # ExecStartPre=+
		exec unshare --mount --propagation slave bash -c "mount --bind \"\$2\" \"\$2\" && exec \"\$1\" --config \"\$3/fw.conf\" \
			--pin-dir \"\$2\" --state-dir \"\$3/state\" --run-dir \"\$3/run\"" bash "$@"' \
		bash "$EBPF_FWD" "$PINS" "$T"
}

daemon_pid() {
	cat "$T/run/ebpf-fwd.pid"
}

fails_with_advice() { # TEXT
	fwctl lists >/dev/null 2>"$T/stderr"
	grep -q "$1" "$T/stderr"
}

link_ids() {
	local name

	for name in tc_ingress tc_egress cgroup; do
		link_of "$name"_"$(ifindex h0)" 2>/dev/null
	done
	link_of cgroup_ingress
	link_of cgroup_egress
}

mount_bpffs() {
	mount -t bpf -o mode=0700 bpf "$T/bpf"
}

has_another_daemon() { # PID
	[ "$(daemon_pid)" != "$1" ] && [ -n "$(daemon_pid)" ]
}

# What is there when it has been pinned again.
check_pinned() { # NAME
	check "$1: fwctl sees what is pinned" wait_for quietly fwctl stats
	quietly fwctl stats || die "nothing is pinned"
	same "$1: the links are the same" "$ids" "$(link_ids)"
	same "$1: entries without a file are there" 1 "$(n_entries manual | head -n 1)"
	check "$1: counters go on" test "$(dropped)" -ge "$DROPPED"
	check "$1: packets go on to be dropped" wait_for dropped_more_than "$(dropped)"
}

start_receivers
start_with
fwctl block --runtime $BAD4 >/dev/null
flood_begin 5000
ids=$(link_ids)

pid=$(daemon_pid) before=$(n_ready) DROPPED=$(dropped)
umount -l "$T/bpf"
check "unmounted: fwctl advises to mount it" fails_with_advice "mount -t bpf bpf"
kill -STOP "$pid" # it would be faster than fwctl
mount_bpffs
check "mounted again: fwctl says that the daemon pins there" fails_with_advice "it pins there within seconds"
kill -CONT "$pid"
check "the daemon starts again" wait_for has_another_daemon "$pid"
check "and is ready" wait_for is_ready_or_dead "$before"
check_pinned "mounted again"

DROPPED=$(dropped)
mount_bpffs
check_pinned "mounted over"
flood_end
same "no packet of a blocked source was delivered" 0 "$(received $BAD4)"
stop
