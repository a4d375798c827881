#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# load: a list becomes equal to a file without a moment in which what stays passes; what is no list is
# refused; a kill in the middle leaves something that the next load makes right.
. "${0%/*}/lib.sh"

N_KILLS=6

# N prefixes below 2001:db8::/32, from the Ith on.
prefixes() { # N [I]
	seq "${2:-0}" $((${2:-0} + $1 - 1)) | awk '{ printf "2001:db8:%x:%x::/64\n", 256 + $1 / 65535, 1 + $1 % 65535 }'
}

entries() { # of list "feed"
	fwctl lists --json | json "next((l['entries'] for l in d['lists'] if l['name'] == 'feed'), 0)"
}

header() { # FAMILY MEMBER: of struct fw_table in the table in use
	bpftool -j map lookup pinned "$(echo "$PINS/maps/table$1"_*)" key 0 0 0 0 |
		json "__import__('struct').unpack('=QII', bytes(int(b, 16) for b in d['value'][:16]))[('n_heads', 'n_entries').index('$2') + 1]"
}

start_receivers
start_with MaxEntries=1000000

# Differences.
printf '%s\n' $BAD4 203.0.113.0/25 "$(prefixes 1000)" >"$T/feed"
same "passes before" passes "$(probe_ping $BAD4 $HOST4)"
same "what a load would do" \
	"would change list 'feed': +1002 -0 =1002, under 0.01 % of the public IPv4 addresses, under 0.01 % of IPv6" "$(fwctl load feed "$T/feed" --dry-run 2>/dev/null)"
same "nothing is done by asking" 0 "$(entries)"
check "and nothing is new" grep -q "'feed' would be new" < <(fwctl load feed "$T/feed" --dry-run 2>&1)
same "a load" "loaded list 'feed': +1002 -0 =1002" "$(fwctl load feed "$T/feed" 2>/dev/null)"
same "blocked" blocked "$(probe_ping $BAD4 $HOST4)"
hits() {
	fwctl show feed $BAD4 --json | json "d['entries'][0]['hits']"
}
n_hits=$(hits)
same "again" "loaded list 'feed': +0 -0 =1002" "$(fwctl load feed "$T/feed")"
printf '%s\n' $BAD4 "$(prefixes 1000 20)" >"$T/next"
same "the next edition" "loaded list 'feed': +20 -21 =1001" "$(fwctl load feed - <"$T/next")"
same "what stays keeps its counters" "$n_hits" "$(hits)"
check "what went is not blocked" refuse quietly fwctl check 203.0.113.1
fwctl block $BAD4 203.0.113.7 --for 1h --in -l feed >/dev/null
same "an end and a direction go" "0 1 1" \
	"$(fwctl load feed "$T/next" --json | json "'%d %d %d' % (d['added'], d['removed'], d['changed'])")"
same "it is permanent now" "('both', None)" "$(fwctl show feed $BAD4 --json |
	json "tuple(d['entries'][0]['lists'][0][k] for k in ('direction', 'until'))")"
fwctl block 203.0.113.8 -l feed --runtime >/dev/null
same "what only the kernel holds goes, too" "loaded list 'feed': +0 -1 =1001" "$(fwctl load feed "$T/next")"
fwctl block $BAD4 >/dev/null
fwctl load feed "$T/feed" --force >/dev/null 2>&1
grep -v "^$BAD4\$" "$T/feed" | fwctl load feed - >/dev/null
same "another list still holds it" blocked "$(probe_ping $BAD4 $HOST4)"
fwctl unblock $BAD4 >/dev/null
same "the last one lets go: passes" passes "$(probe_ping $BAD4 $HOST4)"

# What is no list, or not one for this host.
fwctl load feed "$T/feed" >/dev/null
before=$(fwctl export feed)
refused() { # NAME WORDS, the file on standard input
	cat >"$T/bad"
	fails 1 "$1" load feed "$T/bad"
	grep -q "$2" "$T/stderr" || sed 's/^/# stderr: /' "$T/stderr"
	check "$1: says why" grep -q "$2" "$T/stderr"
	same "$1: the last good copy stays" "$before" "$(fwctl export feed)"
}
refused "an empty file" "no entry" </dev/null
refused "only comments" "no entry" <<<"# nothing today"
refused "an error page" "HTML" <<<"<!DOCTYPE html><html><body>404</body></html>"
refused "gzip" "looks like gzip data: decompress it first.* line 1, " < <(gzip -c "$T/feed")
refused "a table" "looks like CSV: .* line 1, 'ip,date': " <<<$'ip,date\n192.0.2.1,today'
for file in $'ip,date\n192.0.2.1,today' '<html></html>' '192.0.2.300'; do
	echo "$file" >"$T/bad"
	fails 1 "nothing is understood of '$file': --force does not empty the list" load feed "$T/bad" --force
	same "it stays as it was" "$before" "$(fwctl export feed)"
