#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Are the records of statistics what ebpf-fwd(8) says? Reads "journalctl -o json" of the unit.

There must be drops at tc ingress, no record of a hook without packets, one of all hooks where there were none, every
field a number, and as much time in a record as between two windows. Usage: check-records.py SECONDS
"""

import json
import sys

MESSAGE_WINDOW = "0373e56aaaeb45b18c0f72171d6a83d3"
NUMBERS = ("FW_TOTAL", "FW_SYN", "FW_SYN_ACK", "FW_DROPPED", "FW_UNPARSED", "FW_BYTES", "FW_INTERVAL_USEC")
USEC_PER_SEC = 1_000_000
IN = ("tc", "ingress")
ALL = ("all", "both")


def windows_of(records):
    """Those of one window have its length in common, and a place each."""
    windows = []
    for record in records:
        place = (record["FW_HOOK"], record["FW_DIRECTION"])
        last = windows[-1] if windows else {}
        if place in last or not last or next(iter(last.values()))["FW_INTERVAL_USEC"] != record["FW_INTERVAL_USEC"]:
            windows.append({})
        windows[-1][place] = record
    return windows


def is_on_time(before, after, seconds):
    before, after = (next(iter(window.values())) for window in (before, after))
    passed = int(after["__MONOTONIC_TIMESTAMP"]) - int(before["__MONOTONIC_TIMESTAMP"])
    interval = int(after["FW_INTERVAL_USEC"])
    return all(abs(usec - seconds * USEC_PER_SEC) < USEC_PER_SEC for usec in (passed, interval))


def main():
    seconds = int(sys.argv[1])
    records = [r for r in map(json.loads, sys.stdin) if r.get("MESSAGE_ID") == MESSAGE_WINDOW]
    for record in records:
        missing = [name for name in NUMBERS if not str(record.get(name, "")).isdigit()]
        if missing or record.get("PRIORITY") != "6" or record.get("_SYSTEMD_UNIT") != "ebpf-fw.service":
            sys.exit(f"a record without {missing}, or not of the unit: {record}")

    windows = windows_of(records)
    if not any(int(window[IN]["FW_DROPPED"]) > 0 for window in windows if IN in window):
        sys.exit("no record of a drop")
    for window in windows:
        if ALL in window and (len(window) > 1 or window[ALL]["FW_TOTAL"] != "0"):
            sys.exit(f"an idle window has other records: {window}")
        if any(record["FW_TOTAL"] == "0" for place, record in window.items() if place != ALL):
            sys.exit(f"a record of a hook without packets: {window}")
    if not any(is_on_time(before, after, seconds) for before, after in zip(windows, windows[1:])):
        sys.exit(f"no two windows within {seconds} s")


main()
