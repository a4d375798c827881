#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the journal gets, from the daemon and from fwctl: whom most was dropped of, what has ended, who has changed
# what; few records however much happens; and nobody waits for a journal that hangs.
. "${0%/*}/lib.sh"

: "${SOURCE_ROOT:?}"
. "${0%/*}/records.sh"
CATALOG=$SOURCE_ROOT/systemd/ebpf-fw.catalog

without_ipv6
start_receivers
start_with StatsIntervalSec=1

IS_IDLE="r['FW_HOOK'] == 'all' and r['FW_DIRECTION'] == 'both' and r['FW_TOTAL'] == '0'"
IS_BUSY="r['FW_HOOK'] != 'all'"

has_windows() { # NUMBER [CONDITION]
	[ "$(n_records WINDOW "${2:-True}")" -ge "$1" ]
}

# An idle machine gets one record a window, a busy one no record of hooks without packets.
check "a window" wait_for has_record WINDOW "r['SYSLOG_IDENTIFIER'] == 'ebpf-fwd'"
settle # the last packet is in a window that has ended before the next one
wait_for has_record WINDOW "r['FW_HOOK'] == 'cgroup' and r['FW_DIRECTION'] == 'ingress'"
forget
check "an idle window is one record" wait_for has_windows 4 "$IS_IDLE"
same "and not one of each hook" 0 "$(n_records WINDOW "$IS_BUSY")"
check "it reads well" has_record WINDOW "r['MESSAGE'] == 'all hooks: total 0, syn 0, dropped 0 (1 s)'"
same "a window apart" 0 "$(records WINDOW "sum(int(r['FW_INTERVAL_USEC']) < 900000 for r in rows)")"
forget
delivered $GOOD4 $HOST4 7 >/dev/null
check "a busy window has a record of each hook with packets" wait_for has_record WINDOW "r['FW_HOOK'] == 'cgroup'"
wait_for has_record WINDOW "$IS_IDLE"
same "and none of those without" 0 "$(n_records WINDOW "$IS_BUSY and r['FW_TOTAL'] == '0'")"
same "with all of the packets" 8 "$(sum_of WINDOW FW_TOTAL "r['FW_HOOK'] == 'tc'")" # one is the mark

reload StatsIntervalSec=1 StatsIdle=no
forget
delivered $GOOD4 $HOST4 3 >/dev/null
check "StatsIdle=no: a busy window has its records" wait_for has_record WINDOW "r['FW_HOOK'] == 'cgroup'"
before=$(stat -c %i "$T/run/stats")
is_another_window() {
	[ "$(stat -c %i "$T/run/stats")" != "$before" ]
}
check "StatsIdle=no: windows go on" wait_for is_another_window
same "StatsIdle=no: and idle ones have no record" 0 "$(n_records WINDOW "$IS_IDLE")"

reload StatsIntervalSec=0
forget
fwctl block $BAD4 >/dev/null
delivered $BAD4 $HOST4 3 >/dev/null
for i in 1 2; do # two checks are 5 seconds apart
	rm "$PINS/progs/fw_check"
	check "StatsIntervalSec=0: check $i of what is pinned" wait_for test -e "$PINS/progs/fw_check"
done
same "StatsIntervalSec=0: no window has a record" "0 0" "$(n_records WINDOW) $(n_records SOURCE)"
check "StatsIntervalSec=0: nor is the last one saved" refuse test -e "$T/run/stats"
reload StatsIntervalSec=1
check "StatsIntervalSec=1: windows begin again" wait_for has_record WINDOW
same "StatsIntervalSec=1: without what was counted before" 0 "$(sum_of WINDOW FW_TOTAL)"
fwctl unblock $BAD4 >/dev/null
forget

# fwctl: who, whom, where, how long and why.
fwctl block $BAD4 --for 1h --comment "ssh guesses" >/dev/null
check "block" has_record ADDED "r['FW_TARGET'] == '$BAD4' and r['FW_LIST'] == 'manual' and r['FW_RESULT'] == 'blocked'
	and r['FW_COMMENT'] == 'ssh guesses' and r['FW_DIRECTION'] == 'both' and r['FW_UID'] == '0'"
