#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Looking at what goes on: top, hist, stats --watch, show, lists, check. Every total is compared with what was
# sent; viewers come and go, and are killed; nothing is wider than 80 columns, long IPv6 addresses included.
. "${0%/*}/lib.sh"

LONG6=2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff

# In the background, as the process $! itself, so that it can be killed.
view() { # FILE ARGUMENT...
	local file=$1
	shift
	rm -f "$file"
	(exec "$FWCTL" "$@" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >"$file" 2>"$file.err") &
}

# Of d, the last whole object in a file of one object after the other.
latest() { # FILE EXPRESSION
	python3 -c "import json, sys
text, at, d = open('$1').read(), 0, None
while True:
	try:
		d, at = json.JSONDecoder().raw_decode(text, at)
	except ValueError:
		break
	at += len(text[at:]) - len(text[at:].lstrip())
def seen(address, key):
	return next((a[key] for a in d['addresses'] if a['address'] == address), 0)
def sizes(hook, direction, key='sizes'):
	return {b['from']: b['packets'] for h in d['hooks'] for b in h[key]
		if (h['hook'], h['direction']) == (hook, direction)}
print($2)"
}

shows() { # FILE EXPRESSION VALUE
	[ "$(latest "$1" "$2" 2>/dev/null)" = "$3" ]
}

# Waits for a view to show something, and says what it shows at last.
settles() { # NAME FILE EXPRESSION VALUE
	wait_for shows "$2" "$3" "$4"
	same "$1" "$4" "$(latest "$2" "$3")"
}

flood() { # SOURCE DESTINATION COUNT
	peer "$TRAFFIC" flood "$1" "$2" $PORT 5000 "$3" >/dev/null
}

# Is the gate for those who look at packets shut? BTF gives the fields their names.
is_shut() {
	[ "$(bpftool -j map dump pinned "$PINS/maps/policy" | json "d[0]['formatted']['value']['watch_packets']")" = 0 ]
}

is_shut_by_traffic() { # the kernel looks at the clock when a packet passes
	flood $MARK $MARK_HOST 1
	is_shut
}

is_free() {
	! test -e "$PINS/maps/seen_0"
}

# Width of the longest line of a command on a terminal of 80 columns and 24 lines; and how many lines.
on_terminal() { # ARGUMENT...
	python3 - "$FWCTL" "$@" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" <<-'END'
		import fcntl, os, pty, re, signal, struct, sys, termios
		pid, fd = pty.fork()
		if pid == 0:
		    signal.signal(signal.SIGINT, signal.SIG_DFL) # a job of a script ignores it
		    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
		    os.execv(sys.argv[1], sys.argv[1:])
		text, interrupt = b'', os.environ.get('INTERRUPT')
		while True:
		    try:
		        more = os.read(fd, 65536)
		    except OSError:
		        break
		    if not more:
		        break
		    text += more
		    if interrupt and b'sorted by' in text:
		        os.write(fd, b'\x03')
		        interrupt = None
		status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
		block = re.split(r'\x1b\[H\x1b\[J', text.decode())[-1]
		lines = block.replace('\r', '').rstrip('\n').split('\n')
		sys.stdout.write('\n'.join(lines) + '\n')
		sys.exit(status)
	END
}

fits() { # NAME ARGUMENT...
	local name=$1
	shift
	on_terminal "$@" >"$T/screen"
	check "$name: has something to say" test "$(wc -l <"$T/screen")" -ge 3
	same "$name: lines of more than 80 columns" "" "$(grep -E '^.{81}' "$T/screen")"
}

start_receivers
start_with
peer ip addr add $LONG6/64 dev p0
ip neigh replace $LONG6 dev h0 lladdr 02:00:00:00:00:02 nud permanent
ip addr add 2001:db8:aaaa:bbbb::1/64 dev h0
peer ip neigh replace 2001:db8:aaaa:bbbb::1 dev p0 lladdr 02:00:00:00:00:01 nud permanent
quietly fwctl block $BAD4

