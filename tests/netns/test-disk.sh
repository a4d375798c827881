#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 9 to 12: a full disk, list files cut short or damaged, a configuration that cannot be read. Kernel and
# file agree or the command says so; the daemon starts, keeps what is in force, and says once what is wrong. A line
# a line that makes no sense costs only itself.
. "${0%/*}/lib.sh"

state() { # what the kernel holds and what is counted, and the files to the byte
	fwctl show --json | sed 's/"hits":[^}]*//' | sort
	fwctl lists --json | sed 's/"hits".*//'
	(cd "$T/state" && find . -type f -name '*.list' -exec md5sum {} + | sort)
}

targets() { # of the list "manual" in the kernel
	fwctl show manual --json | json "' '.join(sorted(e['target'] for e in d['entries']))"
}

reboot() { # as far as the firewall sees it
	stop
	quietly fwctl unload
	: >"$T/log"
	start || die "the daemon does not start"
}

start_receivers

# A full disk.
mount -t tmpfs -o size=192k tmpfs "$T/state" || die "cannot mount a small tmpfs"
start_with
numbers 1 300 >"$T/feed"
fwctl load feed "$T/feed" --force >/dev/null 2>&1
fwctl block $BAD4 203.0.113.1 >/dev/null
fwctl list add empty >/dev/null
numbers 1 20000 >"$T/large"
fwctl export >"$T/exported"
echo "block 203.0.113.5" >"$T/batch"
dd if=/dev/zero of="$T/state/ballast" bs=4096 2>/dev/null
pad() { # FILE: with a comment, up to the end of its page: no byte more will fit
	local n=$((4095 - $(wc -c <"$1") % 4096))

	head -c $n /dev/zero | tr '\0' '#' >>"$1" && echo >>"$1"
}
pad "$T/state/lists/manual.list"
before=$(state)
fails_saying 1 "full disk: load" "no space.*nothing was changed" load feed "$T/large" --force
same "full disk: load: nothing changed" "$before" "$(state)"
fails_saying 1 "full disk: list set" "no space.*nothing was changed" list set feed mode=audit
same "full disk: list set: nothing changed" "$before" "$(state)"
fails_saying 1 "full disk: list disable" "no space.*nothing was changed" list disable manual
same "full disk: list disable: nothing changed" "$before" "$(state)"
fails_saying 1 "full disk: list add" "no space.*nothing was changed" list add another
same "full disk: list add: nothing changed" "$before" "$(state)"
fails_saying 1 "full disk: the first block of a list" "no space.*nothing was changed" block 203.0.113.6 -l fresh
same "full disk: the first block of a list: nothing changed" "$before" "$(state)"
fails_saying 1 "full disk: the first entry of a list" "no space|nothing was changed" load empty "$T/feed" --force
same "full disk: the first entry of a list: nothing changed" "$before" "$(state)"

fails_saying 1 "full disk: block" "no space.*nothing was changed.*--runtime" block 203.0.113.7
same "full disk: block: nothing changed" "$before" "$(state)"
fails_saying 1 "full disk: unblock" "no space.*nothing was changed" unblock $BAD4
same "full disk: unblock: nothing changed" "$before" "$(state)"
same "full disk: blocked as before" blocked "$(probe_udp $BAD4 $HOST4)"
fails_saying 1 "full disk: batch" "no space.*nothing was changed" batch "$T/batch"
same "full disk: batch: nothing changed" "$before" "$(state)"
check "full disk: block --runtime" quietly fwctl block 203.0.113.8 --runtime
check "full disk: it holds" quietly fwctl check 203.0.113.8
check "full disk: and goes" quietly fwctl unblock 203.0.113.8 --runtime
before=$(targets)
reboot
same "full disk: a reboot finds what was acknowledged" "$before" "$(targets)"
rm "$T/state/ballast"
check "with room again: block" quietly fwctl block 203.0.113.9
check "with room again: load" quietly fwctl load feed "$T/feed" --force
remove
umount "$T/state"