check "it has its end" has_record ADDED "abs(int(r['FW_UNTIL']) - $(date +%s) - 3600) < 60"
check "it is one of the daemon's unit" has_record ADDED "r['OBJECT_PID'] == '$DAEMON' and r['SYSLOG_IDENTIFIER'] == 'fwctl'"
check "it reads well" has_record ADDED "r['MESSAGE'] == 'blocked $BAD4 for 1h, list manual: ssh guesses'"
SUDO_UID=1000 fwctl allow $GOOD4 >/dev/null
check "allow, by somebody with sudo" has_record ADDED "r['FW_RESULT'] == 'allowed' and r['FW_UID'] == '1000'"
fwctl unallow $GOOD4 >/dev/null
check "unallow" has_record REMOVED "r['FW_TARGET'] == '$GOOD4' and r['FW_LIST'] == 'allow'"
fwctl unblock 203.0.113.99 >/dev/null 2>&1
same "what was not there has no record" 0 "$(n_records REMOVED "r['FW_TARGET'] == '203.0.113.99'")"
fwctl block $HOST4 2>/dev/null
same "what was refused has none" 0 "$(n_records ADDED "r['FW_TARGET'] == '$HOST4'")"
fwctl list add watch mode=audit >/dev/null
check "a new list" has_record POLICY "r['FW_LIST'] == 'watch' and r['FW_MODE'] == 'audit' and r['FW_RESULT'] == 'added'"
printf '%s\n' 203.0.113.1 203.0.113.2 203.0.113.3 | fwctl load watch - >/dev/null
check "load" has_record REPLACED "r['FW_LIST'] == 'watch' and r['FW_RESULT'] == 'loaded' and r['FW_ADDED'] == '3'"
printf '%s\n' 203.0.113.1 | fwctl load watch - --dry-run --force >/dev/null
same "a dry run has none" 1 "$(n_records REPLACED)"
fwctl flush watch >/dev/null
check "flush" has_record REPLACED "r['FW_RESULT'] == 'flushed' and r['FW_REMOVED'] == '3'"
forget
for ((i = 0; i < 500; i++)); do echo "block 2001:db8:1::$i"; done | fwctl batch - >/dev/null
same "a batch is one record" "1 0" "$(n_records BATCH "r['FW_ADDED'] == '500'") $(n_records ADDED)"
forget
fwctl block 203.0.113.{1..60} >/dev/null
same "many targets: some by name, the rest by number" "20 1" \
	"$(n_records ADDED) $(n_records BATCH "r['FW_ADDED'] == '40'")"
forget
fwctl block 203.0.113.{1..80} >/dev/null
same "some of them refreshed: the first by name" 20 "$(n_records ADDED "r['FW_REFRESHED'] == '1'
	and r['MESSAGE'].startswith('refreshed, already blocked 203.0.113.')")"
same "and the rest by number" 1 "$(n_records BATCH "r['FW_ADDED'] == '20' and r['FW_REFRESHED'] == '40'")"
fwctl flush manual >/dev/null

# Of whom most was dropped: exactly, where it is little.
forget
fwctl block $BAD4 -l fail2ban/sshd >/dev/null 2>&1
fwctl block $GOOD4 --out >/dev/null
same "0 of 20 arrive" 0 "$(delivered $BAD4 $HOST4 20)"
ping -q -c 3 -i 0.05 -W 0.1 $GOOD4 >/dev/null
check "dropped from" wait_for has_record SOURCE "r['FW_SRC'] == '$BAD4' and r['FW_HOOK'] == 'tc'
	and r['FW_LIST'] == 'fail2ban/sshd' and r['FW_ESTIMATE'] == 'no' and r['FW_REASON'] == 'address'"
check "dropped to" wait_for has_record SOURCE "r['FW_DST'] == '$GOOD4' and r['FW_LIST'] == 'manual'"
drops_are_told() { # NUMBER
	[ "$(sum_of SOURCE FW_DROPPED "r['FW_SRC'] == '$BAD4'")" = "$1" ]
}
check "all of them" wait_for drops_are_told 20
same "the windows say the same" 20 "$(sum_of WINDOW FW_DROPPED "r['FW_HOOK'] == 'tc' and r['FW_DIRECTION'] == 'ingress'")"
check "it reads well" has_record SOURCE "r['MESSAGE'].startswith('dropped from $BAD4: ')
	and r['MESSAGE'].endswith(' s)') and ' packets, list fail2ban/sshd (' in r['MESSAGE']"

# A list is removed within the window, and the next one gets its number.
reload StatsIntervalSec=3 LogDrops=5
forget
fwctl block $BAD4 -l gone >/dev/null 2>&1
fwctl unblock $BAD4 -l fail2ban/sshd >/dev/null
same "0 of 20 arrive" 0 "$(delivered $BAD4 $HOST4 20)"
fwctl list del gone --force >/dev/null
fwctl block 198.18.0.99 -l innocent >/dev/null 2>&1
check "dropped from: all of them" wait_for drops_are_told 20
check "the list that dropped is named" has_record SOURCE "r['FW_SRC'] == '$BAD4' and r['FW_LIST'] == 'gone'"
same "the one that has its number now is not" 0 "$(n_records SOURCE "r['FW_LIST'] == 'innocent'")"