# --- top: every packet of every address, for each of several viewers.
check "nobody looks: the gate is shut" is_shut
view "$T/a" top --json --interval 200ms
A=$!
wait_for test -s "$T/a"
check "somebody looks: the gate is open" refuse is_shut
flood $GOOD4 $HOST4 300
flood $BAD4 $HOST4 200
flood $GOOD6 $HOST6 150
peer "$TRAFFIC" frame p0 syn4 $BAD4 $HOST4 $PORT 40
settles "packets that passed" "$T/a" "seen('$GOOD4', 'packets_in')" 300
settles "packets that were dropped" "$T/a" "seen('$BAD4', 'packets_in'), seen('$BAD4', 'dropped'), seen('$BAD4', 'syn')" \
	"240 240 40"
settles "packets of IPv6" "$T/a" "seen('$GOOD6', 'packets_in'), seen('$GOOD6', 'bytes_in')" "150 10050"
settles "bytes are those of the wire" "$T/a" "seen('$GOOD4', 'bytes_in')" $((300 * 47))

view "$T/b" top --json --interval 200ms --sort packets
B=$!
wait_for test -s "$T/b"
flood $GOOD4 $HOST4 100
ping -q -n -c 5 -i 0.01 $GOOD4 >/dev/null
settles "one who came first has it all" "$T/a" "seen('$GOOD4', 'packets_in'), seen('$GOOD4', 'packets_out')" "405 5"
settles "one who came later has what came since" "$T/b" "seen('$GOOD4', 'packets_in')" 105
same "sorted by packets" "$GOOD4" "$(latest "$T/b" "d['addresses'][0]['address']")"

# --- killed: the other goes on; when the last is killed its place runs out, and the kernel shuts the gate.
kill -9 $A
wait $A 2>/dev/null
flood $GOOD4 $HOST4 50
settles "one is killed, the other goes on" "$T/b" "seen('$GOOD4', 'packets_in')" 155
stop # the daemon would free the addresses, at its next window
kill -9 $B
wait $B 2>/dev/null
check "the last is killed: its place runs out, and the gate is shut" wait_for is_shut_by_traffic
check "the addresses are still there" refuse is_free
quietly fwctl hist -n 1 --interval 100ms
check "until the next one looks, at whatever" is_free
start || die "the daemon does not start again"
view "$T/a" top --json --interval 200ms
A=$!
wait_for test -s "$T/a"
kill -9 $A
wait $A 2>/dev/null
check "or until the daemon's next window" wait_for is_free
view "$T/a" top --json --interval 200ms
A=$!
wait_for test -s "$T/a"
flood $GOOD4 $HOST4 30
settles "a new one counts from zero" "$T/a" "seen('$GOOD4', 'packets_in')" 30
kill $A
wait $A
same "to be ended is no failure" 0 $?
check "the last one to leave frees the addresses" is_free
check "and shuts the gate" is_shut

# Stopped for longer than its place lasts: it takes another and counts anew.
view "$T/a" top --json --interval 200ms
A=$!
wait_for test -s "$T/a"
kill -STOP $A
wait_for is_shut_by_traffic
kill -CONT $A
check "it goes on after it was stopped" wait_for refuse is_shut
flood $GOOD4 $HOST4 70
settles "and counts what comes now" "$T/a" "seen('$GOOD4', 'packets_in')" 70
kill $A
wait $A

# All places taken is said, and not waited for.
PIDS=()
for i in {1..15}; do
	view "$T/many$i" hist --interval 500ms
	PIDS+=($!)
done
for i in {1..15}; do
	wait_for test -s "$T/many$i"
done
fwctl top -n 1 >/dev/null 2>"$T/stderr"
same "no place is left: exit status" 5 $?
check "and it says so" grep -q "15 others are watching" "$T/stderr"
kill "${PIDS[@]}"
wait "${PIDS[@]}"
check "there is room again" quietly fwctl hist -n 1 --interval 100ms

