"""Chips on the lab's I2C bus: the far end of the kernel's virtio adapter, spoken to by vhost-user.
They play recorded transactions and know nothing of what the bytes mean; they share no code with
what is tested.

  python3 chips.py SOCKET TABLE

TABLE is read anew at each transaction, so that whoever tests tells by it what the chips do. A line is

  ADDRESS COMMAND REPLY    hexadecimal; after COMMAND was written, one read brings REPLY
  ADDRESS COMMAND          a command without a reply

What no line names is not acknowledged. It says "ready" once the kernel can connect, and ends with it.

Sources: virtio 1.3, sections 2.7 (split virtqueues) and 5.17 (I2C adapter); QEMU's vhost-user
protocol, of which the user-mode kernel uses a part.
"""

import enum
import mmap
import os
import selectors
import socket
import struct
import sys

ZERO_LENGTH_REQUEST = 1 << 0
PROTOCOL_FEATURES = 1 << 30
VERSION_1 = 1 << 32
# Of the protocol: a way back for requests of ours. There are none, but the kernel needs its line.
BACK_REQUESTS = 1 << 5



class Ask(enum.IntEnum):
    """What the kernel asks, as far as there is anything to do."""

    GET_FEATURES = 1
    SET_MEM_TABLE = 5
    SET_VRING_NUM = 8
    SET_VRING_ADDR = 9
    SET_VRING_BASE = 10
    GET_VRING_BASE = 11
    SET_VRING_KICK = 12
    SET_VRING_CALL = 13
    GET_PROTOCOL_FEATURES = 15


# Version 1, and that it is an answer.
IS_REPLY = 0x5

CHAINED, WRITABLE = 1, 2
OK, FAILED = 0, 1
READS, FAIL_NEXT = 2, 1


class Chips:
    def __init__(self, table):
        self.table = table
        self.pending = {}

    def lines(self, address):
        try:
            with open(self.table, encoding="ascii") as file:
                rows = [line.split() for line in file]
        except FileNotFoundError:
            rows = []
        return {
            bytes.fromhex(row[1]): bytes.fromhex("".join(row[2:]))
            for row in rows
            if len(row) >= 2 and int(row[0], 16) == address
        }

    def write(self, address, data):
        """Whether it was acknowledged."""
        known = self.lines(address)
        self.pending.pop(address, None)
        if data not in known:
            return False
        self.pending[address] = known[data]
        return True

    def read(self, address, length):
        """As many bytes, or None when nobody acknowledges."""
        reply = self.pending.pop(address, b"")
        if not reply or not self.lines(address):
            return None
        # After its last byte nobody pulls the line low.
        return reply[:length].ljust(length, b"\xff")


class Adapter:
    def __init__(self, connection, chips):
        self.connection = connection
        self.chips = chips
        self.regions = []
        self.size = self.seen = 0
        self.rings = None
        self.kick = self.call = None
        self.kept = []

    def message(self):
        """Obeys one message of the kernel; False when it is gone."""
        head, fds, _, _ = socket.recv_fds(self.connection, 12, 4)
        if len(head) < 12:
            return False
        request, _, size = struct.unpack("<III", head)
        body = self.connection.recv(size, socket.MSG_WAITALL) if size else b""
        match request:
            case Ask.GET_FEATURES:
                self.reply(request, ZERO_LENGTH_REQUEST | PROTOCOL_FEATURES | VERSION_1)
            case Ask.GET_PROTOCOL_FEATURES:
                self.reply(request, BACK_REQUESTS)
            case Ask.SET_MEM_TABLE:
                (count,) = struct.unpack_from("<I", body)
                for index, fd in zip(range(count), fds, strict=True):
                    _, length, address, offset = struct.unpack_from("<QQQQ", body, 8 + 32 * index)
                    # Mapped from the file's start, since an offset need not be one of a page.
                    memory = mmap.mmap(fd, offset + length)
                    self.regions.append((address, length, offset, memory))
                    os.close(fd)
            case Ask.SET_VRING_NUM:
                (_, self.size) = struct.unpack("<II", body)
            case Ask.SET_VRING_ADDR:
                _, _, table, used, available, _ = struct.unpack("<IIQQQQ", body)
                self.rings = (table, available, used)
            case Ask.SET_VRING_BASE:
                (_, self.seen) = struct.unpack("<II", body)
            case Ask.GET_VRING_BASE:
                self.connection.sendall(
                    struct.pack("<IIIII", request, IS_REPLY, 8, 0, self.seen)
                )
            case Ask.SET_VRING_KICK:
                self.kick = fds[0]
            case Ask.SET_VRING_CALL:
                self.call = fds[0]
            case _:
                self.kept += fds
        return True

    def reply(self, request, number):
        self.connection.sendall(struct.pack("<IIIQ", request, IS_REPLY, 8, number))

    def at(self, address):
        for start, length, offset, memory in self.regions:
            if start <= address < start + length:
                return memory, address - start + offset
        raise ValueError(f"the kernel names {address:#x}, which it does not share")

    def get(self, form, address):
        memory, at = self.at(address)
        return struct.unpack_from(form, memory, at)

    def put(self, address, data):
        memory, at = self.at(address)
        memory[at : at + len(data)] = data

    def serve(self):
        """Serves what waits in the ring."""
        table, available, used = self.rings
        failed = False
        while self.seen != self.get("<HH", available)[1]:
            (head,) = self.get("<H", available + 4 + 2 * (self.seen % self.size))
            parts = []
            index = head
            while True:
                address, length, flags, after = self.get("<QIHH", table + 16 * index)
                parts.append((address, length, bool(flags & WRITABLE)))
                if not flags & CHAINED:
                    break
                index = after
            written, failed = self.transact(parts, failed)
            (done,) = self.get("<H", used + 2)
            self.put(used + 4 + 8 * (done % self.size), struct.pack("<II", head, written))
            self.put(used + 2, struct.pack("<H", (done + 1) & 0xFFFF))
            self.seen = (self.seen + 1) & 0xFFFF
        os.write(self.call, struct.pack("<Q", 1))

    def transact(self, parts, failed):
        """One message on the bus. Returns how much was written, and whether the next ones fail."""
        shifted, _, flags = self.get("<HHI", parts[0][0])
        address = shifted >> 1
        buffers = parts[1:-1]
        status, written = FAILED, 1
        if not failed and flags & READS:
            for start, length, _ in buffers:
                data = self.chips.read(address, length)
                if data is not None:
                    self.put(start, data)
                    status, written = OK, 1 + length
        elif not failed:
            data = b""
            for start, length, _ in buffers:
                memory, at = self.at(start)
                data += memory[at : at + length]
            status = OK if self.chips.write(address, data) else FAILED
        self.put(parts[-1][0], bytes([status]))
        return written, status == FAILED and bool(flags & FAIL_NEXT)


def main():
    path, table = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    connection, _ = listener.accept()
    adapter = Adapter(connection, Chips(table))
    ways = selectors.DefaultSelector()
    ways.register(connection, selectors.EVENT_READ)
    kick = None
    while True:
        for key, _ in ways.select():
            if key.fileobj is connection:
                if not adapter.message():
                    return
            else:
                os.read(key.fd, 8)
                adapter.serve()
        if adapter.kick != kick:
            if kick is not None:
                ways.unregister(kick)
            kick = adapter.kick
            ways.register(kick, selectors.EVENT_READ)


main()
