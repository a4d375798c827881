#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 66: what a process other than the kernel sends to the daemon over netlink changes nothing, and without
# systemd too nobody but root looks into the run directory.
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

start_with "Interfaces=h0 e1"
check "a message that says that an interface is gone reaches the daemon" test -n "$(forge_dellink "$(ifindex h0)")"
make_pair e1 e2 # an event of the kernel's, behind the forged one
check "a forged end of an interface is no end of it" wait_for says_n_interfaces 2
same "the run directory is root's alone" 700 "$(stat -c %a "$T/run")"
same "and so are its files" 600 "$(stat -c %a "$T/run/ebpf-fwd.pid" "$T/run/lock" | sort -u)"