# --- hist: exact for each power of two, and as the counters have it.
view "$T/h" hist --json --interval 200ms
H=$!
wait_for test -s "$T/h"
before=$(counter tc ingress packets)
flood $GOOD4 $HOST4 123
peer "$TRAFFIC" frame p0 syn4-data $BAD4 $HOST4 $PORT 17
flood $GOOD6 $HOST6 45
total() { # HOOK DIRECTION
	latest "$T/h" "sum(sizes('$1', '$2').values())"
}
is_total() {
	[ "$(total tc ingress)" = $(($(counter tc ingress packets) - before)) ]
}
wait_for is_total
same "hist: all that tc counts" $(($(counter tc ingress packets) - before)) "$(total tc ingress)"
same "hist: 47 bytes are 32 to 63" 123 "$(latest "$T/h" "sizes('tc', 'ingress').get(32, 0)")"
same "hist: 154 bytes are 128 to 255" 17 "$(latest "$T/h" "sizes('tc', 'ingress').get(128, 0)")"
check "hist: 67 bytes are 64 to 127" test "$(latest "$T/h" "sizes('tc', 'ingress').get(64, 0)")" -ge 45
check "hist: what is dropped at tc does not come to cgroup" test "$(total cgroup ingress)" -ge 168
same "hist: a distance between each two packets on one CPU" True \
	"$(latest "$T/h" "all(0 < sum(b['packets'] for b in h['sizes']) - sum(b['skbs'] for b in h['gaps']) <= $(nproc) for h in d['hooks'] if h['direction'] == 'ingress')")"
kill $H
wait $H
same "hist: to be ended is no failure" 0 $?
view "$T/h" hist --hook tc --in --json --interval 200ms
H=$!
wait_for test -s "$T/h"
flood $GOOD4 $HOST4 10
settles "hist --hook, --in" "$T/h" "[(h['hook'], h['direction']) for h in d['hooks']]" "[('tc', 'ingress')]"
kill $H
wait $H

# --- stats --watch
view "$T/w" stats --watch=1s --json
W=$!
wait_for test -s "$T/w"
before=$(counter tc ingress dropped)
flood $BAD4 $HOST4 600
settles "stats --watch: totals" "$T/w" "sum(h['dropped'] for h in d['hooks'] if (h['hook'], h['direction']) == ('tc', 'ingress'))" \
	$((before + 600))
kill $W
wait $W
summed() { # ROWS CONDITION RATE: over all intervals, which are exact to one tenth of a second
	python3 -c "import json
d = [json.loads(line) for line in open('$T/w')]
print(540 <= sum(x['$3'] * d['interval'] for d in d for x in d['$1'] if $2) <= 660)"
}
same "stats --watch: rate and interval are what was sent" True \
	"$(summed hooks "(x['hook'], x['direction']) == ('tc', 'ingress')" dropped_per_second)"
same "stats --watch: the interface has received it" True \
	"$(summed interfaces "x['interface'] == 'h0' and 'tc' in x['hooks']" rx_packets_per_second)"
same "stats --watch: as many blocks as wanted" 3 "$(fwctl stats --watch=100ms -n 3 | grep -c '^per second')"
same "stats --watch: as long as wanted" 2 "$(fwctl stats --watch=1s --for 1500ms | grep -c '^per second')"
for wrong in "--watch=0" "--watch=1ms" "--watch=x" "-n 3" "--for 3" "--watch -n 0" "--watch --prometheus"; do
	# shellcheck disable=SC2086
	fwctl stats $wrong >/dev/null 2>&1
	same "stats $wrong: is refused" 2 $?
done
for verb in top show; do
	fwctl $verb --sort nonsense >/dev/null 2>"$T/stderr"
	same "$verb: an unknown order" 2 $?
	check "$verb: it says which there are" grep -q "is no order: .*, " "$T/stderr"
done