done
refused "an exception of an ACL" "because of line 1002: exceptions of an ACL" < <(head -n 1001 "$T/feed"; echo "!$BAD4;")
refused "a removal" "because of line 1003: a removal" < <(cat "$T/feed"; echo "del x $BAD4")
refused "a list that allows" "a list that allows" < <(echo "#!ebpf-fw list=x action=allow"; cat "$T/feed")
refused "lists that block and allow" "because of line 1004: lists that block and lists that allow" < <(
	echo "#!ebpf-fw list=x action=block"; cat "$T/feed"; echo "#!ebpf-fw list=y action=allow"; echo $BAD4)
fails 1 "nor does --force read what is in doubt" load feed "$T/bad" --force
{ cat "$T/feed"; printf '%s\n' 203.0.112.0/24 '!203.0.112.7' "!$BAD4"; } >"$T/exceptions"
fails 0 "exceptions of pf" load feed "$T/exceptions"
check "are taken out, with a note" grep -q "2 exceptions were taken out" "$T/stderr"
check "an exception inside a prefix is not blocked" refuse quietly fwctl check 203.0.112.7
check "what is next to it is" quietly fwctl check 203.0.112.6
same "nor is one that is named itself" passes "$(probe_ping $BAD4 $HOST4)"
printf '%s\n' "create x hash:ip netmask 24" "add x 203.0.113.0" "add x 203.0.112.0" |
	fwctl load other - >/dev/null 2>&1
check "a netmask of ipset counts" quietly fwctl check 203.0.113.200
fwctl list del other --force >/dev/null 2>&1 || { fwctl flush other && fwctl list del other; } >/dev/null
fwctl load feed "$T/feed" >/dev/null
before=$(fwctl export feed)
refused "many bad lines" "are bad" < <(prefixes 1000; seq 100)
refused "a shrink by more than half" "shrink" < <(prefixes 400)
fails 1 "a file that is not there" load feed "$T/nowhere"
fails 2 "a name that is none" load .feed "$T/feed"
check "with --force it shrinks" quietly fwctl load feed "$T/bad" --force
same "to what there is" 400 "$(entries)"
{ prefixes 400; echo 192.0.2.300; } >"$T/bad"
fails 0 "one bad line" load feed "$T/bad"
check "is a note that names it" grep -q "line 401" "$T/stderr"
{ prefixes 400; printf '%s\n' 10.0.0.0/8 127.0.0.1 192.0.2.0/24 0.0.0.0/1 224.0.0.0/3 192.168.7.7; } >"$T/local"
fails 0 "a list that holds us" load feed "$T/local"
check "leaves us out" grep -q "left out .* and 5 more" "$T/stderr"
same "and loads the rest" 400 "$(entries)"
fails 0 "with --force all of it" load feed "$T/local" --force
check "names what would cut us off" grep -q "forced to load 192.0.2.0/24 although it covers 192.0.2.*, an address of this host" "$T/stderr"
same "indeed" 406 "$(entries)"
{ prefixes 400; seq 10 50 | sed 's|$|.0.0.0/8|' ; seq 0 20 | sed 's|.*|10.&.0.0/16|'; } >"$T/local"
fails 0 "a large part by force" load feed "$T/local" --force
check "the share is a note" grep -q "forced: List 'feed' would cover 1[0-9.]* % of the public IPv4" "$T/stderr"
same "of single entries no more than ten are named" 10 "$(grep -c "forced to load .* although" "$T/stderr")"
check "and the rest is counted" grep -Eq "forced to load [0-9]+ more" "$T/stderr"
fwctl list add friends action=allow >/dev/null
seq 60 100 | sed 's|$|.0.0.0/8|' >"$T/friends"
check "a list of exceptions may cover a large part" quietly fwctl load friends "$T/friends"
printf '#!ebpf-fw list=allies action=allow\n%s\n' "$(cat "$T/friends")" >"$T/imported"
check "and be imported" quietly fwctl import "$T/imported"
for list in friends allies; do
	fwctl flush $list >/dev/null && fwctl list del $list >/dev/null
done
fwctl flush feed >/dev/null

