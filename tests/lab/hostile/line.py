"""The parts that hostile agents share: making frames and packets, reading, and writing.

The greeting comes from a real agent, whose command is given, so that it has every feature that a manager may require.
A hostile agent writes as fast as the manager reads, counts what it has written, and ends when its standard input ends.
"""

import json
import mmap
import os
import select
import struct
import subprocess
import sys
import threading
import time

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PACKET, CONTROL = 1, 2
BLOCK = 200


def frame(kind, payload):
    return struct.pack(">IHH", 0x42000000 | len(payload) + 4, kind, 0) + payload


def control(value):
    return frame(CONTROL, value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode())


def event(kind, data):
    return control({"type": "event", "body": {"type": kind, "data": data}})


def problems(count, text):
    return event("problems", {"problems": [{"what": "%d %s" % (n, text), "reason": "r" * 400} for n in range(count)]})


def address(text):
    return int.from_bytes(bytes(int(word) for word in text.split(".")), "big")


def folded(number):
    """The one's complement sum of a number's 16-bit words."""
    return number % 0xFFFF


def packet(src, sport, dst, dport, seq=1, ack=0, flags=SYN, window=0xFFFF, data=b"", spoil=0):
    """A packet as a frame. Its TCP sum is wrong by `spoil`."""
    length = 40 + len(data)
    total = folded(0x4500 + length + 0x4000 + 0x4006 + src + dst)
    ip = struct.pack(">HHIHHII", 0x4500, length, 0x4000, 0x4006, ~total & 0xFFFF, src, dst)
    padded = data if len(data) % 2 == 0 else data + b"\0"
    total = src + dst + 6 + 20 + len(data) + (sport << 16 | dport) + seq + ack + (0x5000 | flags) + window
    total += int.from_bytes(padded, "big") % 0xFFFF
    tcp = struct.pack(">HHIIHHHH", sport, dport, seq, ack, 0x5000 | flags, window, (~folded(total) + spoil) & 0xFFFF, 0)
    return struct.pack(">IHH", 0x42000000 | length + 4, PACKET, 0) + ip + tcp + data


def pattern(start, count):
    """The valid bytes of a flow. Each byte follows from its place, so that a service detects wrong bytes."""
    return bytes((n * 31 + n // 251) & 0xFF for n in range(start, start + count))


class Segment:
    """A segment that was received."""

    def __init__(self, payload):
        self.length = len(payload) - 20 - (payload[32] >> 4) * 4
        self.src, self.dst, self.sport, self.dport, self.seq, self.ack, _, self.flags = struct.unpack(
            ">IIHHIIBB", payload[12:34]
        )
        self.data = payload[len(payload) - self.length :]


class Line:
    """The standard streams of the agent. The constructor waits for the configuration."""

    def __init__(self, place, command):
        self.place, self.buffer = place, bytearray()
        with open(place + ".sent", "a+b") as file:
            file.truncate(16)
            self.counters = mmap.mmap(file.fileno(), 16)
        first = next(self.frames())[1]
        self.arguments = json.loads(first)["body"]["args"]
        self.me = address(self.arguments["me"])
        self.hosts = {name: address(vip) for name, vip in self.arguments["hostnameMap"].items()}
        self.real = self.real_greeting(command, first)
        threading.Thread(target=self.end_with_input, daemon=True).start()

    def shown(self, name):
        """A host's address as text."""
        return self.arguments["hostnameMap"][name]

    @staticmethod
    def real_greeting(command, configure):
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        child.stdin.write(control(configure))
        head = child.stdout.read(8)
        left, text = int.from_bytes(head[1:4], "big") - 4, b""
        while len(text) < left:
            text += child.stdout.read(left - len(text))
        child.kill()
        child.wait()
        greeting = json.loads(text)
        # These features are removed, because only some modes answer questions.
        features = greeting["body"]["data"]["features"]
        greeting["body"]["data"]["features"] = [name for name in features if name not in ("heartbeat", "probe")]
        return greeting

    def greet(self, more=()):
        self.real["body"]["data"]["features"] += more
        self.put(control(self.real), 0)

    def wait(self):
        """Waits until the test begins the attack."""
        while not os.path.exists(self.place + ".go"):
            time.sleep(0.01)

    @staticmethod
    def end_with_input():
        poll = select.poll()
        poll.register(0, 0)
        poll.poll()
        os._exit(0)

    def put(self, data, count):
        """Counts and writes frames. They are counted first, because the manager may not read all of them."""
        sent, size = struct.unpack("<QQ", self.counters[:])
        self.counters[:] = struct.pack("<QQ", sent + count, size + len(data))
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(1, view) :]
            except OSError:
                os._exit(0)

    def drain(self):
        """From now on, reads and discards everything."""
        threading.Thread(target=self.read_all, daemon=True).start()

    @staticmethod
    def read_all():
        while os.read(0, 1 << 18):
            pass

    def frames(self, timeout=None):
        """Yields the received frames, and `None` whenever no frame has come for this many seconds."""
        while True:
            while len(self.buffer) >= 8 and len(self.buffer) >= (end := 4 + int.from_bytes(self.buffer[1:4], "big")):
                kind, payload = self.buffer[5], bytes(self.buffer[8:end])
                del self.buffer[:end]
                yield kind, payload
            if timeout is not None and not select.select([0], [], [], timeout)[0]:
                yield None
                continue
            data = os.read(0, 1 << 18)
            if not data:
                os._exit(0)
            self.buffer += data

    def repeat(self, blocks, count):
        """Writes the same blocks, of this many frames each, for ever."""
        while True:
            for block in blocks:
                self.put(block, count)

    def syns(self, dst, dport, ports=range(1024, 65000), flags=SYN):
        """Blocks of SYNs from many ports."""
        frames = [packet(self.me, port, dst, dport, port * 977, 0, flags) for port in ports]
        return [b"".join(frames[n : n + BLOCK]) for n in range(0, len(frames), BLOCK)]

    def open(self, count, dst, dport, base=10000, window=0xFFFF):
        """Opens flows. Returns the sequence and acknowledgment numbers of each, by port."""
        for port in range(base, base + count):
            self.put(packet(self.me, port, dst, dport, 0, 0, SYN), 1)
        flows, end = {}, time.monotonic() + 5
        for come in self.frames(0.2):
            if come and come[0] == PACKET:
                segment = Segment(come[1])
                # Another mode may have opened a flow from this port with another sequence number. The answer to its SYN
                # is ignored.
                is_answer = segment.flags & (SYN | ACK) == SYN | ACK and segment.ack == 1
                if is_answer and base <= segment.dport < base + count and segment.dport not in flows:
                    flows[segment.dport] = [1, segment.seq + 1 & 0xFFFFFFFF]
                    self.put(packet(self.me, segment.dport, dst, dport, 1, segment.seq + 1, ACK, window), 1)
            if len(flows) == count or time.monotonic() > end:
                return flows
