#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What systemd does for the unit: keeper.py SOCKET RECORD COMMAND...

Runs the command, keeps the descriptors that it sends with FDSTORE=1 to SOCKET, gives them to the next run, and begins that
when the command ends with status 3. What it says otherwise is added to the file RECORD.
"""

import array
import os
import signal
import socket
import sys

path, record, command = sys.argv[1], sys.argv[2], sys.argv[3:]
store = []  # one name, "pins", is all that there is


def take(message, fds):
    with open(record, "a", encoding="ascii") as f:
        f.write(message.rstrip("\n") + "\n")
    lines = message.split("\n")
    if "FDSTOREREMOVE=1" in lines:
        while store:
            os.close(store.pop())
    for fd in fds:
        if "FDSTORE=1" in lines:
            store.append(fd)
        else:
            os.close(fd)


def begin():
    pid = os.fork()
    if pid:
        return pid
    for i, fd in enumerate(store):
        os.dup2(fd, 3 + i)
    os.environ["NOTIFY_SOCKET"] = path
    os.environ["FDSTORE"] = "1"
    if store:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(store)), LISTEN_FDNAMES="pins")
    os.execvp(command[0], command)


if os.path.exists(path):
    os.unlink(path)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
os.dup2(notify.fileno(), 100, inheritable=False)  # 3 and those that follow are for the command
notify.close()
notify = socket.socket(fileno=100)
notify.bind(path)
notify.settimeout(0.1)
child = begin()
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
while True:
    try:
        data, ancillary, _, _ = notify.recvmsg(65536, socket.CMSG_SPACE(16))
        fds = array.array("i")
        for _, _, content in ancillary:
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
        take(data.decode(), fds)
    except TimeoutError:
        pass
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended and os.waitstatus_to_exitcode(status) == 3:
        child = begin()
    elif ended:
        sys.exit(os.waitstatus_to_exitcode(status) & 255)
