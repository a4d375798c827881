# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the journal gets, kept in a file. Sourced after lib.sh; starts a receiver in place of journald.

RECORDS=$T/records

echo 512 >/proc/sys/net/unix/max_dgram_qlen # as systemd has it; the kernel's 10 would lose some of twenty
mkdir -p /run/systemd/journal # of this test's own /run
python3 "$SOURCE_ROOT/tests/netns/receiver.py" /run/systemd/journal/socket "$RECORDS" &
receiver=$!
wait_for test -S /run/systemd/journal/socket || die "no receiver"

id_of() { # NAME
	sed -n "s/^#define MESSAGE_$1 *\"\([0-9a-f]*\)\".*/\1/p" "$SOURCE_ROOT/lib/log/messages.h"
}

# Evaluates an expression over the records of this kind for which the condition holds; in both r is the record, in
# which a field that is not there is empty.
records() { # NAME EXPRESSION [CONDITION]
	python3 - "$RECORDS" "$(id_of "$1")" "$2" "${3:-True}" <<'END'
import json, sys
class Record(dict):
    def __missing__(self, name):
        return ""
path, kind, expression, condition = sys.argv[1:]
rows = [Record(json.loads(line)) for line in open(path)]
rows = [r for r in rows if r["MESSAGE_ID"] == kind and eval(f"({condition})")]
print(eval(f"({expression})"))
END
}

n_records() { # NAME [CONDITION]
	records "$1" "len(rows)" "${2:-True}"
}

has_record() { # NAME [CONDITION]
	[ "$(n_records "$@")" -gt 0 ]
}

sum_of() { # NAME FIELD [CONDITION]
	records "$1" "sum(int(r['$2'] or 0) for r in rows)" "${3:-True}"
}

forget() {
	: >"$RECORDS"
}

touch "$T/log"
JOURNAL_STREAM=$(stat -c %d:%i "$T/log")
export JOURNAL_STREAM # the daemon takes its log for the journal
