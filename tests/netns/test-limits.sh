#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 13 and 47: full tables and a memory limit. Exit status 5, a sentence with the limit and the key that
# raises it, and nothing half done; what is blocked stays blocked.
. "${0%/*}/lib.sh"

: "${OTHER:?build directory of another version}"

LIMIT=1000

state() { # what the kernel holds, what the files say, what is counted
	fwctl export | sort
	sort "$T"/state/lists/*.list
	fwctl lists --json | sed 's/"hits".*//'
}

start_receivers
start_with MaxEntries=$LIMIT
numbers 1 $((LIMIT - 2)) >"$T/most"
fwctl load most "$T/most" --force >/dev/null 2>&1
fwctl block $BAD4 >/dev/null
same "all but one place are taken" "$((LIMIT - 2)) 1" "$(n_entries most) $(n_entries manual)"

before=$(state)
fails_saying 5 "two where one has room" "limit of $LIMIT IPv4 entries.*MaxEntries=.*Nothing was changed" \
	block 203.0.113.1 203.0.113.2
same "two where one has room: nothing changed" "$before" "$(state)"
fails_saying 5 "a list too long" "IPv4 entries to $((LIMIT + 1)).*limit is $LIMIT.*MaxEntries=.*Nothing was changed" \
	load other - < <(numbers 5001 5002) # not made either, which state() shows
same "a list too long: nothing changed" "$before" "$(state)"
check "one that fits" quietly fwctl block 203.0.113.1
before=$(state)
fails_saying 5 "one more than there may be" "limit of $LIMIT IPv4 entries.*MaxEntries=" block 203.0.113.2
same "one more than there may be: nothing changed" "$before" "$(state)"
{
	echo "block 203.0.113.3"
	echo "unblock 203.0.113.1"
	echo "block 203.0.113.4"
} >"$T/batch"
fails_saying 6 "a batch of which one line does not fit" "batch:1: .*limit of $LIMIT" batch "$T/batch"
check "a batch: the rest is done" quietly fwctl check 203.0.113.4
check "a batch: what did not fit is not there" refuse quietly fwctl check 203.0.113.3
check "what is there is refreshed" quietly fwctl block 203.0.113.4 --comment again
check "what is there goes into another list" quietly fwctl block 203.0.113.4 -l third
check "IPv6 has its own table" quietly fwctl block 2001:db8:5::/48
same "a full table still blocks" blocked "$(probe_udp $BAD4 $HOST4)"
fwctl block 203.0.113.9 -l third >/dev/null 2>&1
quietly fwctl unblock 203.0.113.4 --all-lists

# A full table takes another edition all the same; what is in both is blocked throughout.
{ numbers 600 $((LIMIT + 590)); echo $BAD4; } >"$T/next"
{ numbers 1 $((LIMIT - 9)); echo $BAD4; } >"$T/most"
fwctl unblock $BAD4 >/dev/null
check "the table is full up to a few" quietly fwctl load most "$T/most" --force
before=$(received $BAD4)
peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT 20000 0 >/dev/null
FLOOD=$!
for i in 1 2 3; do
	same "edition $((2 * i)) in a full table" "loaded list 'most': +599 -599 =992" \
		"$(fwctl load most "$T/next" --force 2>/dev/null)"
	same "edition $((2 * i + 1)) in a full table" "loaded list 'most': +599 -599 =992" \
		"$(fwctl load most "$T/most" --force 2>/dev/null)"
done
kill $FLOOD
wait $FLOOD
settle
same "what is in all editions was never let through" 0 $(($(received $BAD4) - before))
same "and what the list holds is what the file says" "$(sort "$T/most")" "$(fwctl export most | grep -v '^#' | sort)"
before=$(state)
fails_saying 5 "an edition that can never fit" "IPv4 entries to [0-9]*.*limit is $LIMIT.*MaxEntries=" \
	load most - < <(numbers 3000 4200)
same "an edition that can never fit: nothing changed" "$before" "$(state)"
quietly fwctl load twin "$T/most" --force
fails_saying 5 "an edition while another list holds the one before" "IPv4 entries to [0-9]*.*limit is $LIMIT.*MaxEntries=" \
	load most "$T/next" --force
hits() {
	fwctl show most $BAD4 --json | json "d['entries'][0]['hits']"
}
grep -v "^$BAD4\$" "$T/most" | quietly fwctl load twin - --force
n_hits=$(hits)
fails_saying 5 "the same where one entry would go" "IPv4 entries to [0-9]*.*limit is $LIMIT.*MaxEntries=" \
	load most - --force < <(numbers 600 $((LIMIT + 590)))
