"""Modbus meters played by pymodbus on a serial port, as an independent peer of the driver's tests.

Unit 1 is an Eastron SDM230 (input registers), unit 2 a TUF-2000M with swapped words and a good
signal (holding registers), unit 3 one that has no sensors on its pipe. Prints "ready" once it listens.
"""

import asyncio
import struct
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer


def words(form: str, value: float, swapped: bool) -> list[int]:
    high, low = struct.unpack(">HH", struct.pack(form, value))
    return [low, high] if swapped else [high, low]


def block(pairs: dict[int, list[int]], size: int) -> ModbusSequentialDataBlock:
    registers = [0] * size
    for first, values in pairs.items():
        registers[first : first + len(values)] = values
    # The context counts from one.
    return ModbusSequentialDataBlock(1, registers)


def electricity() -> ModbusDeviceContext:
    measures = {0x00: 230.2, 0x06: 1.234, 0x0C: 251.2, 0x48: 1234.56}
    return ModbusDeviceContext(
        ir=block({at: words(">f", value, False) for at, value in measures.items()}, 0x60)
    )


def flow(error: int, quality: int) -> ModbusDeviceContext:
    registers = {
        0: words(">f", 0.36, True),
        4: words(">f", 0.4, True),
        8: words(">i", 123, True),
        10: words(">f", 0.456, True),
        71: [error],
        91: [quality],
    }
    return ModbusDeviceContext(hr=block(registers, 100))


async def main() -> None:
    context = ModbusServerContext(
        devices={1: electricity(), 2: flow(0, 90), 3: flow(1, 0)}, single=False
    )
    server = ModbusSerialServer(
        context,
        framer=FramerType.RTU,
        port=sys.argv[1],
        baudrate=9600,
        ignore_missing_devices=True,
    )
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
