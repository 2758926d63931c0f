"""A television at the far end of the lab's HDMI cable: the kernel's virtual video device (vivid)
emulates the cable's CEC line, and this plays the television on it with the kernel's own interface.
It shares no code with what it tests. Lines on stdin tell what happens; each is answered with "ok"
or "no WHY" on stdout.

  python3 television.py

Lines:
  on | standby         it is switched so by its own key: it tells all devices, and answers so
  silently on|standby  it only answers so
  deaf | hears         it answers no questions; it answers again
  send HEX             any message
  pull | plug          the cable
Before the first line it prints the device of the cable's near end, /dev/cecN.
"""

import fcntl
import os
import pathlib
import select
import struct
import sys


def asks(direction, number, size, letter):
    return direction << 30 | size << 16 | ord(letter) << 8 | number


WRITES, BOTH = 1, 3
# struct cec_log_addrs and struct cec_msg of linux/cec.h.
ADDRESSES = struct.Struct("=4sHBBII15s4s4s4s48sx")
MESSAGE = struct.Struct("=QQIIII16sBBBBBBBx")
SET_ADDRESSES = asks(BOTH, 4, ADDRESSES.size, "a")
TRANSMIT = asks(BOTH, 5, MESSAGE.size, "a")
RECEIVE = asks(BOTH, 6, MESSAGE.size, "a")
SET_MODE = asks(WRITES, 9, 4, "a")
INITIATOR, FOLLOWER = 0x01, 0x10
CEC_2_0 = 6
NO_VENDOR = 0xFFFFFFFF
# VIDIOC_S_CTRL of linux/videodev2.h, and the virtual device's menu of what its input is connected
# to: a test picture, nothing, and then the outputs (vivid-ctrls.c).
SET_CONTROL = asks(BOTH, 28, 8, "V")
IS_CONNECTED_TO = 0x00F0F000 + 113
NOTHING, OUTPUT = 1, 2

TELEVISION, ALL = 0x0, 0xF
GIVE_POWER, POWER, STANDBY, REQUEST_SOURCE = 0x8F, 0x90, 0x36, 0x85
STATES = {"on": 0x00, "standby": 0x01}


def named(folder, part):
    """The device nodes whose name in sysfs holds this."""
    found = [
        path.parent.name
        for path in sorted(pathlib.Path(folder).glob("*/name"))
        if part in path.read_text()
    ]
    return [f"/dev/{name}" for name in found]


class Television:
    def __init__(self):
        ends = sorted(pathlib.Path("/dev").glob("cec*"))
        if len(ends) != 2:
            raise SystemExit(f"two ends of a cable are needed, there are {ends}")
        # The input's end is made first.
        self.far, self.near = (str(end) for end in ends)
        self.video = named("/sys/class/video4linux", "vid-cap")[0]
        self.state = STATES["on"]
        self.answers = True
        self.cable(OUTPUT)
        self.line = os.open(self.far, os.O_RDWR)
        fcntl.ioctl(self.line, SET_MODE, struct.pack("=I", INITIATOR | FOLLOWER))
        kind = bytes(4)
        addresses = ADDRESSES.pack(
            bytes(4), 0, CEC_2_0, 1, NO_VENDOR, 0, b"television", kind, kind, bytes(4), bytes(48)
        )
        fcntl.ioctl(self.line, SET_ADDRESSES, bytearray(addresses))

    def cable(self, to):
        video = os.open(self.video, os.O_RDWR)
        fcntl.ioctl(video, SET_CONTROL, bytearray(struct.pack("=Ii", IS_CONNECTED_TO, to)))
        os.close(video)

    def send(self, frame):
        message = MESSAGE.pack(0, 0, len(frame), 0, 0, 0, frame, *bytes(7))
        fcntl.ioctl(self.line, TRANSMIT, bytearray(message))

    def hear(self):
        message = bytearray(MESSAGE.pack(0, 0, 0, 0, 0, 0, b"", *bytes(7)))
        fcntl.ioctl(self.line, RECEIVE, message)
        fields = MESSAGE.unpack(message)
        frame = fields[6][: fields[2]]
        if frame[1:2] == bytes([GIVE_POWER]) and self.answers:
            self.send(bytes([TELEVISION << 4 | frame[0] >> 4, POWER, self.state]))

    def obey(self, line):
        match line.split():
            case ["on"]:
                self.state = STATES["on"]
                self.send(bytes([TELEVISION << 4 | ALL, REQUEST_SOURCE]))
            case ["standby"]:
                self.state = STATES["standby"]
                self.send(bytes([TELEVISION << 4 | ALL, STANDBY]))
            case ["silently", state]:
                self.state = STATES[state]
            case ["deaf"]:
                self.answers = False
            case ["hears"]:
                self.answers = True
            case ["send", data]:
                self.send(bytes.fromhex(data))
            case ["pull"]:
                self.cable(NOTHING)
            case ["plug"]:
                self.cable(OUTPUT)
            case _:
                raise ValueError("not understood")


def main():
    television = Television()
    print(television.near, flush=True)
    while True:
        ready, _, _ = select.select([television.line, sys.stdin], [], [])
        if television.line in ready:
            television.hear()
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            try:
                television.obey(line)
                print("ok", flush=True)
            except Exception as error:
                print("no", repr(error), flush=True)


main()
