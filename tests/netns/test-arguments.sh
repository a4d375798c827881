#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 17 and 18: what no firewall should take for an address, and what nobody should block in passing.
. "${0%/*}/lib.sh"

start_with
fwctl block 203.0.113.0/24 >/dev/null
all=$(fwctl show --json)

# Bad input is 2, a guarded target 1. Exit status, one line on stderr without control characters, nothing changed.
refuses() { # STATUS NAME ARGUMENT...
	local status=$1 name=$2 n_lines
	shift 2
	fwctl block "$@" >/dev/null 2>"$T/stderr"
	same "$name: exit status" "$status" $?
	n_lines=$(wc -l <"$T/stderr")
	same "$name: one line" 1 "$n_lines"
	check "$name: escaped" refuse grep -q '[[:cntrl:]]' "$T/stderr"
	check "$name: short" test "$(wc -c <"$T/stderr")" -lt 600
	same "$name: nothing changed" "$all" "$(fwctl show --json)"
}

refuses 2 "prefix too long, IPv4" 192.0.2.1/33
refuses 2 "prefix too long, IPv6" ::1/129
refuses 2 "negative prefix" 192.0.2.1/-1
refuses 2 "hexadecimal" 0xc0.0.2.1
refuses 2 "three parts" 192.0.2
refuses 2 "octal" 0300.0.2.1
refuses 2 "leading zero" 192.0.02.1
refuses 2 "one number" 3221225985
refuses 2 "a name" localhost
refuses 2 "empty" ""
refuses 2 "space" " 192.0.2.1"
refuses 2 "zone" fe80::1%eth0
refuses 2 "newline" $'192.0.2.1\n198.51.100.0/24'
refuses 2 "escape" $'\e[31m192.0.2.1'
refuses 2 "delete" $'192.0.2.1\x7f'
refuses 2 "not UTF-8" $'\xff\xfe'
refuses 2 "a megabyte in small" "$(printf '%0100000d' 1)"
refuses 2 "port out of range" tcp/65536
refuses 2 "port backwards" tcp/90-80
refuses 2 "unknown protocol" icmp/8
refuses 2 "range backwards" 192.0.2.9-192.0.2.1
refuses 2 "range over families" 192.0.2.1-2001:db8::1
refuses 2 "good and bad together" 198.51.100.77 198.51.100.78/99
refuses 2 "nothing behind --" --

refuses 1 "loopback" 127.0.0.1
refuses 1 "loopback within" 127.0.0.0/8
refuses 1 "loopback, IPv6" ::1
refuses 1 "our own address" $HOST4
refuses 1 "our own address in a prefix" 192.0.2.0/24
refuses 1 "our own address, IPv6" $HOST6
refuses 1 "everything" 0.0.0.0/0
refuses 1 "everything, IPv6" ::/0
refuses 1 "half of everything" 128.0.0.0/1
refuses 1 "a /7" 198.0.0.0/7
ip route add default via $GOOD4
refuses 1 "the default gateway" $GOOD4
ip route del default

check "a guarded target with --force" quietly fwctl block $HOST4 --force
check "is there" quietly fwctl check $HOST4 --in
check "and goes" quietly fwctl unblock $HOST4
check "host bits are masked" quietly fwctl block 198.51.100.130/25
same "to the prefix" 198.51.100.128/25 \
	"$(fwctl show --json | json "[e['target'] for e in d['entries'] if e['target'].startswith('198')][0]")"
check "blocking twice is done" quietly fwctl block 198.51.100.128/25
check "unblocking what is absent is done" quietly fwctl unblock 203.0.113.99
fwctl unblock 203.0.113.99 --strict 2>/dev/null
same "but not with --strict" 1 $?
fwctl check 198.51.100.200 >/dev/null
same "check: dropped" 0 $?
fwctl check 192.0.2.77 >/dev/null
same "check: passes" 1 $?
fwctl no-such-verb 2>/dev/null
same "an unknown verb" 2 $?

"$FWCTL" block 198.18.0.50 --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/misspelt/run" 2>"$T/stderr"
same "a run directory without a parent" 1 $?
check "is named" grep -q "misspelt/run.*--run-dir" "$T/stderr"
"$FWCTL" block 198.18.0.50 --pin-dir "$PINS" --state-dir "$T/misspelt/state" --run-dir "$T/run" 2>"$T/stderr"
same "a state directory without a parent" 1 $?
check "is named, too" grep -q "misspelt/state" "$T/stderr"
check "neither is made" test ! -e "$T/misspelt"
check "and nothing was changed" refuse quietly fwctl check 198.18.0.50
