"""Runs a command, and cuts its connection or changes a byte, as the number of its start says.

    cutter.py FOLDER FIRST CUTS FLIPS COMMAND...

The first start is cut after FIRST bytes and the next CUTS - 1 after about one chunk each, in turn by the end of the
input and by the death of the command. FLIPS further starts have one byte changed. All others are left alone. The file
FOLDER/log has a line for each start: how it was treated, how many bytes went to the command, how many it said that it had.
"""

import os
import random
import re
import signal
import subprocess
import sys
import threading

CHUNK = 65536
folder, first, cuts, flips = sys.argv[1], *map(int, sys.argv[2:5])
log = os.path.join(folder, "log")
number = len(open(log).readlines()) if os.path.exists(log) else 0
seed = random.Random("%s %d" % (os.path.basename(folder), number))
limit = flip = None
if number < cuts:
    # The lines before the chunks have less than 6000 bytes.
    limit = seed.randrange(8000, CHUNK + 6000) + (first if number == 0 else CHUNK // 2)
elif number < cuts + flips:
    flip = seed.randrange(8000, CHUNK)
child = subprocess.Popen(
    sys.argv[5:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, bufsize=0
)
said = bytearray()


def back():
    while data := os.read(child.stdout.fileno(), CHUNK):
        if len(said) < CHUNK:
            said.extend(data)
        try:
            os.write(1, data)
        except OSError:
            return
    os.close(1)


carrier = threading.Thread(target=back)
carrier.start()
count = 0
while data := os.read(0, CHUNK):
    if limit is not None:
        data = data[: limit - count]
    if flip is not None and count <= flip < count + len(data):
        data = bytearray(data)
        data[flip - count] ^= 1
    count += len(data)
    try:
        while data:
            data = data[os.write(child.stdin.fileno(), data) :]
    except OSError:
        break
    if count == limit:
        break
if limit is not None and count == limit and number % 4 == 3:
    os.killpg(child.pid, signal.SIGKILL)
child.stdin.close()
if limit is None:
    child.wait()
carrier.join()
if child.poll() is None:
    child.wait()
had = re.search(rb"\nnr-\S+ have (\d+)\n", said)
runs = len(re.findall(rb"\nnr-\S+ run ", said))
how = "cut" if count == limit else "flip" if flip is not None else "well"
with open(log, "a") as file:
    file.write("%s %d %s %d\n" % (how, count, had.group(1).decode() if had else "-", runs))
sys.exit(255 if how == "cut" else child.returncode)
