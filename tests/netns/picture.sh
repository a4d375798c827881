#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The picture in the README, from real output: a firewall of its own, in namespaces. Run it by hand, as root, after a
# change of what fwctl prints: tests/netns/picture.sh BUILD-DIRECTORY >share/session.svg

if [ -z "${FWCTL:-}" ]; then
	build=$(realpath "${1:?build directory}")
	export FWCTL=$build/ctl/fwctl EBPF_FWD=$build/daemon/ebpf-fwd TRAFFIC=$build/tests/netns/traffic
	export FOREIGN=$build/tests/netns/foreign SOURCE_ROOT=$build/..
	picture=$(mktemp)
	export PICTURE=$picture
	"$0" "$@" >&2
	python3 "${0%/*}/picture.py" <"$picture"
	rm "$picture"
	exit
fi
. "${0%/*}/lib.sh"

type_in() { # COMMAND...: shows it, and what it prints
	printf '$ %s\n' "$*"
	"$@" 2>&1
	echo
}

start_with
start_receivers
type_in fwctl block 192.0.2.10 203.0.113.0/24 --for 1d >"$PICTURE"
type_in fwctl block tcp/23 >>"$PICTURE"
peer "$TRAFFIC" flood $BAD4 $HOST4 $PORT 5000 20000 >/dev/null
settle
type_in fwctl show >>"$PICTURE"
type_in fwctl check 203.0.113.7 >>"$PICTURE"
type_in fwctl stats >>"$PICTURE"
type_in fwctl unblock 203.0.113.0/24 >>"$PICTURE"
check "there is a session" test -s "$PICTURE"
remove
