#!/usr/bin/env python3
"""The far side of the links: a server that takes every connection on TCP port 8883, and a name server
(RFC 1035) on UDP port 53 that knows `reach.test`. It shares nothing with the box.

    far.py ADDRESS
"""
import socket
import struct
import sys
import threading

ADDRESS = sys.argv[1]
NAME = b"\x05reach\x04test\x00"


def names():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((ADDRESS, 53))
    threading.Thread(target=serve_names, args=(udp,), daemon=True).start()


def serve_names(udp):
    while True:
        query, whom = udp.recvfrom(512)
        known = query[12 : 12 + len(NAME)].lower() == NAME
        kind = struct.unpack(">H", query[12 + len(NAME) :][:2])[0] if known else 0
        answers = 1 if kind == 1 else 0
        head = query[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, answers, 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(ADDRESS)
        try:
            udp.sendto(head + query[12:] + record * answers, whom)
        except OSError:
            pass  # The way back is dead, as the test wants it.


names()
server = socket.create_server((ADDRESS, 8883))
print("ready", flush=True)
while True:
    connection, _ = server.accept()
    connection.close()