# Cut short: entries up to the cut, whatever the byte, and never a part of one. tests/unit/test-listfile.c tries
# every byte; here it is the daemon that reads.
start_with
fwctl block 203.0.113.1 >/dev/null
fwctl block 203.0.113.22 >/dev/null
fwctl block 203.0.113.133 >/dev/null
cp "$T/state/lists/manual.list" "$T/whole"
size=$(wc -c <"$T/whole")
lines=("" "" "203.0.113.1" "203.0.113.1 203.0.113.22" "203.0.113.1 203.0.113.133 203.0.113.22")
for cut in 0 $((size / 2)) $((size - 2)) $((size - 1)) "$size"; do
	stop
	quietly fwctl unload
	head -c "$cut" "$T/whole" >"$T/state/lists/manual.list"
	n=$(wc -l <"$T/state/lists/manual.list")
	[ "$cut" = $((size - 1)) ] && n=$((n + 1)) # only the newline is missing: the line is whole
	: >"$T/log"
	start || die "the daemon does not start after a cut at $cut"
	same "cut after $cut of $size bytes: what was whole is there" "${lines[n]}" "$(targets)"
	[ "$(head -c "$cut" "$T/whole" | tail -c 1 | od -An -tx1)" = " 0a" ] || [ "$cut" = 0 ] || [ "$cut" = $((size - 1)) ] ||
		check "cut after $cut of $size bytes: the torn line is mentioned" grep -q "torn" "$T/log"
	fwctl block 203.0.113.99 >/dev/null
	check "cut after $cut of $size bytes: the next command mends the file" grep -q '^203.0.113.99\( \|$\)' \
		"$T/state/lists/manual.list"
done
remove

# A typo in a file of 200 entries, and a boot: the others are restored, the file stays, and all say so until it is corrected.
status_line() {
	grep '^STATUS=' "$T/notified" | tail -n 1
}
start_with
numbers 1 200 >"$T/feed"
quietly fwctl load feed "$T/feed"
stop
quietly fwctl unload
sed -i 's/^198\.18\.0\.100$/198.18.0.100x/' "$T/state/lists/feed.list"
cp "$T/state/lists/feed.list" "$T/typo"
: >"$T/log"
start || die "a typo: the daemon does not start"
same "a typo: the other entries are there" 199 "$(n_entries feed)"
check "a typo: they block" quietly fwctl check 198.18.0.200
check "a typo: the line is named, with its file" grep -q "$T/state/lists/feed.list', line 101: " "$T/log"
check "a typo: STATUS= tells of it" grep -q "PROBLEM: 1 list file" <<<"$(status_line)"
check "a typo: doctor calls it a problem" grep -Eq "^problem +files +list 'feed', line 101: " <<<"$(fwctl doctor)"
fails_saying 1 "a typo: block" "line 101: .*nothing was changed.*--force" block 203.0.113.7 -l feed
check "a typo: block changed nothing" refuse quietly fwctl check 203.0.113.7
fails_saying 1 "a typo: unblock" "line 101: .*nothing was changed" unblock 198.18.0.1 -l feed
fails_saying 1 "a typo: load" "line 101: .*nothing was changed" load feed "$T/feed"
fails_saying 1 "a typo: flush" "line 101: .*nothing was changed" flush feed
fails_saying 1 "a typo: list set" "line 101: .*nothing was changed" list set feed mode=audit
printf 'block 203.0.113.%d -l feed\n' 1 2 3 >"$T/batch"
echo "block 203.0.113.4 -l other" >>"$T/batch"
fwctl batch "$T/batch" >/dev/null 2>"$T/stderr"
same "a typo: a batch does what it can" 6 $?
same "a typo: and tells the whole story once" 1 "$(grep -c "line 101" "$T/stderr")"
check "a typo: the file is as it was" cmp -s "$T/typo" "$T/state/lists/feed.list"
check "a typo: --runtime needs no file" quietly fwctl block 203.0.113.8 -l feed --runtime
fails 1 "a typo: still refused after that" block 203.0.113.7 -l feed
: >"$T/notified"
check "a typo: --force rewrites the file" quietly fwctl block 203.0.113.7 -l feed --force
check "a typo: without the line" refuse grep -q 100x "$T/state/lists/feed.list"
check "a typo: with the new one" grep -q '^203.0.113.7' "$T/state/lists/feed.list"
check "a typo: the file as it was is kept" cmp -s "$T/typo" "$T/state/lists/feed.list.bad-1"
check "a typo: STATUS= tells no more of it" wait_for eval 'grep -q "^STATUS=" "$T/notified" && ! grep -q PROBLEM <<<"$(status_line)"'
reboot
same "a typo: nor is there one after a boot" 0 "$(grep -c "makes\? no sense" "$T/log")"
same "a typo: all there" 200 "$(n_entries feed)"
rm "$T"/state/lists/feed.list.bad-1
stop
quietly fwctl unload
sed -i '1s/action=block/actoin=block/' "$T/state/lists/feed.list"
: >"$T/log"
start || die "a header with a typo: the daemon does not start"
check "a header with a typo: what it does is not guessed" grep -q "'feed' is not restored.*blocks or allows" "$T/log"
check "a header with a typo: the file stays" test -f "$T/state/lists/feed.list"
check "a header with a typo: doctor calls it a problem" grep -Eq "^problem +files +list 'feed'.*blocks or allows" <<<"$(fwctl doctor)"
check "a header with a typo: STATUS= tells of it" grep -q "PROBLEM: 1 list file" <<<"$(status_line)"
remove