# --- show and lists: sorted, with what was hit
quietly fwctl list add watch mode=audit "comment=only looked at"
quietly fwctl block $GOOD4 -l watch --comment "a friend"
quietly fwctl block $LONG6 --for 1h --comment "a long one"
quietly fwctl block 203.0.113.9 --for 10m
flood $GOOD4 $HOST4 11
flood $LONG6 2001:db8:aaaa:bbbb::1 7
order() { # KEY
	fwctl show --json --sort "$1" | json "' '.join(e['target'] for e in d['entries'])"
}
same "show --sort target" "$BAD4 $GOOD4 203.0.113.9 $LONG6" "$(order target)"
same "show --sort hits" "$BAD4 $GOOD4 $LONG6 203.0.113.9" "$(order hits)"
same "show --sort until" "203.0.113.9 $LONG6 $BAD4 $GOOD4" "$(order until)"
same "show --sort last-hit: never is last" 203.0.113.9 "$(order last-hit | awk '{ print $NF }')"
# what passes is judged at tc and at cgroup, and counts at both
same "hits are exact" "[22, 7]" "$(fwctl show --json | json "[e['hits'] for e in d['entries'] if e['target'] in ('$GOOD4', '$LONG6')]")"
same "lists: counters, comment, file" "watch audit 1 22 0 22 only looked at True" \
	"$(fwctl lists --json | json "'{name} {mode} {entries} {hits} {dropped} {would_drop} {comment} {file}'.format(**next(l for l in d['lists'] if l['name'] == 'watch'))")"
quietly fwctl block 203.0.113.10 -l fleeting --runtime
check "lists: one without a file is marked" grep -q "^fleeting  block, runtime " <(fwctl lists)

# --- check: what else would hold
quietly fwctl list add second "comment=the same again"
quietly fwctl block $BAD4/28 -l second --force
quietly fwctl block tcp/23
explain() { # EXPRESSION
	fwctl check $BAD4 tcp/23 --in --json | json "$1"
}
same "check: every entry with its lists" "[('$BAD4', ['manual']), ('192.0.2.0/28', ['second']), ('tcp/23', ['manual'])]" \
	"$(explain "[(e['target'], [l['name'] for l in e['lists']]) for e in d['entries']]")"
same "check: without one the other drops, and back" "[('manual', 'drop', 'second'), ('second', 'drop', 'manual')]" \
	"$(explain "[(w['list'], w['verdict'], w['by']) for w in d['without']]")"
same "check: comments of lists" "the same again" "$(explain "d['entries'][1]['lists'][0]['list_comment']")"
quietly fwctl list disable second
same "check: a disabled list does not count" "[('manual', 'pass', None)]" \
	"$(explain "[(w['list'], w['verdict'], w['by']) for w in d['without']]")"
quietly fwctl list set second mode=audit
quietly fwctl list enable second
same "check: nor does one that audits drop" "[('manual', 'pass', 'audited'), ('second', 'drop', 'address')]" \
	"$(explain "[(w['list'], w['verdict'], w['reason']) for w in d['without']]")"
quietly fwctl allow $BAD4
same "check: without the exception" "('pass', [('manual', 'pass'), ('allow', 'drop'), ('second', 'pass')])" \
	"$(explain "(d['verdict'], [(w['list'], w['verdict']) for w in d['without']])")"
quietly fwctl unallow $BAD4
for without in manual second; do # what it says is what happens
	said=$(explain "[w['verdict'] for w in d['without'] if w['list'] == '$without'][0]")
	quietly fwctl list disable $without
	same "check: without '$without' it is as it said" "$said" "$(explain "d['verdict']")"
	quietly fwctl list enable $without
done

# --- a viewer does not outlive the firewall
view "$T/a" top --json --interval 200ms
A=$!
view "$T/b" hist --json --interval 200ms
B=$!
view "$T/w" stats --watch=200ms --json
W=$!
wait_for test -s "$T/a" -a -s "$T/b" -a -s "$T/w"
stop
quietly fwctl unload
wait $A
same "top ends when the firewall is unloaded" "3" $?
check "and says so" grep -q "was unloaded meanwhile" "$T/a.err"
wait $B
same "hist too" 3 $?
wait $W
same "stats --watch too" 3 $?
start || die "the daemon does not start again"

