#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 67: more interfaces than the soft limit of open files allows for: start, reload and restart.
. "${0%/*}/lib.sh"

N=60
for ((i = 0; i < N; i++)); do
	echo "link add many$i type veth peer name other$i"
done | ip -batch -

says_n_interfaces() { # NUMBER
	grep '^STATUS=Filtering' "$T/notified" | tail -n 1 | grep -q "on $1 interfaces"
}

ulimit -Sn 100 # the hard limit stays
start_with "Interfaces=many*"
check "all are attached at the start" says_n_interfaces $N
check "a reload succeeds" reload "Interfaces=many* h0"
check "and attaches one more" wait_for says_n_interfaces $((N + 1))
stop
check "a restart succeeds" start
check "with all of them" says_n_interfaces $((N + 1))
