#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Are the records of statistics what ebpf-fwd(8) says? Reads "journalctl -o json" of the unit.

There must be drops at tc ingress, two windows of each hook and direction, every field a number, and as
much time in a record as between two of them. Usage: check-records.py SECONDS
"""

import json
import sys

MESSAGE_WINDOW = "0373e56aaaeb45b18c0f72171d6a83d3"
NUMBERS = ("FW_TOTAL", "FW_SYN", "FW_SYN_ACK", "FW_DROPPED", "FW_UNPARSED", "FW_BYTES", "FW_INTERVAL_USEC")
USEC_PER_SEC = 1_000_000


def is_on_time(before, after, seconds):
    passed = int(after["__MONOTONIC_TIMESTAMP"]) - int(before["__MONOTONIC_TIMESTAMP"])
    interval = int(after["FW_INTERVAL_USEC"])
    return all(abs(usec - seconds * USEC_PER_SEC) < USEC_PER_SEC for usec in (passed, interval))


def main():
    seconds = int(sys.argv[1])
    windows = [r for r in map(json.loads, sys.stdin) if r.get("MESSAGE_ID") == MESSAGE_WINDOW]
    places = {}
    for record in windows:
        missing = [name for name in NUMBERS if not str(record.get(name, "")).isdigit()]
        if missing or record.get("PRIORITY") != "6" or record.get("_SYSTEMD_UNIT") != "ebpf-fw.service":
            sys.exit(f"a record without {missing}, or not of the unit: {record}")
        places.setdefault((record["FW_HOOK"], record["FW_DIRECTION"]), []).append(record)

    wanted = {(hook, direction) for hook in ("tc", "cgroup") for direction in ("ingress", "egress")}
    if not wanted <= places.keys():
        sys.exit(f"no record of {wanted - places.keys()}")
    if not any(int(record["FW_DROPPED"]) > 0 for record in places["tc", "ingress"]):
        sys.exit("no record of a drop")
    for place in wanted:
        pairs = zip(places[place], places[place][1:])
        if not any(is_on_time(before, after, seconds) for before, after in pairs):
            sys.exit(f"no two records of {place} within {seconds} s")


main()