# The same while the daemon is far behind, and reads the drops when all that has happened.
fwctl list del innocent --force >/dev/null
forget
fwctl block $BAD4 -l gone >/dev/null 2>&1
hold_daemon
same "the daemon is behind: 0 of 20 arrive" 0 "$(delivered $BAD4 $HOST4 20)"
fwctl list del gone --force >/dev/null
fwctl block 198.18.0.99 -l innocent >/dev/null 2>&1
kill -CONT "$DAEMON"
check "the daemon is behind: all of them are told" wait_for drops_are_told 20
same "the daemon is behind: as drops of the list that dropped" "gone" \
	"$(records SOURCE "' '.join(sorted({r['FW_LIST'] for r in rows if r['FW_SRC'] == '$BAD4'}))")"
forget
fwctl block $BAD4 -l innocent >/dev/null 2>&1
hold_daemon
same "the daemon is behind, two lists since: 0 of 20 arrive" 0 "$(delivered $BAD4 $HOST4 20)"
for name in innocent other innocent; do
	fwctl list del $name --force >/dev/null 2>&1
	fwctl block 198.18.0.99 -l next-$name >/dev/null 2>&1
	fwctl list del next-$name --force >/dev/null 2>&1
done
fwctl block 198.18.0.99 -l innocent >/dev/null 2>&1
kill -CONT "$DAEMON"
check "the daemon is behind, two lists since: all of them are told" wait_for drops_are_told 20
same "the daemon is behind, two lists since: none is named for another" "" \
	"$(records SOURCE "' '.join(sorted({r['FW_LIST'] for r in rows if r['FW_SRC'] == '$BAD4'}))")"
fwctl list del innocent --force >/dev/null
fwctl block $BAD4 -l fail2ban/sshd >/dev/null 2>&1
reload StatsIntervalSec=1

# Each counter is under its own name, and a restart neither loses nor repeats any of it.
tells() { # FIELD NUMBER: at tc ingress
	[ "$(sum_of WINDOW "$1" "r['FW_HOOK'] == 'tc' and r['FW_DIRECTION'] == 'ingress'")" = "$2" ]
}
send_frames() { # NAME COUNT
	peer "$TRAFFIC" frame p0 "$1" $GOOD4 $HOST4 $PORT "$2"
}
forget
send_frames syn4 3 && send_frames syn-ack4 5 && send_frames ihl4 2
check "3 SYN are told" wait_for tells FW_SYN 3
check "5 SYN with ACK are told" wait_for tells FW_SYN_ACK 5
check "2 unparsed packets are told" wait_for tells FW_UNPARSED 2
same "no record says that the daemon was down" 0 "$(n_records WINDOW "'daemon was down' in r['MESSAGE']")"
stop
send_frames syn4 1 && send_frames syn-ack4 1 && send_frames ihl4 1
sleep 1.5 # longer than a window
start || die "the daemon does not start again"
check "a restart: SYN go on" wait_for tells FW_SYN 4
check "a restart: SYN with ACK go on" wait_for tells FW_SYN_ACK 6
check "a restart: unparsed packets go on" wait_for tells FW_UNPARSED 3
check "the window of the restart says that the daemon was down" has_record WINDOW "'daemon was down' in r['MESSAGE']
	and r['FW_HOOK'] == 'tc' and r['FW_SYN_ACK'] == '1'"

# A flood: few records, and about the right number.
forget
fwctl block 203.0.113.0/24 >/dev/null
before=$(counter tc ingress dropped)
peer "$TRAFFIC" flood $BAD4 $HOST4 $PORT 100000 200000 >/dev/null &
peer python3 - $HOST4 <<'END'
import random, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
to = socket.inet_aton(sys.argv[1])
for i in range(20000):
    source = bytes([203, 0, 113, i % 256])
    s.sendto(struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 28, 0, 0, 64, 17, 0, source, to, 5000, 5000, 8, 0), (sys.argv[1], 0))
