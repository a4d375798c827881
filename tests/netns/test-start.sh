#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 12, 19, 20, 21 and 42: starts that must fail say why, and leave alone what runs; a start
# without systemd is a start.
. "${0%/*}/lib.sh"

start_receivers

# The daemon must end by itself, with a status that is not 0 and words that match.
fails_with() { # NAME PATTERN [ARGUMENT]...
	local name=$1 pattern=$2
	shift 2
	timeout 10 "$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" "$@" \
		>"$T/output" 2>&1
	status=$?
	check "$name: fails" test "$status" -ne 0 -a "$status" -ne 124
	grep -Eq "$pattern" "$T/output" || sed 's/^/# output: /' "$T/output"
	check "$name: says why" grep -Eq "$pattern" "$T/output"
}

start_with
fwctl block $BAD4 >/dev/null
was=$(link_of "tc_ingress_$(ifindex h0)")
fails_with "a second daemon" "[Aa]lready running \(pid $DAEMON"
fails_with "a second daemon with another run directory" "[Aa]lready running" --run-dir "$T/other_run"
same "the first one's link is as it was" "$was" "$(link_of "tc_ingress_$(ifindex h0)")"
same "the first one still blocks" 0 "$(delivered $BAD4 $HOST4 10)"

# A wrong configuration: at a reload the old one stays, at a start it is an end.
echo "Nonsense=1" >>"$T/fw.conf"
kill -HUP "$DAEMON"
check "a wrong reload names the line" wait_for grep -q ':4\|line 4' "$T/log"
check "the daemon goes on" kill -0 "$DAEMON"
same "and blocks as before" 0 "$(delivered $BAD4 $HOST4 10)"
stop
fails_with "a start with a wrong configuration" ":4|line 4"
same "what was enforced still is" 0 "$(delivered $BAD4 $HOST4 10)"
configure
start || die "the daemon does not start with the right configuration"
remove

# Without a capability the verifier refuses the programs. One line says which is missing, and systemd does not try again.
for name in perfmon bpf net_admin; do
	timeout 10 setpriv --bounding-set "-sys_admin,-$name" "$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" \
		--state-dir "$T/state" --run-dir "$T/run" >"$T/output" 2>&1
	same "without cap_$name: exit status" 2 $?
	check "without cap_$name: it is named" grep -qi "cap_$name" "$T/output"
	same "without cap_$name: in one line" 1 "$(wc -l <"$T/output")"
done

# The pin directory.
mkdir -p "$T/plain"
fails_with "no bpffs" "not on a bpffs" --pin-dir "$T/plain/fw"
mkdir "$T/bpf/squat" && chown 65534 "$T/bpf/squat"
fails_with "a squatted directory" "belongs to another user|cannot be trusted" --pin-dir "$T/bpf/squat"
same "a squatted directory: to start again would not help" 2 "$status"
mkdir -m 0777 "$T/bpf/open" && chmod 0777 "$T/bpf/open"
fails_with "a directory open to everyone" "cannot be trusted|others may write" --pin-dir "$T/bpf/open"
chmod 0770 "$T/bpf/open"
fails_with "a directory that its group may write to" "cannot be trusted|others may write" --pin-dir "$T/bpf/open"
mkdir "$T/read_only"
mount --bind "$T/bpf" "$T/read_only"
mount -o remount,bind,ro "$T/read_only"
fails_with "a read-only bpffs" "[Rr]ead-only" --pin-dir "$T/read_only/new"

# Another kind of thing where our pins would be.
mkdir -m 0700 "$T/bpf/other"
"$FOREIGN" tcx h0 ingress pass "$T/bpf/other/meta"
fails_with "something else pinned as meta" "." --pin-dir "$T/bpf/other"
rm -f "$T/bpf/other/meta" "$T/bpf/other/meta_count"

# Another kind of thing where a pin of ours would be: what can be made anew is, what holds state is refused by
# name; either way what is attached goes on, and unload gets rid of all of it.
"$FOREIGN" program pass "$T/bpf/strange"
for row in "maps/policy strange refused" "maps/lists directory refused" "maps/ends maps/lists refused" \
	"maps/schema directory mended" "progs/fw_tc_in maps/lists mended" "progs/fw_tc_out directory mended" \
	"links/cgroup_ingress directory mended" "meta directory mended" "meta strange mended" "next-1 directory mended" \
	"filling directory mended" "maps/strange maps/lists mended"; do
	read -r pin what expected <<<"$row"
	configure
	start || die "the daemon does not start"
	fwctl block $BAD4 >/dev/null
	stop
	rm -f "$PINS/$pin"
	case $what in
	directory) mkdir "$PINS/$pin" ;;
	strange) ln "$T/bpf/strange" "$PINS/$pin" ;;
	*) ln "$PINS/$what" "$PINS/$pin" ;;
	esac
	if [ "$expected" = refused ]; then
		fails_with "$what as $pin" "$pin"
	else
		check "$what as $pin: the daemon starts" start
		check "$what as $pin: attached once" is_attached h0
		stop
	fi
	same "$what as $pin: it still blocks" 0 "$(delivered $BAD4 $HOST4 10)"
	check "$what as $pin: unload" quietly fwctl unload
	check "$what as $pin: and nothing is left" refuse test -e "$PINS"
done

fwctl status --quiet
same "fwctl says that nothing is loaded" 3 $?

# Another bpffs over the one that the daemon has pinned in, which it does not see in its mount namespace.
start_with
# shellcheck disable=SC2016 # for the inner shell
unshare --mount bash -c 'mount -t bpf -o mode=0700 bpf "$1/bpf" && exec "$2" show --pin-dir "$1/bpf/fw" --state-dir "$1/state" \
	--run-dir "$1/run"' bash "$T" "$FWCTL" 2>"$T/stderr"
same "a daemon whose bpffs was mounted again: not loaded, as seen here" 3 $?
check "a daemon whose bpffs was mounted again: fwctl advises a restart, not a start" \
	grep -q "The daemon runs (pid $DAEMON).*systemctl restart ebpf-fw" "$T/stderr"
stop
quietly fwctl unload

# Without systemd: no NOTIFY_SOCKET, no journal; statistics go to stderr.
configure StatsIntervalSec=1
: >"$T/log"
daemon >>"$T/log" 2>&1 &
DAEMON=$!
check "without systemd it starts" wait_for fwctl status --quiet
fwctl block $BAD4 >/dev/null
delivered $BAD4 $HOST4 10 >/dev/null
check "its statistics are on stderr" wait_for grep -Eq 'tc ingress: .*dropped 10' "$T/log"
stop
same "SIGTERM is an ordinary end" 0 $?
check "it says that filtering goes on" grep -qi 'unload\|still\|goes on\|stays' "$T/log"
