#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lists as owners and policies: made by whoever first blocks in them, switched at once, removed with what they
# hold; the last of several holds an address; all of it is there after a reboot.
. "${0%/*}/lib.sh"

list() { # NAME FIELD
	fwctl lists --json | json "next((l['$2'] for l in d['lists'] if l['name'] == '$1'), None)"
}

in_kernel() {
	fwctl show --json | json "'\n'.join(sorted(
		f\"{e['target']} {sorted((l['name'], l['direction'], l['until'] is None) for l in e['lists'])}\" for e in d['entries']))"
}

unload_and_start() { # a reboot, as far as the firewall sees it
	stop
	fwctl unload >/dev/null
	same "unloaded: passes" passes "$(probe_ping $BAD4 $HOST4)"
	start || die "the daemon does not start again"
}

start_receivers
start_with

# Who blocks first makes the list.
same "passes before" passes "$(probe_ping $BAD4 $HOST4)"
fwctl block $BAD4 -l fail2ban/sshd >/dev/null 2>"$T/stderr"
same "block in a list that is not there: exit status" 0 $?
check "it says that the list is new" grep -q "list 'fail2ban/sshd' is new" "$T/stderr"
same "and it blocks" blocked "$(probe_ping $BAD4 $HOST4)"
same "one entry" 1 "$(list fail2ban/sshd entries)"
check "it has a file" test -s "$T/state/lists/fail2ban/sshd.list"
fails 0 "unblock in a list that is not there" unblock $BAD4 -l nobody
check "is a note" grep -q "does not exist" "$T/stderr"
fails 1 "but not with --strict" unblock $BAD4 -l nobody --strict
fails 2 "a name that is none" block $BAD4 -l ../etc
fails 1 "a guarded target makes no list" block $HOST4 -l refused
same "indeed" None "$(list refused name)"

# On and off, at once.
fwctl list disable fail2ban/sshd >/dev/null
same "disabled: passes" passes "$(probe_ping $BAD4 $HOST4)"
same "its entries stay" 1 "$(list fail2ban/sshd entries)"
fwctl list enable fail2ban/sshd >/dev/null
same "enabled: blocked again" blocked "$(probe_ping $BAD4 $HOST4)"

# Two lists, one address.
fwctl list add crowdsec/CAPI >/dev/null
fwctl block $BAD4 -l crowdsec/CAPI >/dev/null
fwctl unblock $BAD4 -l fail2ban/sshd >/dev/null 2>&1
same "one of two lets go: still blocked" blocked "$(probe_ping $BAD4 $HOST4)"
fwctl block $BAD4 -l fail2ban/sshd >/dev/null
fwctl list del crowdsec/CAPI >/dev/null
same "a list is removed" None "$(list crowdsec/CAPI name)"
check "its file too" test ! -e "$T/state/lists/crowdsec/CAPI.list"
same "the other one holds on" blocked "$(probe_ping $BAD4 $HOST4)"
fwctl flush fail2ban/sshd >/dev/null
same "the last one lets go: passes" passes "$(probe_ping $BAD4 $HOST4)"

# Audit: counts and passes. A new list in an old place counts from zero.
fwctl list add watch mode=audit >/dev/null
same "a new list has dropped nothing" 0 "$(list watch dropped)"
fwctl block $BAD4 -l watch >/dev/null
same "audit: 10 of 10 pass" 10 "$(delivered $BAD4 $HOST4 10)"
check "audit: they are counted" test "$(list watch would_drop)" -ge 10
fwctl list set watch mode=enforce >/dev/null
same "enforce: none of 10 passes" 0 "$(delivered $BAD4 $HOST4 10)"

# Exceptions win, of any list that allows.
fwctl list add friends action=allow >/dev/null
fwctl allow $BAD4/28 -l friends >/dev/null 2>&1
same "an exception of another list wins" passes "$(probe_ping $BAD4 $HOST4)"
fwctl list disable friends >/dev/null
same "and not when it is disabled" blocked "$(probe_ping $BAD4 $HOST4)"
fails 2 "no block in a list that allows" block 203.0.113.1 -l friends

# What cannot be.
fails 1 "manual cannot be removed" list del manual
fails 1 "allow cannot block" list set allow action=block
fails 1 "a list with entries keeps its action" list set watch action=allow
fails 1 "a list that is not there" list enable nobody
fails 2 "an unknown key" list add x color=red
fails 2 "an unknown value" list add x mode=off
fails 2 "an unknown command" list paint watch
fails 0 "adding twice is done" list add watch
fails 1 "adding another of that name is not" list add watch action=allow