# What would cut the host off, or the network off from it, whatever the pieces. Each is refused, and nothing is changed.
fwctl load feed "$T/feed" >/dev/null
before=$(fwctl export feed)
slash8s() { # the public ones, COUNT at most
	seq 1 223 | grep -vx -e 10 -e 127 | head -n "${1:-300}" | sed 's|$|.0.0.0/8|'
}
slash16s() { # of these, in pieces
	slash8s "$1" | sed 's|\.0\.0\.0/8||' | awk '{ for (i = 0; i < 256; i++) print $1 "." i ".0.0/16" }'
}
refused "all public /8" "more than 10.00 %" < <(cat "$T/feed"; slash8s)
refused "a fifth of them in pieces" "more than 10.00 %" < <(cat "$T/feed"; slash16s 44)
refused "2000::/3 in pieces" "% of the public IPv6 addresses, more than 1.00 %" < <(
	cat "$T/feed"
	for i in {32..63}; do printf '%x00::/8\n' "$i"; done)
refused "a sixteenth of it" "6.25 % of the public IPv6" < <(cat "$T/feed"; echo 3000::/8; echo 3100::/8)
refused "much more than before" "grow to .* times the IPv4 addresses" < <(cat "$T/feed"; echo 100.128.0.0/11)
printf '%s\n' 203.0.112.1 203.0.112.2 | fwctl load few - >/dev/null 2>&1
check "two hosts may get a /20 beside them" quietly fwctl load few - < <(printf '%s\n' 203.0.112.1 203.0.112.2 100.128.0.0/20)
fwctl flush few >/dev/null && fwctl list del few >/dev/null
refused "ports" "names ports, the first in line 1003" < <(cat "$T/feed"; echo tcp/1-65535)
fwctl load feed --dry-run - < <(cat "$T/feed"; slash8s) >"$T/output" 2>"$T/stderr"
same "a dry run of all public /8: exit status" 1 $?
check "prints the share" grep -Eq "^would change .*9[0-9.]+ % of the public IPv4 addresses" "$T/output"
check "and that it would be refused" grep -q "refused without --force" "$T/stderr"
same "and does nothing" "$before" "$(fwctl export feed)"
same "what overlaps counts once" "0.045" "$({ cat "$T/feed"; slash8s 10; slash16s 10; } |
	fwctl load feed - --dry-run --json 2>/dev/null | json "'%.3f' % d['share_ipv4']")"
printf '#!ebpf-fw list=other\n%s\n' "$(slash8s 40)" >"$T/imported"
fails_saying 1 "a fifth of the public /8 by import" "List 'other' would cover 1[0-9.]+ %.*nothing was changed" import "$T/imported"
slash8s | sed 's/^/block /' >"$T/batch"
fails_saying 1 "all public /8 by batch" "the batch would cover 100.00 %.*nothing was changed" batch "$T/batch"
# shellcheck disable=SC2046 # several words
fails_saying 1 "all public /8 by block" "would cover 100.00 %" block $(slash8s)
check "nothing came of any of these" refuse quietly fwctl check 1.2.3.4
check "with --force much more than before" quietly fwctl load feed - --force < <(cat "$T/feed"; echo 100.128.0.0/11)
check "with --force ports" quietly fwctl load feed - --force < <(cat "$T/feed"; echo tcp/9999)
check "ports in a list of our own" quietly fwctl load feed - < <(echo "#!ebpf-fw list=feed"; cat "$T/feed"; echo tcp/9998)
fwctl flush feed >/dev/null

# Editions come and go under a flood; what is in all of them is never let through.
printf '%s\n' $BAD4 "$(prefixes 20000)" >"$T/a"
printf '%s\n' "$(prefixes 20000 10000)" $BAD4 >"$T/b"
fwctl load feed "$T/a" >/dev/null
before=$(received $BAD4)
flood_begin
for ((i = 0; i < 5; i++)); do
	same "under a flood: another edition" "loaded list 'feed': +10000 -10000 =20001" "$(fwctl load feed "$T/b")"
	same "under a flood: and back" "loaded list 'feed': +10000 -10000 =20001" "$(fwctl load feed "$T/a")"
done
check "under a flood: it was one" dropped_more_than 10000
flood_end
same "under a flood: none came through" 0 $(($(received $BAD4) - before))

# Killed on the way. The file is old or new, the kernel right after the next load.
prefixes 200000 >"$T/a"
prefixes 200000 100000 >"$T/b"
fwctl load feed "$T/a" >/dev/null
old=$(md5sum <"$T/state/lists/feed.list")
for ((i = 1; i <= N_KILLS; i++)); do
	"$FWCTL" load feed "$T/b" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >/dev/null 2>&1 &
	sleep "0.$(printf %02d $((i * 5)))"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	check "kill $i: what is in both is blocked" quietly fwctl check 2001:db8:102:1::1
	case $(md5sum <"$T/state/lists/feed.list") in
	"$old") is=old ;;
	*) is=new ;;
	esac
	same "kill $i: the file is whole ($is)" 200000 "$(grep -c '^2001:db8:.*::/64$' "$T/state/lists/feed.list")"
	quietly fwctl load feed "$T/b" || note "cannot load again"
	same "kill $i: a repeat has them all" "$(prefixes 200000 100000 | md5sum)" \
		"$(fwctl export feed | grep -v '^#' | md5sum)"
	same "kill $i: and counts them" 200000 "$(entries)"
	same "kill $i: nothing is left to do" "loaded list 'feed': +0 -0 =200000" "$(fwctl load feed "$T/b")"
	quietly fwctl load feed "$T/a" || note "cannot go back"