check "the same where one entry would go: it has been hit" test "$n_hits" -gt 0
same "the same where one entry would go: it was never away" "$n_hits" "$(hits)"
quietly fwctl list del twin

# Exceptions do not need the room that bans have used up.
check "an exception in a full table" quietly fwctl allow 203.0.113.20
same "an exception in a full table passes" allowed "$(fwctl check 203.0.113.20 --json | json "d['reason']")"
quietly fwctl list add friends action=allow
same "a list of them" "loaded list 'friends': +3000 -0 =3000" "$(numbers 20001 23000 | fwctl load friends - --force 2>/dev/null)"
quietly fwctl block 203.0.113.21
before=$(state)
fails_saying 5 "and still no ban more" "limit of $((LIMIT + 3001)) IPv4 entries.*MaxEntries=" \
	block $(seq -f 203.0.113.%g 22 60)
same "and still no ban more: nothing changed" "$before" "$(state)"
stop
quietly fwctl unload
start || die "the daemon does not start with a full table"
same "all are there after a boot" "$(sort <<<"$before")" "$(state | sort)" # of lists the order may be another
same "without a word" "" "$(grep "no room" "$T/log")"
quietly fwctl list del friends
quietly fwctl unallow 203.0.113.20
quietly fwctl unblock 203.0.113.21

# What has ended gives its room to those who need it.
quietly fwctl flush most
numbers 1 $((LIMIT - 1)) | sed 's/^/block /; s/$/ --for 1s -l brief/' | quietly fwctl batch -
sleep 1.5
check "ended entries make room for a list" quietly fwctl load most "$T/most" --force

# The limit is raised while all runs.
reload MaxEntries=$((3 * LIMIT))
check "a raised limit holds after a reload" quietly fwctl load most - --force < <(numbers 1 $((2 * LIMIT)))

# The limit is lowered: nothing is lost, nothing is added, and what makes it less is done.
reload MaxEntries=$LIMIT
same "a lowered limit takes nothing away" $((2 * LIMIT)) "$(n_entries most)"
before=$(state)
fails_saying 5 "one more than a lowered limit" "limit of $LIMIT IPv4 entries.*MaxEntries=" block 203.0.113.2
fails_saying 5 "a list more than a lowered limit" "limit is $LIMIT.*MaxEntries=" load other - < <(numbers 5001 5002)
fails_saying 5 "a longer edition" "limit is $LIMIT.*MaxEntries=" load most - --force < <(numbers 2 $((2 * LIMIT + 2)))
same "beyond a lowered limit: nothing changed" "$before" "$(state)"
fails_saying 5 "a shorter edition with too many ports" "port entries" \
	load most - --force < <(numbers 501 $((2 * LIMIT + 1)); seq 1 2 601 | sed 's/^/udp\//')
same "what went for it is put back: nothing changed" "$before" "$(state)"
mount --bind "$T/state" "$T/state" && mount -o remount,bind,ro "$T/state" || die "cannot make the state read-only"
fails_saying 1 "a shorter edition that cannot be saved" "read-only" \
	load most - --force < <(numbers 502 $((2 * LIMIT + 1)))
umount "$T/state"
same "it is taken back: nothing changed" "$before" "$(state)"
check "what is there goes into another list" quietly fwctl block 198.18.0.7 -l third
fails_saying 6 "a batch of which one line does not fit" ":2: .*limit of $LIMIT" \
	batch - < <(printf '%s\n' "unblock 198.18.0.8 -l most" "block 203.0.113.3")
check "and comes out of it" quietly fwctl unblock 198.18.0.7 -l third
same "a shorter edition: loaded" "loaded list 'most': +1 -500 =1500" \
	"$(numbers 502 $((2 * LIMIT + 1)) | fwctl load most - --force 2>/dev/null)"
stop
start || die "the daemon does not start with more than MaxEntries="
same "and is there after a restart" 1500 "$(n_entries most)"
same "an edition within the limit: loaded" "loaded list 'most': +0 -502 =998" \
	"$(numbers 1004 $((2 * LIMIT + 1)) | fwctl load most - --force 2>/dev/null)"
check "then one more fits" quietly fwctl block 203.0.113.2

# Ports have limits of their own.
before=$(state)
# shellcheck disable=SC2046 # many arguments
fails_saying 5 "too many over one port" "port entries" \
	block $(for i in $(seq 1 40); do echo "tcp/$((1000 - i))-$((1000 + i))"; done)
