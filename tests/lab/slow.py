"""Runs a command behind a long line: each way has RATE bytes per second, and takes DELAY seconds.

    slow.py RATE DELAY COMMAND...

Each way holds the bytes on the line and a queue of 64 kB, like a router. When both are full, the sender has to wait.
"""

import os
import queue
import subprocess
import sys
import threading
import time

rate, delay = int(sys.argv[1]), float(sys.argv[2])
PIECE = 4096
QUEUE = 65536
child = subprocess.Popen(sys.argv[3:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def carry(source, sink):
    line = queue.Queue()
    room = threading.Semaphore(max(1, int((rate * delay + QUEUE) / PIECE)))

    def arrive():
        while True:
            at, data = line.get()
            pause = at - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            if not data:
                os.close(sink)
                return
            try:
                while data:
                    data = data[os.write(sink, data) :]
            except OSError:
                return
            room.release()

    threading.Thread(target=arrive, daemon=True).start()
    free = time.monotonic()
    while True:
        room.acquire()
        data = os.read(source, PIECE)
        # The line is busy until the last byte of this piece is on it.
        free = max(free, time.monotonic()) + len(data) / rate
        line.put((free + delay, data))
        if not data:
            return


back = threading.Thread(target=carry, args=(child.stdout.fileno(), os.dup(1)))
back.start()
os.close(1)
threading.Thread(target=carry, args=(0, os.dup(child.stdin.fileno())), daemon=True).start()
child.stdin.close()
back.join()
child.wait()
# The last bytes are still on the line.
time.sleep(delay + 0.05)
