# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# How a benchmark begins: sourced first, it runs the script again in network, mount and process namespaces of
# its own, with a directory T that is removed however the script ends.

if [ -z "${BENCH_DIR:-}" ]; then
	BENCH_DIR=$(mktemp -d "${TMPDIR:-/var/tmp}/ebpf-fw-bench.XXXXXX") || exit 1 # a disk: state is durable
	export BENCH_DIR
	trap 'rm -rf "$BENCH_DIR"' EXIT
	unshare --net --mount --pid --fork --kill-child --mount-proc bash "$0" "$@" &
	trap 'kill $!; wait $!; exit 1' INT TERM HUP
	wait $!
	exit
fi

# shellcheck disable=SC2034 # for who sources this
T=$BENCH_DIR

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

has() { # COMMAND
	command -v "$1" >/dev/null
}
