# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scripts of this suite say to meson, in TAP. Sourced; a script ends with tap_end.

n_checks=0
n_failed=0
tap_name=$(mktemp)
exec {tap_fd}<>"$tap_name"
rm "$tap_name"
tap_output=/proc/self/fd/$tap_fd # what the command of a check prints, until the next one

# Runs a command, in this shell, and reports on it; what it printed is shown where it fails. The script
# goes on.
check() {
	local name=$1
	shift

	n_checks=$((n_checks + 1))
	: >"$tap_output"
	if "$@" >>"$tap_output" 2>&1; then
		printf 'ok %d - %s\n' "$n_checks" "$name"
		return
	fi
	n_failed=$((n_failed + 1))
	printf 'not ok %d - %s\n' "$n_checks" "$name"
	{ printf '%s\n' "$*"; cat "$tap_output"; } | sed 's/^/# /'
}

# The same where later checks make no sense after a failure.
must() {
	local before=$n_failed

	check "$@"
	[ "$n_failed" -eq "$before" ] || bail_out "$1"
}

bail_out() {
	printf 'Bail out! %s\n' "$*"
	exit 1
}

skip_check() {
	n_checks=$((n_checks + 1))
	printf 'ok %d - %s # SKIP %s\n' "$n_checks" "$1" "$2"
}

skip_all() {
	printf '1..0 # SKIP %s\n' "$*"
	exit 0
}

tap_end() {
	printf '1..%d\n' "$n_checks"
	[ "$n_failed" -eq 0 ]
}

fails() {
	! "$@"
}

# Repeats a command until it succeeds, for at most $1 seconds on an idle machine. A busy one, with ten processes to
# a processor, gets more.
wait_until() {
	local end=$((SECONDS + $1 * 6))
	shift

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}