same "too many over one port: nothing changed" "$before" "$(state)"
# shellcheck disable=SC2046 # many arguments
fails_saying 5 "too many ports" "there may be 256 port entries" block $(seq 1 2 601 | sed 's/^/udp\//')
same "too many ports: nothing changed" "$before" "$(state)"

# Bans take no place of an exception, neither among all ports nor over one of them.
nested() { # FROM TO: ranges around port 1000, each with the next inside
	seq "$1" "$2" | awk '{ print "tcp/" 1000 - $1 "-" 1000 + $1 }'
}
port_entries() { # LIST
	fwctl export "$1" | grep -c '^[a-z]*/'
}
# shellcheck disable=SC2046 # many arguments
check "as many over one port as there may be" quietly fwctl block $(nested 101 124) --runtime --force
# shellcheck disable=SC2046 # many arguments
fails_saying 5 "one more over that port" "in lists that block 192 and 24" block tcp/1000
fails_saying 5 "a wide one over that port" "in lists that block 192 and 24" block tcp/1-2000 --force
check "an exception over that port" quietly fwctl allow tcp/1000
fails_saying 5 "a ban of the same port" "in lists that block 192 and 24" block tcp/1000
# shellcheck disable=SC2046 # many arguments
check "and more exceptions, up to 8" quietly fwctl allow $(nested 1 7)
fails_saying 5 "and one more" "32 of them over one port" allow tcp/999-1002
same "an exception over that port passes" allowed "$(fwctl check 203.0.113.77 tcp/1000 --in --json | json "d['reason']")"
check "a ban next to them" quietly fwctl block tcp/2000
quietly fwctl flush manual
quietly fwctl flush allow

seq 1 2 383 | sed 's/^/udp\//' >"$T/ports"
same "as many ports as may be blocked" "loaded list 'shut': +192 -0 =192" \
	"$({ echo '#!ebpf-fw list=shut'; cat "$T/ports"; } | fwctl load shut - --force)"
same "another edition of the list, with no port of the first" "loaded list 'shut': +192 -192 =192" \
	"$({ echo '#!ebpf-fw list=shut'; seq 2 2 384 | sed 's/^/udp\//'; } | fwctl load shut - --force)"
same "its ports are blocked, and those before are not" "port no-match" \
	"$(fwctl check 203.0.113.77 udp/384 --in --json | json "d['reason']") $(fwctl check 203.0.113.77 udp/383 --in --json | json "d['reason']")"
same "and back" "loaded list 'shut': +192 -192 =192" "$({ echo '#!ebpf-fw list=shut'; cat "$T/ports"; } | fwctl load shut - --force)"
fails_saying 5 "one more" "in lists that block 192 and 24" block tcp/7
fails_saying 5 "one more by a list" "in lists that block 192 and 24" load extra - --force \
	< <(printf '%s\n' '#!ebpf-fw list=extra' tcp/7)
quietly fwctl list del extra
check "a port that is blocked comes into another list" quietly fwctl block udp/1
quietly fwctl list add free action=allow
# shellcheck disable=SC2046 # many arguments
check "an exception for such a port" quietly fwctl allow udp/3 -l free
# shellcheck disable=SC2046 # many arguments
check "exceptions while all of these are taken" quietly fwctl allow $(seq 1 64 | sed 's/^/tcp\//')
fails_saying 5 "one more than there is room for" "there may be 256 port entries" allow tcp/65
before=$(state)
stop
quietly fwctl unload
mv "$T/state/lists/allow.list" "$T/state/lists/zallow.list" # restored last, as any list of exceptions may be
sed -i '1s/.*/#!ebpf-fw list=zallow action=allow/' "$T/state/lists/zallow.list"
start || die "the daemon does not start with all places of ports taken"
same "after a boot all of them are there" "192 1 64" "$(port_entries shut) $(port_entries free) $(port_entries zallow)"
same "without a word" "" "$(grep "no room" "$T/log")"
check "a ban goes" quietly fwctl unblock udp/5 -l shut
check "an exception goes" quietly fwctl unallow tcp/1 -l zallow
check "a ban fits again" quietly fwctl block tcp/7
fails_saying 5 "but one" "in lists that block 192 and 24" block tcp/9
check "and an exception" quietly fwctl allow tcp/9
quietly fwctl unallow tcp/9
stop
this=("$EBPF_FWD" "$FWCTL")
EBPF_FWD=$OTHER/daemon/ebpf-fwd FWCTL=$OTHER/ctl/fwctl
start || die "the daemon of another version does not start"
same "after an upgrade all of them are there" "191 1 63" "$(port_entries shut) $(port_entries free) $(port_entries zallow)"
fails_saying 5 "no ban more after an upgrade" "in lists that block 192 and 24" block tcp/9
check "an exception after an upgrade" quietly fwctl allow tcp/9
stop
EBPF_FWD=${this[0]} FWCTL=${this[1]}
start || die "the daemon does not start after an upgrade and back"
same "and back" "191 1 63 1" "$(port_entries shut) $(port_entries free) $(port_entries zallow) $(port_entries allow)"
remove

