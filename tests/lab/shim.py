"""A bad line: runs a command and carries its standard streams, with the faults that it is ordered to make.

    shim.py PLACE COMMAND...

An order is a line of words. The orders in the file PLACE.orders are carried out at the start. Further orders come
through the socket PLACE.sock, and each is answered when it was carried out. WAY is "to" the command, "from" it, or
"both".

    stall WAY                carry nothing
    slow WAY RATE            carry this many bytes per second
    lose WAY                 read everything, and discard it
    cut WAY                  close both ends, and go on running
    corrupt WAY EVERY SEED   flip a bit in about one of this many bytes
    insert WAY FILE          insert the bytes of a file
    deaf                     ignore SIGTERM, and the end of the command
    mute                     discard the command's standard error (at the start only)
    flood                    write to standard error as fast as it is read
    heal                     end all faults
"""

import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time

CHUNK = 65536


class Way:
    """One direction of a pipe."""

    def __init__(self, source, sink):
        self.source, self.sink, self.buffer = source, sink, bytearray()
        os.set_blocking(source, False)
        os.set_blocking(sink, False)
        self.heal()

    def heal(self):
        self.stalled = self.lost = False
        self.rate = self.every = 0
        self.may, self.since = 0.0, time.monotonic()

    def wants_to_read(self):
        return self.source is not None and not self.stalled and len(self.buffer) < CHUNK

    def wants_to_write(self):
        return self.sink is not None and bool(self.buffer) and not self.stalled and (not self.rate or self.may >= 1)

    def earn(self):
        now = time.monotonic()
        self.may, self.since = min(self.may + self.rate * (now - self.since), max(self.rate / 10, 1)), now

    def read(self):
        try:
            data = os.read(self.source, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.source = self.close(self.source)
        elif not self.lost:
            data = bytearray(data)
            while self.every and self.next_fault < len(data):
                data[self.next_fault] ^= 1 << self.random.randrange(8)
                self.next_fault += 1 + self.random.randrange(2 * self.every)
            if self.every:
                self.next_fault -= len(data)
            self.buffer += data

    def write(self):
        try:
            count = os.write(self.sink, self.buffer[: int(self.may) if self.rate else CHUNK])
            self.may -= count
            del self.buffer[:count]
        except BlockingIOError:
            pass
        except OSError:
            self.cut()

    def is_over(self):
        """Whether the source has ended and everything was carried."""
        return self.source is None and (not self.buffer or self.sink is None)

    def finish(self):
        """Closes the sink when the source has ended and everything was carried."""
        if self.is_over() and not self.stalled and not self.lost:
            self.sink = self.close(self.sink)

    def cut(self):
        self.source, self.sink = self.close(self.source), self.close(self.sink)

    @staticmethod
    def close(descriptor):
        if descriptor is not None:
            os.close(descriptor)


def obey(order, ways, floods):
    word, *rest = order.split()
    chosen = {"to": ways[:1], "from": ways[1:], "both": ways}[rest[0]] if rest else ways
    if word == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        floods["deaf"] = True
    elif word == "flood":
        floods["on"] = True
        threading.Thread(target=flood, args=[floods], daemon=True).start()
    elif word == "heal":
        floods["on"] = False
    elif word not in ("stall", "slow", "lose", "cut", "corrupt", "insert", "mute"):
        raise ValueError(order)
    for way in chosen:
        if word == "heal":
            way.heal()
        elif word == "stall":
            way.stalled = True
        elif word == "lose":
            way.lost = True
        elif word == "cut":
            way.cut()
        elif word == "slow":
            way.rate = int(rest[1])
        elif word == "corrupt":
            way.every, way.random = int(rest[1]), random.Random(int(rest[2]))
            way.next_fault = way.random.randrange(2 * way.every)
        elif word == "insert":
            with open(rest[1], "rb") as file:
                way.buffer += file.read()


def flood(floods):
    while floods["on"]:
        os.write(2, b"all work and no play\n" * 1000)


def main():
    place, *command = sys.argv[1:]
    try:
        with open(place + ".orders") as file:
            orders = file.read().splitlines()
    except FileNotFoundError:
        orders = []
    errors = subprocess.DEVNULL if "mute" in orders else None
    # Like a process on another machine, the command does not get the signals of this process. Only its streams end.
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, bufsize=0
    )
    ended = os.pidfd_open(child.pid)
    ways = [Way(0, os.dup(child.stdin.fileno())), Way(os.dup(child.stdout.fileno()), 1)]
    child.stdin.close()
    child.stdout.close()
    floods = {"on": False, "deaf": False}
    for order in orders:
        obey(order, ways, floods)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    # The name must always lead to a socket that is ready, so the socket is created under another name and then renamed.
    own = "%s.%d" % (place, os.getpid())
    door.bind(own)
    os.rename(own, place + ".sock")
    while True:
        poll = select.poll()
        poll.register(door, select.POLLIN)
        if child.returncode is None:
            poll.register(ended, select.POLLIN)
        for way in ways:
            if way.rate:
                way.earn()
            if way.wants_to_read():
                poll.register(way.source, select.POLLIN)
            if way.wants_to_write():
                poll.register(way.sink, select.POLLOUT)
            elif way.sink is not None:
                # With this mask, only the closing of the other end is reported.
                poll.register(way.sink, 0)
        pause = 20 if any(way.rate and way.buffer for way in ways) else None
        for descriptor, event in poll.poll(pause):
            if descriptor == door.fileno():
                order, sender = door.recvfrom(4096)
                obey(order.decode(), ways, floods)
                door.sendto(b"done", sender)
            elif descriptor == ended:
                child.wait()
            for way in ways:
                if descriptor == way.source and event & (select.POLLIN | select.POLLHUP):
                    way.read()
                elif descriptor == way.sink and event & select.POLLOUT:
                    way.write()
                elif descriptor == way.sink and event & select.POLLERR and not way.stalled:
                    way.cut()
        for way in ways:
            way.finish()
        carried = ways[1].is_over() and not ways[1].stalled
        if child.returncode is not None and carried and not floods["deaf"]:
            sys.exit(child.returncode if child.returncode >= 0 else 128 - child.returncode)


main()