# --- nor its maps, where others take their place
view "$T/a" monitor --json
A=$!
wait_for test -s "$T/a"
stop
rm "$PINS/maps/ends"
start || die "the daemon does not start where the pin of a map is missing"
wait $A
same "monitor ends when the maps are new" 3 $?
# what the daemon cannot take over it removes first: who looks just then finds nothing
check "and says so" grep -Eq "was (loaded anew|unloaded) meanwhile" "$T/a.err"

# --- 80 columns
quietly fwctl block $LONG6 -l second --force
VERBS=$(fwctl help | awk '/^Verbs/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
check "help names the verbs" test "$(wc -w <<<"$VERBS")" -gt 20
same "help: lines of more than 80 columns" "" \
	"$(for verb in "" $VERBS; do fwctl help $verb | grep -E '^.{81}'; done)"
# what an error tells to choose from, help tells before
unexplained() { # WORDS VERB
	for word in $1; do
		grep -Eq "(^| )${word%,}" <(fwctl help "$2" | sed -n '/^Usage/,/^Options/p') || echo "$word"
	done
}
same "list --help: keys that it does not explain" "" \
	"$(unexplained "$(fwctl list set manual no=key 2>&1 | sed 's/.*unknown key: //')" list)"
for verb in show top; do
	same "$verb --help: orders that it does not name" "" \
		"$(unexplained "$(fwctl $verb --sort none 2>&1 | sed 's/.*is no order: //')" $verb)"
done
fits show show
check "show: a long address has a line of its own" grep -qx "$LONG6" "$T/screen"
fits lists lists
fits check check $LONG6 tcp/23
fits "stats --watch" stats --watch=100ms -n 1
fits stats stats
same "stats: is one table" 1 "$(grep -c ^HOOK "$T/screen")"
BIG=123456789012 # packets, bytes, and whatever else is counted
SIZE=$(bpftool -j map show pinned "$PINS/maps/base_counters" | json "d['bytes_value']")
for index in 0 1 2 3 4 5; do
	# shellcheck disable=SC2046
	bpftool map update pinned "$PINS/maps/base_counters" key $index 0 0 0 \
		value $(python3 -c "print(*(($BIG).to_bytes(8, 'little') * ($SIZE // 8)))") || die "cannot change the counters"
done
fits "stats of 12 digits" stats
same "stats of 12 digits: a second table has the drops" 2 "$(grep -c ^HOOK "$T/screen")"
same "stats of 12 digits through a pipe: one table all the same" 1 "$(fwctl stats | grep -c ^HOOK)"
same "stats of 12 digits: no digit is spared" "$(fwctl stats --json | json "[(h['hook'], h['direction'], h['syn'], h['unparsed']) for h in d['hooks']]")" \
	"$(python3 - "$T/screen" <<-'END'
		import sys
		text = ''.join(line for line in open(sys.argv[1]) if not line.startswith('fwctl: note: '))
		first, second = (t.splitlines()[1:] for t in text.split('\n\n'))
		print([(a[0], a[1], int(a[4]), int(b[4])) for a, b in zip(map(str.split, first), map(str.split, second))])
	END
	)"
flood_long() {
	while :; do
		flood $LONG6 2001:db8:aaaa:bbbb::1 20
		flood $GOOD4 $HOST4 20
		sleep 0.05
	done
}
flood_long &
FLOOD=$!
fits top top -n 2 --interval 500ms
check "top: has the long address" grep -qx "$LONG6" "$T/screen"
fits hist hist -n 2 --interval 500ms
check "hist: is cut off at the last line" test "$(wc -l <"$T/screen")" -le 24
INTERRUPT=yes on_terminal top >/dev/null
same "top: Ctrl-C is no failure" 0 $?
kill $FLOOD
wait $FLOOD 2>/dev/null || true

# Where nothing can be written: once, and why.
for what in "top -n 1" "hist -n 1 --json" "stats --watch=100ms -n 1" show; do
	# shellcheck disable=SC2086 # several words
	fwctl $what 2>"$T/errors" >/dev/full
	same "$what: a full disk is an error" 1 $?
	same "$what: a full disk is told in one line" "1 1" "$(wc -l <"$T/errors") $(grep -c 'Cannot write the output: No space left' "$T/errors")"
done
