#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 106: the file system of the state directory is not mounted at the start, and comes later: it is said, and the lists
# are active without a restart by hand, with and without a mount namespace of the daemon's own. A file limit undoes a change, and
# closed streams do no harm.
. "${0%/*}/lib.sh"

[ -f /etc/fstab ] || {
	echo "1..0 # SKIP there is no /etc/fstab to mount another over"
	trap - EXIT
	exit 0
}
mount --make-rshared / # as systemd does: of our own mount namespace

mkdir -p "$T/state" "$T/late/lists"
printf '#!ebpf-fw list=manual action=block mode=enforce enabled=yes direction=default\n%s\n' $BAD4 >"$T/late/lists/manual.list"
echo "none $T/state tmpfs nofail 0 0" >"$T/fstab"
mount --bind "$T/fstab" /etc/fstab

is_blocked() {
	fwctl export manual 2>/dev/null | grep -q "$BAD4"
}

doctor_says() { # TEXT
	fwctl doctor 2>&1 | grep -q "$1"
}

check_missing() { # NAME
	check "$1: the journal says so" grep -q "is not mounted, though" "$T/log"
	check "$1: doctor says so" doctor_says "is not mounted, though /etc/fstab has it"
	check "$1: the entry is not active" refuse is_blocked
}

start_receivers
start_with
check_missing "not mounted"
fwctl block 203.0.113.7 >"$T/output" 2>&1
check "a change that is saved below the mount point says so" grep -q "is hidden when it is mounted" "$T/output"
fwctl unblock 203.0.113.7 >/dev/null 2>&1
mount --bind "$T/late" "$T/state"
check "mounted: its lists are active" wait_for is_blocked
same "mounted: nothing is delivered" 0 "$(delivered $BAD4 $HOST4 10)"
check "mounted: doctor is content" refuse doctor_says "is not mounted"
stop
fwctl unload >/dev/null
umount "$T/state"
rm -rf "$T/state/lists"

# As under the unit: the mount that the sandbox makes of the state directory on itself.
# shellcheck disable=SC2016 # for the inner shell
daemon() {
	exec unshare --mount --propagation slave bash -c 'mount --bind "$3/state" "$3/state" && exec "$1" --config "$3/fw.conf" \
		--pin-dir "$2" --state-dir "$3/state" --run-dir "$3/run"' bash "$EBPF_FWD" "$PINS" "$T"
}

: >"$T/log"
start_with
check_missing "in a sandbox, not mounted"
mount --bind "$T/late" "$T/state"
check "in a sandbox, mounted: its lists are active" wait_for is_blocked
same "in a sandbox, mounted: nothing is delivered" 0 "$(delivered $BAD4 $HOST4 10)"

(
	ulimit -f 0
	fwctl block 203.0.113.8 2>&1
) | cat >"$T/output"
check "a limit of file sizes: fwctl says so" grep -q "File too large" "$T/output"
check "and nothing was changed" refuse grep -q "203.0.113.8" <(fwctl export manual)
stop

# A part of another file system, which has the end of the path for its name, is a mount all the same.
umount "$T/state"
mkdir "$T/disk"
mount -t tmpfs none "$T/disk"
mkdir "$T/disk/state"
check "nothing mounted: doctor says so" doctor_says "is not mounted, though /etc/fstab has it"
mount --bind "$T/disk/state" "$T/state"
check "a directory of that name is mounted: doctor is content" refuse doctor_says "is not mounted"
umount "$T/state"
mount --bind "$T/state" "$T/state"
check "the directory on itself is mounted: doctor says so" doctor_says "is not mounted, though /etc/fstab has it"
umount "$T/state"
umount "$T/disk"