# As people edit them: a byte order mark, ";" comments, CRLF, a last line without a newline.
start_with
stop
quietly fwctl unload
mkdir -p "$T/state/lists"
printf '\xef\xbb\xbf; mine\r\n203.0.113.1 ; one\r\n\r\n203.0.113.2 in' >"$T/state/lists/manual.list"
: >"$T/log"
start || die "an edited file: the daemon does not start"
same "an edited file: all its lines count" "203.0.113.1 203.0.113.2" "$(targets)"
check "an edited file: there is nothing to say" refuse grep -q "manual.list" "$T/log"
check "an edited file: block" quietly fwctl block 203.0.113.3
same "an edited file: which ends the last line" "203.0.113.2 in" "$(sed -n 4p "$T/state/lists/manual.list")"
reboot
same "an edited file: all of it after a boot" "203.0.113.1 203.0.113.2 203.0.113.3" "$(targets)"
check "an edited file: doctor has no problem with it" refuse grep -q "list 'manual'" <<<"$(fwctl doctor)"
printf '\xef\xbb\xbf#!ebpf-fw list=imported\r\n; mine\r\n203.0.113.4 ; one\r\n203.0.113.5' >"$T/imported"
check "an edited file: import" quietly fwctl import "$T/imported"
same "an edited file: import takes all of it" 2 "$(n_entries imported)"
printf '\xef\xbb\xbf; mine\r\nblock 203.0.113.6 ; one\r\nblock 203.0.113.7' >"$T/batch"
check "an edited file: batch" quietly fwctl batch "$T/batch"
check "an edited file: batch takes all of it" quietly fwctl check 203.0.113.7
remove

# The lists that are always there cannot be turned round, neither by import nor by their files.
start_with
fwctl block $BAD4 >/dev/null
fwctl export manual | sed '1s/action=block/action=allow/' >"$T/turned"
fails_saying 2 "manual turned round: import" ":1: .*'manual' blocks.*nothing was changed" import "$T/turned"
same "manual turned round: it blocks" blocked "$(probe_udp $BAD4 $HOST4)"
stop
quietly fwctl unload
cp "$T/turned" "$T/state/lists/manual.list"
: >"$T/log"
start || die "manual turned round: the daemon does not start"
check "manual turned round: the line is named" grep -q "manual.list', line 1: .*'manual' blocks" "$T/log"
same "manual turned round: it blocks after a boot" blocked "$(probe_udp $BAD4 $HOST4)"
fails_saying 1 "manual turned round: block" "line 1: .*--force" block 203.0.113.1
check "manual turned round: --force makes the first line right" quietly fwctl block 203.0.113.1 --force
check "manual turned round: it is right" grep -q '^#!ebpf-fw list=manual action=block' "$T/state/lists/manual.list"
remove