# Two tools ban the addresses of one /64, each until another time: these ends take no room from an exception.
N_ENDS=33000
start_with
quietly fwctl list add one
quietly fwctl list add two
seq 1 $N_ENDS | awk '{ a = sprintf("2001:db8:e::%x", $1); print "block", a, "-l one --for 1h"; print "block", a, "-l two --for 2h" }' |
	quietly fwctl batch -
same "$N_ENDS entries that end in one list before the other" "$N_ENDS $N_ENDS" "$(n_entries one) $(n_entries two)"
check "an exception after so many different ends" quietly fwctl allow 2001:db8:e::1
same "an exception after so many different ends passes" allowed "$(fwctl check 2001:db8:e::1 --json | json "d['reason']")"
check "and the others are blocked" quietly fwctl check 2001:db8:e::"$(printf %x "$N_ENDS")"
stop
start || die "the daemon does not start with $N_ENDS different ends"
same "all are there after a restart" "$N_ENDS $N_ENDS" "$(n_entries one) $(n_entries two)"
stop
quietly fwctl unload
start || die "the daemon does not start with $N_ENDS different ends"
same "and after a boot" "$N_ENDS $N_ENDS" "$(n_entries one) $(n_entries two)"
same "the exception, too" allowed "$(fwctl check 2001:db8:e::1 --json | json "d['reason']")"
remove

# A memory limit: what the kernel cannot hold fails whole, with the key or the unit's setting named, and nobody is
# killed. Maps are charged to the group of whoever makes them.
MEMORY=/sys/fs/cgroup/memory$FW_TEST_CGROUP # cgroup v1; the sub-cgroup itself where v2 has the controller
if grep -qw memory "$CGROUP2/cgroup.controllers"; then
	MEMORY=$CGROUP
	LIMIT_FILE=memory.max
else
	LIMIT_FILE=memory.limit_in_bytes
	mkdir "$MEMORY" || die "no memory controller in this kernel"
fi

limited() { # COMMAND...: with as much memory as is written down
	(echo "$BASHPID" >"$MEMORY/cgroup.procs" && exec "$@")
}

start_with MaxEntries=4000000
fwctl block $BAD4 2001:db8:ffff::1 >/dev/null
seq 0 599999 | awk '{ printf "2001:db8:%x:%x::/64\n", $1 / 65536, $1 % 65536 }' >"$T/many"
before=$(state)
echo 64M >"$MEMORY/$LIMIT_FILE" # fwctl itself takes most of it
limited "$FWCTL" load big "$T/many" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >"$T/output" 2>&1
status=$?
note "status $status: $(tail -n 1 "$T/output")"
same "a load beyond the memory limit: exit status" 5 $status
check "a load beyond the memory limit: says why and what to do" grep -q "memory.*MemoryMax=.*Nothing was changed" "$T/output"
same "a load beyond the memory limit: nothing changed" "$before" "$(state)"

# The daemon has a limit, too: it restores what fits, says what did not, and filters.
fwctl load big "$T/many" --force >/dev/null 2>&1
stop
quietly fwctl unload
: >"$T/log"
before=$(n_ready)
echo 32M >"$MEMORY/$LIMIT_FILE"
NOTIFY_SOCKET=$T/notify limited "$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" --state-dir "$T/state" \
	--run-dir "$T/run" >>"$T/log" 2>&1 &
DAEMON=$!
wait_for is_ready_or_dead "$before"
check "a daemon with too little memory starts" test "$(n_ready)" -gt "$before"
check "a daemon with too little memory says what is missing and what to do" \
	grep -q "List 'big': .*memory.*entries after it.*MemoryMax=" "$T/log"
check "what was put in by hand came first" quietly fwctl check 2001:db8:ffff::1
check "the daemon lives" kill -0 "$DAEMON"
same "and all is blocked as before" blocked "$(probe_udp $BAD4 $HOST4)"
