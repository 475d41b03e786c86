"""Another user of the laptop: `local.py PLACE idle COUNT HOST PORT` keeps connections open and sends nothing.

It begins when PLACE.go exists, and ends with its standard input. PLACE.sent contains the number of connections.
"""

import mmap
import os
import socket
import struct
import sys
import time

# How many connections one process has. The usual limit of open files is 1,024.
SHARE = 900


def main():
    place, _, count, host, port = sys.argv[1:]
    count, left = int(count), int(count)
    with open(place + ".sent", "r+b") as file:
        counters = mmap.mmap(file.fileno(), 16)
    while not os.path.exists(place + ".go"):
        time.sleep(0.01)
    while left > SHARE and os.fork() == 0:
        left -= SHARE
    kept = []
    for _ in range(min(left, SHARE)):
        client = socket.socket()
        client.settimeout(10)
        try:
            client.connect((host, int(port)))
        except OSError:
            break
        kept.append(client)
        counters[:] = struct.pack("<QQ", struct.unpack("<QQ", counters[:])[0] + 1, 0)
    os.read(0, 1)


main()
