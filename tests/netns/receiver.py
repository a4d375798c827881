#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in for journald: takes records in its native protocol and appends them to a file, one JSON object a line.

A field that comes several times is a list. Usage: receiver.py SOCKET FILE
"""

import json
import os
import socket
import struct
import sys


def parse(datagram):
    record = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", datagram)
            value, datagram = datagram[8 : 8 + size], datagram[8 + size + 1 :]
        name, value = name.decode(), value.decode()
        if name in record:
            record[name] = [*(record[name] if isinstance(record[name], list) else [record[name]]), value]
        else:
            record[name] = value
    return record


def main():
    path, out = sys.argv[1:]
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind(path + ".new")
    with open(out, "a", encoding="utf-8") as f:
        os.rename(path + ".new", path)
        while True:
            f.write(json.dumps(parse(journal.recv(65536))) + "\n")
            f.flush()


main()
