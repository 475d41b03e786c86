"""The server's side of SPDY/3.1, as far as `kubectl exec` uses it.

The names of the streams are in compressed headers, which this server does not read: kubectl always opens them in the order
of NAMES.
"""

import asyncio
import struct
import zlib

NAMES = ["error", "stdin", "stdout", "stderr"]
SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1


class Stream:
    def __init__(self, connection, number):
        self.connection = connection
        self.number = number
        self.received = asyncio.Queue()

    async def read(self):
        """The next bytes; none at the end."""
        return await self.received.get()

    async def write(self, data):
        await self.connection.can_write.wait()
        self.connection.transport.write(struct.pack(">II", self.number, len(data)) + data)

    async def close(self):
        self.connection.transport.write(struct.pack(">II", self.number, FIN << 24))


class Connection(asyncio.Protocol):
    def __init__(self, transport):
        self.transport = transport
        self.buffer = b""
        self.opened = asyncio.Queue()
        self.by_number = {}
        self.closed = asyncio.Event()
        self.can_write = asyncio.Event()
        self.can_write.set()
        # One compressor for all headers of the connection, as SPDY wants it. It uses no dictionary.
        self.compressor = zlib.compressobj()

    def data_received(self, data):
        self.buffer += data
        while len(self.buffer) >= 8:
            first, second = struct.unpack(">II", self.buffer[:8])
            flags, length = second >> 24, second & 0xFFFFFF
            if len(self.buffer) < 8 + length:
                return
            body, self.buffer = self.buffer[8 : 8 + length], self.buffer[8 + length :]
            if first >> 31:
                self.control(first & 0xFFFF, body)
            elif first in self.by_number:
                if body:
                    self.by_number[first].received.put_nowait(body)
                if flags & FIN:
                    self.by_number[first].received.put_nowait(b"")

    def control(self, kind, body):
        if kind == SYN_STREAM:
            number = struct.unpack(">I", body[:4])[0]
            stream = self.by_number[number] = Stream(self, number)
            no_headers = self.compressor.compress(struct.pack(">I", 0))
            no_headers += self.compressor.flush(zlib.Z_SYNC_FLUSH)
            self.send(SYN_REPLY, struct.pack(">I", number) + no_headers)
            self.opened.put_nowait(stream)
        elif kind == PING:
            self.send(PING, body)
        elif kind == RST_STREAM:
            number = struct.unpack(">I", body[:4])[0]
            self.by_number[number].received.put_nowait(b"")
        elif kind == GOAWAY:
            self.closed.set()

    def send(self, kind, body):
        self.transport.write(struct.pack(">HHI", 0x8003, kind, len(body)) + body)

    def pause_writing(self):
        self.can_write.clear()

    def resume_writing(self):
        self.can_write.set()

    def connection_lost(self, _):
        self.closed.set()
        self.can_write.set()
        for stream in self.by_number.values():
            stream.received.put_nowait(b"")

    async def streams(self):
        return {name: await self.opened.get() for name in NAMES}


async def accept(request, protocol):
    """Answers a request for SPDY, and takes over its connection."""
    transport = request.transport
    connection = Connection(transport)
    transport.set_protocol(connection)
    transport.write(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        + f"X-Stream-Protocol-Version: {protocol}\r\n\r\n".encode()
    )
    return connection
