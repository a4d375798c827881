#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A second bpffs is mounted over the first while the daemon is stopped: what the first one pins goes on judging, and nobody
# says that nothing is filtered. What belongs to another firewall that runs is none of it.
. "${0%/*}/lib.sh"

start_receivers

status_of() { # VERB [OPTION]...
	fwctl "$@" >"$T/stdout" 2>"$T/stderr"
	echo $?
}

# The number of findings of this level and check whose text matches, each with an advice that matches.
findings() { # LEVEL CHECK TEXT [ADVICE]
	fwctl doctor --json 2>/dev/null | python3 -c "import json, re, sys
print(sum(f['level'] == sys.argv[1] and f['check'] == sys.argv[2] and bool(re.search(sys.argv[3], f['text'])) and
          bool(re.search(sys.argv[4], f['advice'] or '')) for f in json.load(sys.stdin)['findings']))" "$1" "$2" "$3" "${4:-}"
}

hide_pins() {
	mount -t bpf -o mode=0700 bpf "$T/bpf" || die "cannot mount a second bpffs"
}

start_with "Hooks=tc cgroup xdp"
fwctl block $BAD4 >/dev/null
same "blocked before" blocked "$(probe_udp $BAD4 $HOST4)"
same "nothing without a pin" 1 "$(findings ok orphans .)"
stop
same "the daemon is stopped: nothing without a pin" 1 "$(findings ok orphans .)"
hide_pins

# Nothing is loaded that can be seen.
same "hidden: still blocked" 0 "$(delivered $BAD4 $HOST4 5)"
same "status -q: not 'no packet is judged'" 1 "$(status_of status --quiet)"
same "status: cannot be reached" 3 "$(status_of status)"
check "it does not say that none is loaded" grep -q "5 programs of one are attached without a pin that can be seen" "$T/stderr"
same "status --json names them" "['cgroup egress $FW_TEST_CGROUP', 'cgroup ingress $FW_TEST_CGROUP', 'tc egress h0', 'tc ingress h0', 'xdp ingress h0']" \
	"$(fwctl status --json 2>/dev/null | json "sorted(' '.join((o['hook'], o['direction'], o['where'])) for o in d['orphans'])")"
same "check: cannot be asked" 3 "$(status_of check $BAD4)"
check "and says why" grep -q "attached without a pin" "$T/stderr"
same "doctor: a problem for each, and how to get at them" 5 "$(findings problem orphans "cannot be seen" "umount '$T/bpf', systemctl start")"
same "doctor does not say that lists decide nothing" 1 "$(findings problem loaded "that can be reached")"
same "unload: exit status" 1 "$(status_of unload)"
check "unload does not say that nothing is filtered" grep -q "5 programs are named and placed like ours.*go on judging" "$T/stderr"
same "and detaches nothing" 0 "$(delivered $BAD4 $HOST4 5)"

# A new start puts a second firewall next to it, and says so.
log_before=$(wc -l <"$T/log")
start || die "the daemon does not start"
check "the daemon warns of each place" test 2 -le "$(tail -n +$((log_before + 1)) "$T/log" |
	grep "no pin in '$PINS' holds them" | grep -o "program [0-9]* on [a-z]* [a-z]* of '[^']*'" | wc -l)"
fwctl unblock $BAD4 >/dev/null
check "what the new lists let pass is dropped all the same" quietly refuse fwctl check $BAD4 --in
same "it is" 0 "$(delivered $BAD4 $HOST4 5)"
check "check has a note" eval 'fwctl check $BAD4 --in 2>&1 | grep -q "more programs of a firewall are attached without a pin"'
same "status -q: not all is as it should be" 1 "$(status_of status --quiet)"
check "doctor: problems, with what is loaded now to go first" test 0 -lt "$(findings problem orphans . "systemctl stop ebpf-fw, fwctl unload, umount")"
same "they are not taken for others" 0 "$(findings note others "runs before ours")"
stop
before=$(grep -c "no pin in '$PINS' holds them" "$T/log")
start || die "the daemon does not start"
same "each start warns" $((before + 1)) "$(grep -c "no pin in '$PINS' holds them" "$T/log")"
stop

# As the doctor says.
fwctl unload >/dev/null 2>"$T/stderr"
same "unload removes what is pinned, and does not say that all is" 1 $?
umount "$T/bpf"
same "the first bpffs is back: nothing without a pin" 1 "$(findings ok orphans .)"
same "it is unloaded as ever" 0 "$(status_of unload)"
start || die "the daemon does not start"
same "and the lists are those of the files" passes "$(probe_udp $BAD4 $HOST4)"
same "without a warning" $((before + 1)) "$(grep -c "no pin in '$PINS' holds them" "$T/log")"

# Or by force.
fwctl block $BAD4 >/dev/null
stop
hide_pins
same "unload --force: exit status" 0 "$(status_of unload --force)"
check "unload --force: what it did" grep -q "5 programs detached" "$T/stdout"
same "nothing is left" 3 "$(status_of status --quiet)"
same "passes" 5 "$(delivered $BAD4 $HOST4 5)"
umount "$T/bpf"
fwctl unload >/dev/null

# Another firewall of this kind: its daemon runs, or its pins are to be seen.
other() {
	exec "$EBPF_FWD" --config "$T/other.conf" --pin-dir "$T/other/fw" --state-dir "$T/other-state" --run-dir "$T/other-run"
}

mkdir -p "$T/other" "$T/other-state"
mount -t bpf -o mode=0700 bpf "$T/other" || die "cannot mount another bpffs"
printf '[Firewall]\nInterfaces=h0\nHooks=tc cgroup\nCgroup=%s\n' "$FW_TEST_CGROUP" >"$T/other.conf"
before=$(n_ready)
NOTIFY_SOCKET=$T/notify other >>"$T/log" 2>&1 &
DAEMON=$!
wait_for is_ready_or_dead "$before"
same "another firewall runs: no orphans" 1 "$(findings ok orphans .)"
same "and status says not loaded" 3 "$(status_of status --quiet)"
OTHER=$DAEMON
start_with "Hooks=cgroup"
same "doctor warns of its programs on our cgroup" 2 "$(findings warning others "'fw_cgroup_(in|out)', of another firewall of this kind" "set Hooks=tc")"
stop
fwctl unload >/dev/null
DAEMON=$OTHER
stop
same "another firewall's pins are to be seen: no orphans" 1 "$(findings ok orphans .)"
same "unload --force says that nothing is loaded" 0 "$(status_of unload --force)"
check "and leaves it attached" test 1 = "$("$FOREIGN" attached h0 ingress)"
umount -l "$T/other"
