#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh FUZZER CORPUS [MORE-INPUTS]: lets a fuzz target look for inputs that it does not like, for FUZZ_SECONDS= (30).
# What it finds is kept next to the fuzzer, with the command that repeats it. To run one for two hours:
# FUZZ_SECONDS=7200 tests/fuzz/run.sh build/tests/fuzz/fuzz-feed tests/fuzz/corpus/feed tests/golden
set -eu

fuzzer=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# new inputs go to the first directory; the others are only read
if ! "$fuzzer" -max_total_time="${FUZZ_SECONDS:-30}" -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
	-artifact_prefix="$fuzzer-" "$work" "$@" >"$work.log" 2>&1; then
	tail -n 60 "$work.log"
	rm -f "$work.log"
	echo "To repeat it: $fuzzer $fuzzer-KIND-HASH, as named above"
	exit 1
fi
grep -E '^stat::number_of_executed_units|^Done' "$work.log"
rm -f "$work.log"