END
wait $!
settle
dropped=$(($(counter tc ingress dropped) - before))
check "the flood was one" test "$dropped" -gt 100000
windows_tell() {
	[ "$(sum_of WINDOW FW_DROPPED "r['FW_HOOK'] == 'tc' and r['FW_DIRECTION'] == 'ingress'")" -ge "$dropped" ]
}
check "the windows tell all of it" wait_for windows_tell
most_are_named() { # the sources follow their window
	named=$(sum_of SOURCE FW_DROPPED "r['FW_DIRECTION'] == 'ingress'")
	[ "$named" -gt $((dropped * 7 / 10)) ]
}
check "most are named" wait_for most_are_named
note "$dropped dropped, about $named of them named"
check "and not more than there were" test "$named" -lt $((dropped * 12 / 10))
check "the worst is" has_record SOURCE "r['FW_SRC'] == '$BAD4' and r['FW_ESTIMATE'] == 'yes'"
n_windows=$(n_records WINDOW "r['FW_HOOK'] == 'tc' and r['FW_DIRECTION'] == 'ingress'")
check "no more than five in a window" test "$(n_records SOURCE)" -le $((5 * (n_windows + 1)))
check "few records in all" test "$(wc -l <"$RECORDS")" -le $(((n_windows + 1) * 10))

# What ends.
fwctl flush manual >/dev/null
forget
fwctl block 203.0.113.7 --for 1 >/dev/null
check "an entry that ends" wait_for has_record EXPIRED "r['FW_TARGET'] == '203.0.113.7' and r['FW_LIST'] == 'manual'"
forget
fwctl block 203.0.113.{1..60} --for 2 >/dev/null
check "sixty at once" wait_for has_record EXPIRED "r['FW_EXPIRED']"
same "some by name, the rest by number" 60 "$(($(n_records EXPIRED "r['FW_TARGET']") + $(sum_of EXPIRED FW_EXPIRED "r['FW_EXPIRED']")))"
check "but few" test "$(n_records EXPIRED)" -le 42 # the tick may fall between two sweeps

# Switched off and on again.
reload StatsIntervalSec=1 LogDrops=0
forget
same "0 of 10 arrive" 0 "$(delivered $BAD4 $HOST4 10)"
check "LogDrops=0: the windows are told" wait_for tells FW_DROPPED 10
check "LogDrops=0: and the next one" wait_for has_windows $(($(n_records WINDOW) + 1)) # sources would follow theirs
same "LogDrops=0: nobody is named" 0 "$(n_records SOURCE)"
reload StatsIntervalSec=1 LogDrops=1
same "0 of 5 arrive" 0 "$(delivered $BAD4 $HOST4 5)"
check "LogDrops=1: one is" wait_for has_record SOURCE "r['FW_SRC'] == '$BAD4'"

# A daemon that was killed leaves a slot, which the next one takes.
end_by KILL
fwctl block 203.0.113.8 >/dev/null
check "without a daemon the record is fwctl's alone" has_record ADDED "r['FW_TARGET'] == '203.0.113.8' and not r['OBJECT_PID']"
start || die "the daemon does not start again"
forget
same "0 of 7 arrive" 0 "$(delivered $BAD4 $HOST4 7)"
check "and after it was killed" wait_for has_record SOURCE "r['FW_SRC'] == '$BAD4'"

# A journal that hangs holds up nobody.
kill -STOP $receiver
SECONDS=0
for ((i = 0; i < 300; i++)); do echo "203.0.113.$((i % 256))"; done | xargs -n 1 "$FWCTL" block --pin-dir "$PINS" \
	--state-dir "$T/state" --run-dir "$T/run" >/dev/null
check "300 commands beside a journal that hangs" test $SECONDS -lt 60
same "the daemon counts on" 3 "$(delivered $GOOD4 $HOST4 3)"
kill -CONT $receiver

# The catalog explains each id, and each field it names exists.
stop
fwctl unload >/dev/null
check "unload" wait_for has_record UNLOADED
same "the catalog has every id" "$(sed -n 's/^#define MESSAGE_.*"\([0-9a-f]*\)".*/\1/p' "$SOURCE_ROOT/lib/log/messages.h" | sort)" \
	"$(sed -n 's/^-- //p' "$CATALOG" | sort)"
if command -v journalctl >/dev/null; then
	mkdir -p "$T/root/usr/lib/systemd/catalog" "$T/root/var/lib/systemd/catalog"
	cp "$CATALOG" "$T/root/usr/lib/systemd/catalog"
	check "journalctl takes it" journalctl --root="$T/root" --update-catalog
	check "and explains" grep -q "^Subject: The firewall was unloaded" \
		<(journalctl --root="$T/root" --dump-catalog "$(id_of UNLOADED)")
fi
kill $receiver