# A list has a comment, and so has an entry; neither is lost when something else changes.
fwctl list add notes "comment=what is written" >/dev/null
fwctl block 203.0.113.70 -l notes --comment "the first reason" >/dev/null
since=$(fwctl show 203.0.113.70 --json | json "d['entries'][0]['lists'][0]['since']")
check "since when is known" test "$since" -gt 1700000000
sleep 1
fwctl block 203.0.113.70 -l notes --in >/dev/null
fwctl list set notes mode=audit >/dev/null
same "a refreshed entry keeps its comment, and since when" "the first reason $since" \
	"$(fwctl show 203.0.113.70 --json | json "'{comment} {since}'.format(**d['entries'][0]['lists'][0])")"
same "a list keeps its comment" "what is written" "$(list notes comment)"
fails 0 "adding it again, with its comment, is done" list add notes mode=audit "comment=what is written"
fails 1 "with another it is not" list add notes mode=audit comment=other
fails 2 "no comment of two lines" list set notes comment=$'a\nb'
fwctl list set notes comment= >/dev/null
same "a comment can be taken away" None "$(list notes comment)"
fwctl list set notes "comment=kept over a reboot" >/dev/null

# After a reboot everything is as it was.
fwctl list disable manual >/dev/null
fwctl list add outgoing direction=out >/dev/null
fwctl block $GOOD4 -l outgoing >/dev/null
# More than go into the tables at a time, in each direction, with an end and without, half of them in two lists.
numbers 1 6000 | awk '{
	print "block " $1 " -l long" (NR % 5 == 0 ? " --in" : NR % 7 == 0 ? " --out" : "") (NR % 11 == 0 ? " --for 1d" : "")
	if (NR % 2)
		print "block " $1 " -l outgoing" (NR % 3 == 0 ? " --for 2d" : "")
	if (NR % 100 == 0)
		print "block 2001:db8:9::" NR "/128 udp/" NR " -l long"
}' | quietly fwctl batch -
before=$(fwctl export)
in_kernel=$(in_kernel)
policies=$(fwctl lists --json | json "sorted((l['name'], l['action'], l['mode'], l['direction'], l['enabled'], l['entries'], l['comment']) for l in d['lists'])")
unload_and_start
same "after a reboot: policies" "$policies" "$(fwctl lists --json |
	json "sorted((l['name'], l['action'], l['mode'], l['direction'], l['enabled'], l['entries'], l['comment']) for l in d['lists'])")"
same "after a reboot: entries" "$(sort <<<"$before")" "$(fwctl export | sort)"
same "after a reboot: what is in force" "$(md5sum <<<"$in_kernel")" "$(in_kernel | md5sum)"
fwctl list del long >/dev/null
same "after a reboot: blocked" blocked "$(probe_ping $BAD4 $HOST4)"
check "after a reboot: only what goes out" grep -qE "^$GOOD4 out( |\$)" "$T/state/lists/outgoing.list"

# 64 lists, and no more.
n=$(fwctl lists --json | json "len(d['lists'])")
for ((i = n; i < 64; i++)); do
	fwctl list add "list$i" >/dev/null || note "cannot add list $i"
done
same "64 lists" 64 "$(fwctl lists --json | json "len(d['lists'])")"
fails 5 "the 65th is too many" list add more
fwctl block 203.0.113.64 -l list63 >/dev/null
check "the 64th blocks" quietly fwctl check 203.0.113.64

# export | import is the identity; what differs is changed and no more.
fwctl export >"$T/exported"
check "export | import" quietly fwctl import "$T/exported"
same "changes nothing" "$(cat "$T/exported")" "$(fwctl export)"
fwctl block 203.0.113.1 203.0.113.2 --for 1h --comment "a 'quoted' reason" -l watch >/dev/null
fwctl unblock $BAD4 -l watch >/dev/null 2>&1
fwctl list del list63 >/dev/null
fwctl import - <"$T/exported" >/dev/null
same "import takes changes back" "$(sort "$T/exported")" "$(fwctl export | sort)"
same "blocked as before" blocked "$(probe_ping $BAD4 $HOST4)"
check "the 64th is back" quietly fwctl check 203.0.113.64
sed 's/^203.0.113.64/203.0.113.64x/' "$T/exported" >"$T/broken"
fails 2 "a broken export" import "$T/broken"
check "names the line" grep -q "broken:[0-9]*: " "$T/stderr"

