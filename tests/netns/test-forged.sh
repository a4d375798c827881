#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 66: what a process other than the kernel sends to the daemon over netlink changes nothing, nor does what the
# kernel has sent and is no longer so, and without systemd too nobody but root looks into the run directory.
NEEDS=strace
. "${0%/*}/lib.sh"

forge_dellink() { # IFINDEX: to every netlink socket for routing in this namespace
	python3 -c '
import socket, struct, sys
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0))
message = struct.pack("=IHHIIBxHiII", 32, 17, 0, 0, 0, 0, 1, int(sys.argv[1]), 0, 0)
for line in list(open("/proc/net/netlink"))[1:]:
    words = line.split()
    if words[1] == "0" and words[2] not in ("0", str(s.getsockname()[0])):
        try:
            s.sendto(message, (int(words[2]), 0))
            print("sent")
        except OSError:
            pass' "$1"
}

says_n_interfaces() { # NUMBER
	tail -n 5 "$T/notified" | grep -q "^STATUS=Filtering on $1 interfaces"
}

is_traced() {
	grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$DAEMON/status"
}

n_rounds() { # of checks and events: each says what is attached
	grep -c '^STATUS=' "$T/notified"
}

made_more_rounds_than() { # N
	[ "$(n_rounds)" -gt "$1" ]
}

# Runs a command while the daemon is stopped. Then the daemon gets as many messages of what the command did, and for a
# moment no more, so that it acts on what was so half way through.
half_way() { # N COMMAND...
	local before tracer

	hold_daemon
	"${@:2}"
	strace -q -o /dev/null -e trace=recvmsg -e inject=recvmsg:error=EAGAIN:when=$(($1 + 1)) -p "$DAEMON" &
	tracer=$!
	wait_for is_traced
	before=$(n_rounds)
	kill -CONT "$DAEMON"
	wait_for made_more_rounds_than $((before + 1))
	kill $tracer
	wait $tracer
}

rename_twice() {
	ip link set h0 name x0
	ip link set x0 name h0
}

down_and_up() {
	ip link set h0 down
	ip link set h0 up
}

n_said() { # TEXT
	grep -c "$1" "$T/log"
}

start_with "Interfaces=h0 e1"
check "a message that says that an interface is gone reaches the daemon" test -n "$(forge_dellink "$(ifindex h0)")"
make_pair e1 e2 # an event of the kernel's, behind the forged one
check "a forged end of an interface is no end of it" wait_for says_n_interfaces 2
same "the run directory is root's alone" 700 "$(stat -c %a "$T/run")"
same "and so are its files" 600 "$(stat -c %a "$T/run/ebpf-fwd.pid" "$T/run/lock" | sort -u)"
remove

ip link set h0 down # which is told in many messages, and keeps some kernels from renaming it
for mechanism in clsact tcx; do
	start_with "Interfaces=h0" "TcMechanism=$mechanism"
	for n in {1..4}; do
		half_way "$n" rename_twice
	done
	same "$mechanism: an interface that had another name for a moment stays attached" 0 "$(n_said "not filtered any more")"
	remove
	: >"$T/log"
done
ip link set h0 up

start_with "Interfaces=h0" "Hooks=tc xdp"
for n in {1..6}; do
	half_way "$n" down_and_up
done
same "one that was down for a moment keeps xdp" 0 "$(n_said "xdp steps aside")"
