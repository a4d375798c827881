#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The doctor finds nothing where nothing is wrong, and each thing that is, with what to do about it; filters whose
# pins were lost are seen, and removed when asked for.
. "${0%/*}/lib.sh"

doctor() {
	fwctl doctor --json >"$T/doctor" 2>"$T/stderr"
}

# Is there a finding of this level and check whose text matches? A problem and a warning come with an advice.
finds() { # LEVEL CHECK REGEX
	doctor
	python3 - "$T/doctor" "$@" <<'END'
import json, re, sys
d = json.load(open(sys.argv[1]))
for f in d["findings"]:
    if f["level"] == sys.argv[2] and f["check"] == sys.argv[3] and re.search(sys.argv[4], f["text"]):
        sys.exit(0 if f["advice"] or f["level"] in ("ok", "note") else 1)
for f in d["findings"]:
    print("#", f["level"], f["check"], f["text"])
sys.exit(1)
END
}

# What is wrong, but for what the machine of the test has wrong.
wrongs() {
	doctor
	json "[(f['check'], f['text']) for f in d['findings']
		if f['level'] in ('warning', 'problem') and f['check'] not in ('kernel', 'run time')]" <"$T/doctor"
}

status_of() { # VERB [OPTION]...
	fwctl "$@" >/dev/null 2>&1
	echo $?
}

same "not loaded: exit status" 1 "$(status_of doctor)"
check "not loaded is a problem" finds problem loaded "not loaded"

start_with
same "nothing is wrong" "[]" "$(wrongs)"
if doctor; then
	check "and it says so by its status" true
else
	note "this kernel has something wrong: $(json "[f['text'] for f in d['findings'] if f['level'] == 'warning']" <"$T/doctor")"
fi
check "where it is attached" finds ok attached "tc ingress on h0 by tcx, program [0-9]+"
check "a cgroup below the root: sockets that are handed in" finds note attached "outside of '$FW_TEST_CGROUP'"
check "the cgroup" finds ok attached "cgroup egress on $FW_TEST_CGROUP by cgroup"
check "nobody else" finds ok others "nobody else"
check "the daemon runs" finds note daemon "process $DAEMON runs"
check "room" finds ok room "0 of 256 port entries"
check "the kernel" finds ok kernel "ring buffers"
check "no line has more than 80 columns on a terminal of 80" \
	python3 - "$FWCTL" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" <<'END'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], "doctor"] + sys.argv[2:])
text = b""
try:
    while chunk := os.read(fd, 65536):
        text += chunk
except OSError:
    pass
lines = text.decode().replace("\r", "").splitlines()
sys.exit(not lines or any(len(line) > 80 for line in lines))
END

# Who may not look gets no diagnosis.
chmod 755 "$T"
setpriv --reuid=65534 --regid=65534 --clear-groups "$FWCTL" doctor --pin-dir "$PINS" --run-dir "$T/run" >"$T/stdout" 2>"$T/stderr"
same "not root: exit status" 4 $?
same "and nothing is said to be wrong" "" "$(cat "$T/stdout")"

# The program ids are those of the kernel.
id=$(fwctl status --json | json "next(h['program'] for h in d['hooks'] if (h['hook'], h['direction']) == ('tc', 'ingress'))")
check "status has the program's id" finds ok attached "tc ingress on h0 by tcx, program $id\$"

# Others on the same hooks.
"$FOREIGN" tcx h0 ingress pass "$T/bpf/foreign" || die "no tcx in this kernel"
check "a tcx program of somebody else" finds note others "tcx ingress on h0: program [0-9]+.*after ours"
rm -f "$T"/bpf/foreign*
tc qdisc add dev h0 clsact
"$FOREIGN" program pass "$T/bpf/filter"
tc filter add dev h0 egress pref 50 bpf da object-pinned "$T/bpf/filter" || die "no clsact in this kernel"
check "a filter of somebody else" finds note others "clsact egress on h0: a filter of kind bpf.* priority 50"
tc qdisc del dev h0 clsact
rm -f "$T"/bpf/filter*
same "others are nothing wrong" "[]" "$(wrongs)"

# Lock-outs.
ip route add default via $GOOD4
fwctl block $GOOD4/32 --force >/dev/null
check "the gateway is cut off" finds problem lockout "$GOOD4, the default gateway, is cut off on ingress: by list 'manual'"
same "exit status" 1 "$(status_of doctor)"
fwctl allow $GOOD4 >/dev/null
same "an exception heals it" "[]" "$(wrongs)"
fwctl unallow $GOOD4 >/dev/null
fwctl unblock $GOOD4 >/dev/null
fwctl list add watch mode=audit >/dev/null
fwctl block $HOST4 -l watch --force >/dev/null
check "a list in mode audit would" finds warning lockout "$HOST4, an address of this host, would be cut off .* 'watch'"
fwctl list del watch >/dev/null
ip route del default

