#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the records of statistics add up to the counters, and do they cover all the time, window by window?

Usage: sum-records.py USEC SECONDS, with the time at which counting began, and the length of a window. The
daemon may have been restarted and killed once since.
"""

import json
import subprocess
import sys

MESSAGE_WINDOW = "0373e56aaaeb45b18c0f72171d6a83d3"
SUMS = {"FW_TOTAL": "packets", "FW_BYTES": "bytes", "FW_SYN": "syn", "FW_DROPPED": "dropped"}
USEC_PER_SEC = 1_000_000
ODD_MAX = 6  # of a restart and a kill: the window before, the one that covers the gap, and the one after


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def lengths_of(records):
    """The length of each window in seconds. Its records have that in common, and a hook and direction each."""
    lengths, places, last = [], set(), None
    for record in records:
        place, usec = (record["FW_HOOK"], record["FW_DIRECTION"]), record["FW_INTERVAL_USEC"]
        if usec != last or place in places:
            lengths.append(int(usec) / USEC_PER_SEC)
            places = set()
        places.add(place)
        last = usec
    return lengths


def main():
    start, seconds = int(sys.argv[1]), int(sys.argv[2])
    lines = output_of("journalctl", "-u", "ebpf-fw", "-o", "json", "--no-pager").splitlines()
    records = [r for r in map(json.loads, lines)
               if r.get("MESSAGE_ID") == MESSAGE_WINDOW and int(r["__REALTIME_TIMESTAMP"]) >= start]
    faults = []
    for hook in json.loads(output_of("fwctl", "stats", "--json"))["hooks"]:
        place = (hook["hook"], hook["direction"])
        own = [r for r in records if (r["FW_HOOK"], r["FW_DIRECTION"]) == place]
        for field, key in SUMS.items():
            total = sum(int(r[field]) for r in own)
            if total != hook[key]:
                faults.append(f"{place}: {field} of all records is {total}, the counter is {hook[key]}")
    if records:
        intervals = lengths_of(records)
        passed = (int(records[-1]["__REALTIME_TIMESTAMP"]) - start) / USEC_PER_SEC
        n_odd = sum(abs(interval - seconds) > seconds / 2 for interval in intervals)
        print(f"{len(intervals)} windows, {n_odd} of odd length, of {sum(intervals):.1f} s in {passed:.1f} s")
        if abs(sum(intervals) - passed) > 2 * seconds:
            faults.append(f"windows cover {sum(intervals):.1f} s of {passed:.1f} s")
        if n_odd > ODD_MAX:
            faults.append(f"{n_odd} windows are not of {seconds} s: {intervals}")
    if not records:
        faults.append("there are no records")
    sys.exit("\n".join(faults) or 0)


main()