# Damaged while it runs and while it does not: the entries in the kernel stay; a file of which nothing makes sense is moved
# aside, another stays.
start_with
fwctl block $BAD4 203.0.113.1 >/dev/null
fwctl block 203.0.113.2 -l other >/dev/null 2>&1
damage() { # KIND
	case $1 in
	"a flipped bit") sed -i 's/^203\.0\.113\.1/203.0.113.x/' "$T/state/lists/manual.list" ;;
	"a huge number") echo "192.0.2.0/99999999999999999999999999" >>"$T/state/lists/manual.list" ;;
	"a huge end") echo "192.0.2.77 until=99999999999999999999999999" >>"$T/state/lists/manual.list" ;;
	"a megabyte in one line") head -c 1000000 /dev/zero | tr '\0' 7 | sed 's/$/\n/' >>"$T/state/lists/manual.list" ;;
	"garbage") head -c 70000 /dev/urandom >"$T/state/lists/manual.list" ;;
	"another first line") sed -i '1s/.*/#!ebpf-fw list=other action=allow/' "$T/state/lists/manual.list" ;;
	"a directory") rm "$T/state/lists/manual.list" && mkdir "$T/state/lists/manual.list" ;;
	"a link to /etc/shadow") ln -sf /etc/shadow "$T/state/lists/manual.list" ;;
	"a FIFO") rm "$T/state/lists/manual.list" && mkfifo "$T/state/lists/manual.list" ;;
	esac
}
for kind in "a flipped bit" "a huge number" "a huge end" "a megabyte in one line" "garbage" "another first line" \
	"a directory" "a link to /etc/shadow" "a FIFO"; do
	stop
	cp "$T/state/lists/manual.list" "$T/good"
	damage "$kind"
	: >"$T/log"
	start || die "$kind: the daemon does not start"
	same "$kind: the kernel keeps what it holds" "$BAD4 203.0.113.1" "$(targets)"
	same "$kind: it blocks" blocked "$(probe_udp $BAD4 $HOST4)"
	same "$kind: said once" 1 "$(grep -c "manual.list'" "$T/log")"
	check "$kind: it is shorter than a screen" test "$(wc -c <"$T/log")" -lt 3000
	check "$kind: nothing of it is shown" refuse grep -aq 'root:' "$T/log"
	case $kind in
	"garbage" | "a directory" | "a link to /etc/shadow" | "a FIFO")
		check "$kind: moved aside" test -n "$(find "$T/state/lists" -name 'manual.list.bad-*')"
		check "$kind: as it is said" grep -q "moved aside as 'manual.list.bad-1'" "$T/log" ;;
	*)
		check "$kind: the file stays" test -f "$T/state/lists/manual.list"
		check "$kind: doctor names the line" grep -Eq "^problem +files +list 'manual', line [0-9]+: " <<<"$(fwctl doctor)" ;;
	esac
	check "$kind: the other list is as it was" quietly fwctl check 203.0.113.2
	rm -rf "$T"/state/lists/manual.list.bad-*
	rm -rf "$T/state/lists/manual.list"
	cp "$T/good" "$T/state/lists/manual.list"
done

# One that the daemon may not read costs itself, and not the start: without the rights of root over files, as in the unit.
stop
quietly fwctl unload
chown 65534 "$T/state/lists/manual.list"
chmod 0600 "$T/state/lists/manual.list"
: >"$T/log"
before=$(n_ready)
NOTIFY_SOCKET=$T/notify setpriv --bounding-set -dac_override,-dac_read_search "$EBPF_FWD" --config "$T/fw.conf" \
	--pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >>"$T/log" 2>&1 &
DAEMON=$!
wait_for is_ready_or_dead "$before"
check "a file that may not be read: the daemon starts" test "$(n_ready)" -gt "$before"
check "a file that may not be read: it is named, with what to do" grep -q "'manual'.*ermission.*restart" "$T/log"
check "a file that may not be read: the other list is in force" quietly fwctl check 203.0.113.2
stop
chown 0 "$T/state/lists/manual.list"
: >"$T/log"
start || die "the daemon does not start"
same "a file that may be read again: all is there" "$BAD4 203.0.113.1" "$(targets)"

# The configuration: at a start its error is the end, at a reload the old one stays.
fwctl block $BAD4 >/dev/null
for kind in "a directory" "a dangling link" "a FIFO" "a device without end" "words that are none"; do
	case $kind in
	"a directory") rm -f "$T/fw.conf" && mkdir "$T/fw.conf" ;;
	"a dangling link") rm -rf "$T/fw.conf" && mkdir "$T/fw.conf.d" && ln -s "$T/fw.conf.d/nowhere/x" "$T/fw.conf" ;;
	"a FIFO") rm -f "$T/fw.conf" && mkfifo "$T/fw.conf" ;;
	"a device without end") rm -f "$T/fw.conf" && ln -s /dev/zero "$T/fw.conf" ;;
	"words that are none") rm -f "$T/fw.conf" && head -c 3000 /dev/urandom >"$T/fw.conf" ;;
	esac
	[ "$kind" = "a dangling link" ] && continue # as an absent one: the defaults hold, which attach to the machine
	: >"$T/log"
	kill -HUP "$DAEMON"
	check "configuration: $kind: a reload says that the old one stays" wait_for grep -q "stays in force" "$T/log"
	check "configuration: $kind: and what is wrong" grep -q "fw.conf" "$T/log"
	same "configuration: $kind: it blocks as before" blocked "$(probe_udp $BAD4 $HOST4)"
	timeout 10 "$EBPF_FWD" --check-config --config "$T/fw.conf" >/dev/null 2>&1
	same "configuration: $kind: a check and a start end with 2" 2 $?
done