done

# A reboot.
fwctl load feed "$T/b" >/dev/null
stop
fwctl unload >/dev/null
start || die "the daemon does not start again"
looks() { # LIST: how much of the tables a load of it maps beside their beginnings, to go through them
	strace -f -e trace=mmap "$FWCTL" load "$1" "$T/b" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" \
		2>&1 >/dev/null | grep -c 'MAP_SHARED, [0-9]*, 0x[0-9a-f]*'
}
same "after a reboot: the first load need not go through the tables" 0 "$(looks feed)"
fwctl block 203.0.113.77 -l feed --runtime >/dev/null
check "but does where the kernel may hold something else" test "$(looks feed)" != 0
same "after a reboot: all are there" 200000 "$(entries)"
same "after a reboot: a load finds nothing to do" "loaded list 'feed': +0 -0 =200000" "$(fwctl load feed "$T/b")"

# A restart, with all maps as they were: a file is read where it may say something else, and only there.
stop
before=$(n_ready)
NOTIFY_SOCKET=$T/notify strace -f -o "$T/trace" -e trace=openat "$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" \
	--state-dir "$T/state" --run-dir "$T/run" >>"$T/log" 2>&1 &
DAEMON=$!
wait_for is_ready_or_dead "$before"
DAEMON=$(cat "$T/run/ebpf-fwd.pid")
check "after a restart: the configuration was read" grep -q 'fw\.conf' "$T/trace"
check "after a restart: no file that says what the maps hold was" refuse grep -q 'feed\.list' "$T/trace"
end_daemon
echo 203.0.113.88 >>"$T/state/lists/feed.list"
start || die "the daemon does not start again"
check "after a restart: what was written to the file meanwhile is in force" quietly fwctl check 203.0.113.88
echo 203.0.113.88 >>"$T/b"
same "after a restart: a load finds nothing to do" "loaded list 'feed': +0 -0 =200001" "$(fwctl load feed "$T/b")"
stop
read -ra no_heads < <(printf '00 %.0s' {1..64}) # an element of them, see abi/abi.h
for ((i = 1; i <= $(header 4 n_heads) / 16; i++)); do
	bpftool map update pinned "$(echo "$PINS"/maps/table4_*)" key $((i & 255)) $((i >> 8)) 0 0 value hex "${no_heads[@]}"
done
check "an entry is lost behind everybody's back" refuse quietly fwctl check 203.0.113.88
start || die "the daemon does not start again"
check "after a restart: it is back" quietly fwctl check 203.0.113.88
same "after a restart: and is counted" 200001 "$(entries)"

# What a list has taken it gives back.
check "the table has room for all of it" test "$(header 6 n_entries)" -ge 200000
sed -n '1,1000p' "$T/b" >"$T/short"
quietly fwctl load --force feed "$T/short"
check "a list of a thousand leaves no room for 200,000" test "$(header 6 n_entries)" -lt 20000
same "and all of the thousand are there" 1000 "$(entries)"
check "the first is blocked" quietly fwctl check "$(head -n 1 "$T/short" | sed 's|/.*|1|')"

# Hits are counted in the table that is filled, and in the one that goes.
awk 'BEGIN { while (i < 150000) { printf "%d.%d.%d.0/24\n", 1 + i / 65536, i / 256 % 256, i % 256; i++ } }' >"$T/big4"
echo 192.0.2.64/26 >"$T/short4"
fwctl block $BAD4 >/dev/null
count() { # FIELD: of list manual
	fwctl lists --json | json "next(l['$1'] for l in d['lists'] if l['name'] == 'manual')"
}
hits_of() {
	fwctl show manual $BAD4 --json | json "d['entries'][0]['hits']"
}
hits_before=$(hits_of)
dropped_before=$(count dropped)
flood_begin
for i in 1 2 3; do
	check "a larger table, $i" quietly fwctl load --force feed "$T/big4"
	check "a smaller one, $i" quietly fwctl load --force feed "$T/short4"
done
flood_end
n=$(($(count dropped) - dropped_before))
check "packets were dropped all the while" test $n -gt 10000
same "each is a hit of its entry" $n $(($(hits_of) - hits_before))