# import checks all lists before it changes the first, and keeps what was forced.
fwctl list del list63 >/dev/null 2>&1 || { fwctl flush list63 && fwctl list del list63; } >/dev/null
before=$(fwctl export)
printf '#!ebpf-fw list=watch\n203.0.113.1\n#!ebpf-fw list=list62 action=allow\n%s\n#!ebpf-fw list=list61\n%s\n' 203.0.113.2 \
	"$(seq 1 9 | sed 's|$|.0.0.0/8|'; seq 20 50 | sed 's|$|.0.0.0/8|')" >"$T/refused"
fails 1 "an import of which the last list is refused" import "$T/refused"
check "says that nothing was changed" grep -q "list61.*Nothing was changed" "$T/stderr"
check "and nothing else" refuse grep -q "Only" "$T/stderr"
same "nothing was changed, no empty list turned round" "$before" "$(fwctl export)"
printf '#!ebpf-fw list=list63\n203.0.113.64\n#!ebpf-fw list=list64\n203.0.113.65\n' >"$T/refused"
fails 5 "an import of one list too many" import "$T/refused"
same "changes nothing" "$before" "$(fwctl export)"
fwctl block 127.0.0.0/8 203.0.113.9 -l list60 --force >/dev/null 2>&1
fwctl export list60 >"$T/own"
same "an export with an entry that was forced changes nothing" "imported 1 lists: +0 -0, 0 changed" "$(fwctl import "$T/own")"
fwctl unblock 127.0.0.0/8 -l list60 >/dev/null
same "nor is it put in where it is not" "imported 1 lists: +0 -0, 0 changed" "$(fwctl import "$T/own" 2>/dev/null)"
fails 0 "with --force it is" import "$T/own" --force
check "with a note" grep -q "forced to load 127.0.0.0/8 into list 'list60' although" "$T/stderr"
fwctl flush list60 >/dev/null
{ echo "#!ebpf-fw list=list60"; echo 203.0.113.1; seq 1 453 | awk '{ print int($1 / 64) + 100 "." $1 % 64 ".0.0/16" }'; } >"$T/backup"
fwctl block 203.0.113.1 -l list60 >/dev/null
check "a backup may be much more than what there is" quietly fwctl import "$T/backup"
fwctl flush list60 >/dev/null
quietly fwctl import - <"$T/exported"

# batch: parsed whole first, then done in one go.
printf '%s\n' "block 203.0.113.10 -l watch --for 1h --comment \"two words\"" "# a comment" "" \
	"block tcp/2323 udp/$PORT" "allow $GOOD4" "unblock 203.0.113.99" "unblock $BAD4 -l watch" >"$T/batch"
same "batch" "5 commands: 4 added, 0 refreshed, 1 removed, 1 were absent; 0 failed" "$(fwctl batch "$T/batch")"
check "batch: the comment is one" grep -q '# two words$' "$T/state/lists/watch.list"
same "batch: unblocked" passes "$(probe_ping $BAD4 $HOST4)"
n=$(wc -c <"$T/state/lists/manual.list")
for i in 1 2 3; do
	for ((k = 0; k < 3000; k++)); do echo "block 2001:db8:1::$k --for 1h"; done >"$T/batch"
	fwctl batch "$T/batch" >/dev/null
	sed 's/^block/unblock/; s/ --for 1h//' "$T/batch" | fwctl batch - >/dev/null
done
check "a file does not grow for ever" test "$(wc -c <"$T/state/lists/manual.list")" -lt 250000
before=$(fwctl export manual | sort)
unload_and_start
same "and says what holds" "$before" "$(fwctl export manual | sort)"
printf 'block 203.0.113.11\nblock 192.0.2.300\nblok 203.0.113.12\nblock "203.0.113.13\n' >"$T/batch"
fails 2 "batch: wrong lines" batch "$T/batch"
same "batch: each is named" "2 3 4" "$(sed -n 's/.*batch:\([0-9]*\): .*/\1/p' "$T/stderr" | xargs)"
check "batch: nothing was done" refuse quietly fwctl check 203.0.113.11
printf 'block 203.0.113.11 --json\nblock 203.0.113.300\n' >"$T/batch"
fails 2 "batch: an option of all verbs in a line" batch "$T/batch"
check "batch: it is named" grep -q "batch:1: --json belongs to" "$T/stderr"
check "batch: and does not change how the rest is said" refuse grep -q '[{}]' "$T/stderr"
printf 'block 203.0.113.11\nblock %s -l enforcing\nblock 203.0.113.12 -l watch\n' $HOST4 >"$T/batch"
fails 6 "batch: one fails" batch "$T/batch"
check "batch: it is named" grep -q "batch:2: " "$T/stderr"
check "batch: the others are done" quietly fwctl check 203.0.113.12