# Files.
fwctl block 203.0.113.1 >/dev/null
echo "203.0.113.300" >>"$T/state/lists/manual.list"
check "a broken list file" finds problem files "list 'manual', line [0-9]+: "
sed -i '$d' "$T/state/lists/manual.list"
printf '203.0.113.2' >>"$T/state/lists/manual.list"
check "a torn one" finds warning files "'manual': the last line has no end"
sed -i '$d' "$T/state/lists/manual.list"
echo x >"$T/state/lists/other.list.bad-1"
check "one that was moved aside" finds warning files "other.list.bad-1"
rm "$T/state/lists/other.list.bad-1"
same "mended" "[]" "$(wrongs)"

# Room.
for ((i = 0; i < 180; i++)); do echo "block tcp/$((1000 + 2 * i))"; done | fwctl batch - >/dev/null
check "little room is a warning" finds warning room "180 of 192 port entries of lists that block"
for ((i = 180; i < 192; i++)); do echo "block tcp/$((1000 + 2 * i))"; done | fwctl batch - >/dev/null
check "none is a problem" finds problem room "192 of 192 port entries of lists that block: full"
check "while there is room for exceptions" finds ok room "192 of 256 port entries"
for ((i = 192; i < 256; i++)); do echo "allow tcp/$((1000 + 2 * i))"; done | fwctl batch - >/dev/null
check "none for exceptions is a problem" finds problem room "256 of 256 port entries: full"
fwctl flush manual >/dev/null
fwctl flush allow >/dev/null

# Interfaces that are not there, and the daemon.
configure "Interfaces=h0 wg77"
kill -HUP "$DAEMON"
check "an interface is awaited" wait_for finds note attached "wg77"
stop
check "the daemon does not run" finds warning daemon "does not run"
fwctl unload >/dev/null

# Pins are lost while no daemon runs, on a kernel without tcx: the filters stay, and judge.
start_with TcMechanism=clsact Hooks=tc
fwctl block $BAD4 >/dev/null
stop
rm -rf "$PINS"
same "filters without pins judge" blocked "$(probe_ping $BAD4 $HOST4)"
check "the doctor finds them" finds problem orphans "tc ingress of h0 .* program [0-9]+"
same "status --quiet: packets are judged, and not as they should be" 1 "$(status_of status --quiet)"
same "status: nothing that could be changed is loaded" 3 "$(status_of status)"
fwctl status >/dev/null 2>"$T/stderr"
check "and says what is there" grep -q "2 programs of one are attached without a pin" "$T/stderr"
same "status --json names them" "[('h0', 'egress'), ('h0', 'ingress')]" \
	"$(fwctl status --json 2>/dev/null | json "sorted((h['where'], h['direction']) for h in d['orphans'])")"
fwctl unload >"$T/stdout" 2>"$T/stderr"
same "unload does not say that nothing is there" 1 $?
check "but how to go on" grep -q "unload --force" "$T/stderr"
same "and leaves them" blocked "$(probe_ping $BAD4 $HOST4)"
same "unload --force" "unloaded: 2 programs detached, no packet is filtered any more; systemctl start ebpf-fw filters again" \
	"$(fwctl unload --force)"
same "removes them" passes "$(probe_ping $BAD4 $HOST4)"
same "status --quiet: nothing is left" 3 "$(status_of status --quiet)"

# A filter at our place with another name is not ours, whatever is asked for.
"$FOREIGN" program pass "$T/bpf/filter"
tc filter add dev h0 ingress pref 66 handle 0xebf0f1 protocol all bpf da object-pinned "$T/bpf/filter" ||
	die "cannot take our place"
same "another's filter at our place: unload" 0 "$(status_of unload --force)"
check "it stays" test -n "$(tc filter show dev h0 ingress)"
tc qdisc del dev h0 clsact

# Run time.
start_with
if [ -w /proc/sys/kernel/bpf_stats_enabled ] && [ "$(cat /proc/sys/kernel/bpf_stats_enabled)" = 0 ]; then
	check "how to measure" finds ok "run time" "bpf_stats_enabled=1"
fi
same "no run time where none was measured" True "$(fwctl status --json |
	json "all(h['run_ns'] is None or h['run_ns'] > 0 for h in d['hooks'])")"
stop
